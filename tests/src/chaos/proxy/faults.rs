//! Which call is broken, and how.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::http::request::Parts;

use crate::chaos::dice::Dice;

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is answered 429 with Retry-After; nothing is done (RELIABILITY F31).
    Throttled,
    /// It is answered 500; nothing is done (F32).
    Error,
    /// The connection ends; nothing is done.
    Reset,
    /// It is done, and the connection ends before the answer (F33).
    ReplyLost,
    /// Nothing is done and nothing is ever answered (F37).
    Hang,
    /// It is held for so long and then done, whoever still waits for the answer: a write that arrives after its time (F3).
    Late(Duration),
}

impl Fault {
    /// A word for the report.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Throttled => "429",
            Self::Error => "500",
            Self::Reset => "reset",
            Self::ReplyLost => "reply lost",
            Self::Hang => "hang",
            Self::Late(_) => "late",
        }
    }
}

/// The way in which all calls fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outage {
    /// 429 with Retry-After.
    Throttled,
    /// 503.
    Unavailable,
    /// No answer.
    Silent,
    /// No connection.
    Refused,
}

impl Outage {
    /// All of them, in the order in which they take turns.
    pub(crate) const ALL: [Self; 4] = [Self::Throttled, Self::Unavailable, Self::Silent, Self::Refused];
}

#[derive(Debug, Default)]
struct State {
    outage: Option<Outage>,
    /// So many calls in a hundred meet one of these.
    share: u64,
    mix: Vec<Fault>,
}

/// The faults of now. The meter counts what they do.
#[derive(Debug)]
pub(crate) struct Faults {
    state: Mutex<State>,
    dice: Mutex<Dice>,
}

impl Faults {
    /// None at first.
    pub(crate) fn new(dice: Dice) -> Self {
        Self { state: Mutex::default(), dice: Mutex::new(dice) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on so many calls in a hundred meet one of `mix`.
    pub(crate) fn break_some(&self, share: u64, mix: &[Fault]) {
        let mut state = self.state();
        state.share = share;
        state.mix = mix.to_vec();
    }

    /// From now on every call fails in this way, or no call more than `break_some` says.
    pub(crate) fn set_outage(&self, outage: Option<Outage>) {
        self.state().outage = outage;
    }

    /// No faults any more.
    pub(crate) fn cease(&self) {
        *self.state() = State::default();
    }

    pub(super) fn outage(&self) -> Option<Outage> {
        self.state().outage
    }

    /// What happens to this call.
    pub(super) fn of(&self, request: &Parts) -> Option<Fault> {
        let state = self.state();
        match state.outage {
            Some(Outage::Throttled) => return Some(Fault::Throttled),
            Some(Outage::Unavailable) => return Some(Fault::Error),
            Some(Outage::Silent) => return Some(Fault::Hang),
            Some(Outage::Refused) => return Some(Fault::Reset),
            None => {}
        }
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        if !dice.percent(state.share) {
            return None;
        }
        let fault = *dice.one_of(&state.mix)?;
        // Reads that arrive late are nothing to be afraid of.
        let reads = request.method.is_safe();
        (!matches!(fault, Fault::Late(_)) || !reads).then_some(fault)
    }
}
