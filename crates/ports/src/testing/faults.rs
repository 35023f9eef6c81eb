//! Failure injection: what the next calls of a fake do instead of succeeding.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a call does.
#[derive(Debug)]
pub enum Fault<E> {
    /// It fails and has no effect.
    Before(E),
    /// It has its effect and fails all the same: the answer was lost.
    After(E),
    /// It never returns and has no effect.
    Hang,
}

/// Faults in waiting, per method.
#[derive(Debug)]
pub struct Faults<E> {
    queued: Mutex<HashMap<&'static str, VecDeque<Option<Fault<E>>>>>,
}

impl<E> Default for Faults<E> {
    fn default() -> Self {
        Self { queued: Mutex::default() }
    }
}

impl<E> Faults<E> {
    fn queued(&self) -> MutexGuard<'_, HashMap<&'static str, VecDeque<Option<Fault<E>>>>> {
        self.queued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next call of `method` that has no fault yet meets this one.
    pub fn push(&self, method: &'static str, fault: Fault<E>) {
        self.queued().entry(method).or_default().push_back(Some(fault));
    }

    /// The next `times` calls of `method` that have no fault yet meet none: what is pushed afterwards comes later.
    pub fn pass(&self, method: &'static str, times: usize) {
        self.queued().entry(method).or_default().extend((0..times).map(|_| None));
    }

    /// How many faults nobody has met yet.
    pub fn remaining(&self) -> usize {
        self.queued().values().flatten().flatten().count()
    }

    /// Runs the effect of `method`, or what was queued instead.
    ///
    /// # Errors
    /// The effect's own error, or the queued one.
    pub async fn around<T>(&self, method: &'static str, effect: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let fault = self.queued().get_mut(method).and_then(VecDeque::pop_front).flatten();
        match fault {
            None => effect(),
            Some(Fault::Before(error)) => Err(error),
            Some(Fault::After(error)) => effect().and(Err(error)),
            Some(Fault::Hang) => std::future::pending().await,
        }
    }
}
