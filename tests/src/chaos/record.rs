//! What clients asked and what they were told, with times: the history that a checker reads, and the promises that must be kept.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a client asks of one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Call {
    /// A store of this name, under this idempotency key.
    Create {
        /// Its name, which no other call asks for.
        name: String,
        /// The key.
        key: String,
    },
    /// Its deletion.
    Delete,
    /// Another try.
    Retry,
    /// An end to this operation.
    Cancel {
        /// Which one.
        operation: String,
    },
    /// How it is doing.
    Read,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// 2xx: the store as the answer shows it.
    Done {
        /// Its state.
        state: String,
        /// The operation that the answer names, if any.
        operation: Option<Told>,
    },
    /// A definite no.
    Refused {
        /// The error's code.
        code: String,
        /// The state that is in the way, where the answer names one.
        state: Option<String>,
    },
    /// The client does not know: no answer, or one that says nothing.
    Unknown,
}

/// An operation as an answer shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// Its id.
    pub id: String,
    /// provision, delete or unwind.
    pub kind: String,
    /// How it is doing.
    pub status: String,
}

/// One call.
#[derive(Debug, Clone)]
pub(super) struct Record {
    /// Which client.
    pub client: usize,
    /// Which store; unknown for a creation that nobody answered.
    pub store: Option<String>,
    /// What was asked.
    pub call: Call,
    /// When, since the run began.
    pub began: Duration,
    /// When the answer was there. A call without a known outcome may take effect at any time after it began.
    pub ended: Option<Duration>,
    /// What came of it.
    pub outcome: Outcome,
}

/// All calls of a run.
#[derive(Debug)]
pub(super) struct Recorder {
    start: Instant,
    records: Mutex<Vec<Record>>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self { start: Instant::now(), records: Mutex::default() }
    }
}

impl Recorder {
    fn lock(&self) -> MutexGuard<'_, Vec<Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time of the run.
    pub(super) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Writes a call down.
    pub(super) fn add(&self, record: Record) {
        self.lock().push(record);
    }

    /// Everything so far.
    pub(super) fn all(&self) -> Vec<Record> {
        self.lock().clone()
    }

    /// How many calls were done, refused, and are unknown.
    pub(super) fn counts(&self) -> (usize, usize, usize) {
        let records = self.lock();
        let count = |wanted: fn(&Outcome) -> bool| records.iter().filter(|record| wanted(&record.outcome)).count();
        (
            count(|outcome| matches!(outcome, Outcome::Done { .. })),
            count(|outcome| matches!(outcome, Outcome::Refused { .. })),
            count(|outcome| matches!(outcome, Outcome::Unknown)),
        )
    }
}
