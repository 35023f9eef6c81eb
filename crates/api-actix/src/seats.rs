//! How many requests are worked on at once: the others wait at the door, first come, first served.
//!
//! A request takes several transactions, one after the other. When hundreds are let in together, all of them advance a little and all of them are
//! late; let in a few at a time, most are answered long before the last one (RELIABILITY F26).

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::time::timeout;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Limits;
use crate::problem::{OVERLOADED, Problem, Retry};

/// The seats of one process, for all its workers.
#[derive(Clone)]
pub(crate) struct Seats {
    free: Arc<Semaphore>,
    patience: Duration,
}

impl Seats {
    pub(crate) fn of(limits: &Limits) -> Self {
        Self { free: Arc::new(Semaphore::new(limits.concurrent)), patience: limits.queue_time }
    }

    /// A seat, in one's turn; free again when it is dropped.
    pub(crate) async fn take(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let full = || {
            let message = "The server has more to do than it can: ask again in a moment.";
            Problem::new(OVERLOADED, message).retry(Retry::Seconds(5))
        };
        timeout(self.patience, Arc::clone(&self.free).acquire_owned()).await.map_err(|_| full())?.map_err(|_| full())
    }
}
