//! How many streams somebody has open in this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shopwright_domain::UserId;

use crate::problem::{Problem, Retry, TOO_MANY_STREAMS};

/// The streams of everybody.
#[derive(Clone)]
pub(crate) struct Streams {
    limit: usize,
    open: Arc<Mutex<HashMap<UserId, usize>>>,
}

impl Streams {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, open: Arc::default() }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for one more stream, until it is dropped.
    pub(crate) fn enter(&self, who: UserId) -> Result<Slot, Problem> {
        let mut open = self.open();
        let count = open.entry(who).or_default();
        if *count >= self.limit {
            let message = format!("{} event streams are open: close one first", self.limit);
            return Err(Problem::new(TOO_MANY_STREAMS, message).with("limit", self.limit).retry(Retry::Seconds(5)));
        }
        *count += 1;
        Ok(Slot { streams: self.clone(), who })
    }
}

/// Room for one stream.
pub(crate) struct Slot {
    streams: Streams,
    who: UserId,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.streams.open();
        let left = open.get(&self.who).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            open.remove(&self.who);
        } else {
            open.insert(self.who, left);
        }
    }
}
