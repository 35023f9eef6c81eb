//! Rows of one kind, in the order in which they were added. A copy shares them, a few at a time, until one of the two is changed: what a
//! transaction costs does not grow with all that is in the database.

use std::fmt;
use std::iter::FlatMap;
use std::ops::{Index, IndexMut};
use std::slice::Iter;
use std::sync::Arc;

/// Rows that are copied together.
const CHUNK: usize = 32;

/// Rows in the order in which they were added.
#[derive(Clone)]
pub struct Table<T> {
    /// All but the last hold [`CHUNK`] rows.
    chunks: Vec<Arc<Vec<T>>>,
}

/// What [`Table::iter`] gives.
pub type Rows<'a, T> = FlatMap<Iter<'a, Arc<Vec<T>>>, Iter<'a, T>, fn(&'a Arc<Vec<T>>) -> Iter<'a, T>>;

impl<T> Table<T> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> Rows<'_, T> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    /// The row that was added after `index` others.
    pub fn get(&self, index: usize) -> Option<&T> {
        self.chunks.get(index / CHUNK)?.get(index % CHUNK)
    }

    /// The row that was added last.
    pub fn last(&self) -> Option<&T> {
        self.iter().next_back()
    }

    /// The rows that are not as they were in `before`, each with what it was; a copy of this table from which nothing was removed since.
    pub fn changes<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = (Option<&'a T>, &'a T)>
    where
        T: PartialEq,
    {
        let is_shared =
            |at: usize, chunk: &Arc<Vec<T>>| before.chunks.get(at).is_some_and(|old| Arc::ptr_eq(old, chunk));
        let chunks = self.chunks.iter().enumerate().filter(move |(at, chunk)| !is_shared(*at, chunk));
        let rows = chunks.flat_map(move |(at, chunk)| {
            chunk.iter().enumerate().map(move |(place, row)| (before.get(at * CHUNK + place), row))
        });
        rows.filter(|(old, row)| *old != Some(row))
    }
}

impl<T: Clone> Table<T> {
    /// One more.
    pub fn push(&mut self, row: T) {
        match self.chunks.last_mut().filter(|last| last.len() < CHUNK) {
            Some(last) => Arc::make_mut(last).push(row),
            None => self.chunks.push(Arc::new(vec![row])),
        }
    }

    /// The first one that is wanted.
    pub fn find_mut(&mut self, wanted: impl FnMut(&T) -> bool) -> Option<&mut T> {
        let index = self.iter().position(wanted)?;
        Some(&mut self[index])
    }

    /// Forgets what is not wanted.
    pub fn retain(&mut self, mut wanted: impl FnMut(&T) -> bool) {
        if self.iter().all(&mut wanted) {
            return;
        }
        let kept: Vec<T> = self.iter().filter(|row| wanted(row)).cloned().collect();
        self.chunks.clear();
        for row in kept {
            self.push(row);
        }
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<'a, T> IntoIterator for &'a Table<T> {
    type Item = &'a T;
    type IntoIter = Rows<'a, T>;

    fn into_iter(self) -> Rows<'a, T> {
        self.iter()
    }
}

impl<T: fmt::Debug> fmt::Debug for Table<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T> Index<usize> for Table<T> {
    type Output = T;

    fn index(&self, index: usize) -> &T {
        &self.chunks[index / CHUNK][index % CHUNK]
    }
}

impl<T: Clone> IndexMut<usize> for Table<T> {
    fn index_mut(&mut self, index: usize) -> &mut T {
        &mut Arc::make_mut(&mut self.chunks[index / CHUNK])[index % CHUNK]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: std::ops::Range<usize>) -> Table<usize> {
        let mut table = Table::default();
        rows.for_each(|row| table.push(row));
        table
    }

    #[test]
    fn rows_keep_their_order_and_their_places() {
        let mut rows = table(0..100);

        assert_eq!(rows.iter().copied().collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
        assert_eq!((rows.len(), rows[70], rows.get(100), rows.last()), (100, 70, None, Some(&99)));
        rows.retain(|row| row % 3 == 0);
        rows.push(7);
        assert_eq!((rows.len(), rows[1], rows.last()), (35, 3, Some(&7)));
        rows.retain(|_| false);
        assert!(rows.is_empty() && rows.last().is_none());
    }

    #[test]
    fn a_copy_does_not_see_what_is_changed_later() {
        let before = table(0..100);
        let mut after = before.clone();

        *after.find_mut(|row| *row == 40).unwrap() = 4000;
        after.push(100);

        assert_eq!((before[40], before.len()), (40, 100));
        assert_eq!(after.changes(&before).collect::<Vec<_>>(), [(Some(&40), &4000), (None, &100)]);
        assert_eq!(before.changes(&before.clone()).count(), 0);
        let shared = before.chunks.iter().zip(&after.chunks).filter(|(old, new)| Arc::ptr_eq(old, new)).count();
        assert_eq!(shared, 2, "of four");
    }
}
