//! [`FakeGate`]: lets everybody in but who is shut out, and remembers answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shopwright_domain::limits::{Meter, Rate};

use crate::gate_api::{Gate, Payer, Promise, PromiseError, TooMany};
use crate::storage::StoredAnswer;
use crate::stores_api::RequestContext;

/// A door in memory.
#[derive(Debug, Default)]
pub struct FakeGate(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    shut: Vec<(Payer, Timestamp)>,
    admitted: BTreeSet<Payer>,
    claimed: BTreeSet<(String, String)>,
    answers: BTreeMap<(String, String), (Vec<u8>, StoredAnswer)>,
}

/// What everybody has left: half of ten a minute.
pub const FAKE_METER: Meter = Meter {
    rate: Rate { limit: 10, window: SignedDuration::from_mins(1) },
    remaining: 5,
    reset: SignedDuration::from_secs(30),
};

impl FakeGate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses this payer from now on.
    pub fn shut(&self, payer: Payer, until: Timestamp) {
        self.state().shut.push((payer, until));
    }

    /// Everybody who paid for a request.
    pub fn admitted(&self) -> Vec<Payer> {
        self.state().admitted.iter().cloned().collect()
    }
}

#[async_trait]
impl Gate for FakeGate {
    async fn admit(&self, payer: &Payer) -> Result<Meter, TooMany> {
        let meter = self.look(payer)?;
        self.state().admitted.insert(payer.clone());
        Ok(meter)
    }

    fn look(&self, payer: &Payer) -> Result<Meter, TooMany> {
        match self.state().shut.iter().find(|(shut, _)| shut == payer) {
            Some((_, until)) => Err(TooMany { meter: Meter { remaining: 0, ..FAKE_METER }, until: *until }),
            None => Ok(FAKE_METER),
        }
    }

    async fn earlier(&self, _: &RequestContext, promise: &Promise) -> Result<Option<StoredAnswer>, PromiseError> {
        match self.state().answers.get(&(promise.route.clone(), promise.key.clone())) {
            Some((fingerprint, _)) if *fingerprint != promise.fingerprint => Err(PromiseError::Reused),
            known => Ok(known.map(|(_, answer)| answer.clone())),
        }
    }

    async fn claim(&self, _: &RequestContext, promise: &Promise) -> Result<(), PromiseError> {
        let is_new = self.state().claimed.insert((promise.route.clone(), promise.key.clone()));
        if is_new { Ok(()) } else { Err(PromiseError::InFlight) }
    }

    async fn release(&self, _: &RequestContext, promise: &Promise) -> Result<(), PromiseError> {
        self.state().claimed.remove(&(promise.route.clone(), promise.key.clone()));
        Ok(())
    }

    async fn keep(
        &self,
        _: &RequestContext,
        promise: &Promise,
        answer: StoredAnswer,
    ) -> Result<StoredAnswer, PromiseError> {
        let mut state = self.state();
        let known = state.answers.entry((promise.route.clone(), promise.key.clone()));
        Ok(known.or_insert_with(|| (promise.fingerprint.clone(), answer)).1.clone())
    }
}
