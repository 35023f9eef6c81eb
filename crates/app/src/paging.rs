//! Whether a list goes on behind a page: one row more than asked for is read, and left out.

use shopwright_ports::storage::Page;

/// The page with one row more.
pub(crate) fn with_one_more(page: Page) -> Page {
    Page { limit: page.limit.saturating_add(1), ..page }
}

/// Leaves out what goes beyond `limit`; the place of the last row that stays, when there was more.
pub(crate) fn cut<T, P>(rows: &mut Vec<T>, limit: u32, place: impl FnOnce(&T) -> P) -> Option<P> {
    let limit = limit as usize;
    let goes_on = rows.len() > limit;
    rows.truncate(limit);
    rows.last().filter(|_| goes_on).map(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_list_that_goes_on_has_a_next_place() {
        let page = |rows: usize, limit: u32| {
            let mut rows: Vec<usize> = (1..=rows).collect();
            let next = cut(&mut rows, limit, |last| *last);
            (rows.len(), next)
        };

        assert_eq!(page(0, 2), (0, None));
        assert_eq!(page(2, 2), (2, None));
        assert_eq!(page(3, 2), (2, Some(2)));
    }
}
