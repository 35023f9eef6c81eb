//! Rows that this version cannot read: a newer one may have written them (RELIABILITY F13).
//!
//! One such row must not stop the queue or a list. It is left out, said once in a while, and looked at again after a minute: somebody may
//! have repaired it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use shopwright_ports::storage::StorageError;
use uuid::Uuid;

const AGAIN: Duration = Duration::from_mins(1);

/// Operations that a claim has met and could not read. Shared by all transactions of a storage.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unreadable {
    met: Arc<Mutex<BTreeMap<Uuid, Instant>>>,
}

impl Unreadable {
    fn met(&self) -> MutexGuard<'_, BTreeMap<Uuid, Instant>> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves the operation to others for a while.
    pub(crate) fn leave(&self, operation: Uuid, error: &StorageError) {
        tracing::error!(%operation, %error, "an operation cannot be read by this version: it is left to others");
        self.met().insert(operation, Instant::now());
    }

    /// What is left to others now.
    pub(crate) fn left(&self) -> Vec<Uuid> {
        let mut met = self.met();
        met.retain(|_, since| since.elapsed() < AGAIN);
        met.keys().copied().collect()
    }
}

/// What of `rows` can be read. A page without a row is better than no page.
pub(crate) fn readable<R, T>(rows: &[R], read: impl Fn(&R) -> Result<T, StorageError>) -> Result<Vec<T>, StorageError> {
    let mut values = Vec::with_capacity(rows.len());
    for row in rows {
        match read(row) {
            Ok(value) => values.push(value),
            Err(error @ StorageError::Corrupt { .. }) => {
                tracing::error!(%error, "a row cannot be read by this version: it is left out of a list");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(values)
}
