//! Histories of requests, and whether a store that does one thing at a time could have given these answers (RELIABILITY P8, F65).
//!
//! A history is what clients saw: when they asked, when they were answered, with what. An answer that never came may stand for a request
//! that took effect, at any time since, or never. The model is nondeterministic, because workers move stores on by themselves; the checker
//! carries the set of all states that the store can be in. This module knows domain types only: the simulation and the tests on real
//! parts both use it.

mod model;
mod search;

use shopwright_domain::operation::OperationKind;
use shopwright_domain::store::StoreState;
use shopwright_domain::{OperationId, StoreId};

pub use search::{Verdict, check};

/// What a client asked for. All requests of one history are about stores of one name of one organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Create a store of the name, perhaps with an idempotency key.
    Create {
        /// The key.
        key: Option<String>,
    },
    /// Look at a store.
    Get(StoreId),
    /// Delete a store.
    Delete(StoreId),
    /// Retry a store.
    Retry(StoreId),
    /// Cancel an operation of a store.
    Cancel(StoreId, OperationId),
}

/// What a client was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The request was written down; this is the store now, and the operation that was started or is the one asked for.
    Accepted {
        /// The store.
        store: StoreId,
        /// How it is doing.
        state: StoreState,
        /// What runs for it.
        operation: Option<(OperationId, OperationKind)>,
    },
    /// The store is in this state.
    Seen(StoreState),
    /// There is a live store of this name already, in this state.
    NameInUse(StoreId, StoreState),
    /// The state of the store does not allow it.
    WrongState(StoreState),
    /// The operation cannot be cancelled.
    NotCancellable,
    /// There is no such store, or not for this client.
    Unknown,
    /// Refused for a reason that says nothing about the store (quota, cooldown, a conflict); it had no effect.
    Refused,
}

/// One request of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it was sent.
    pub asked: u64,
    /// When the answer came, if it did.
    pub answered: Option<u64>,
    /// What was asked.
    pub request: Request,
    /// What was answered; `None` when no answer came, or one that does not say whether it was done.
    pub answer: Option<Answer>,
}
