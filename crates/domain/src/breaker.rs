//! The circuit breaker of one cluster, as a value that takes the time.
//!
//! Closed: everything passes. Open: nothing passes until the pause is over. Half-open: exactly one probe passes; its outcome decides.
//! Whoever passes holds a [`Ticket`] and reports back with it. A ticket is good only for the spell in which it was given: what was begun
//! before the breaker opened neither closes it nor keeps it open.

use jiff::{SignedDuration, Timestamp};

/// When it opens and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// Failures in a row that open it.
    pub threshold: u32,
    /// How long it stays open.
    pub pause: SignedDuration,
    /// After this long a probe that never reported back is taken for lost, and another may go.
    pub probe_timeout: SignedDuration,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self { threshold: 5, pause: SignedDuration::from_secs(30), probe_timeout: SignedDuration::from_secs(60) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until: Timestamp },
    HalfOpen { probe_since: Timestamp },
}

/// What others see of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Everything passes.
    Closed,
    /// Nothing passes.
    Open,
    /// One probe is out.
    HalfOpen,
}

impl BreakerState {
    /// The state as it is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        }
    }
}

/// What there is to tell about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerSnapshot {
    /// What others see of it.
    pub state: BreakerState,
    /// Failures in a row; as many as opened it while it is not closed.
    pub failures: u32,
    /// When it last met a failure.
    pub failed_at: Option<Timestamp>,
    /// When it opens and for how long.
    pub policy: BreakerPolicy,
}

/// The right to make one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    spell: u64,
    probe: bool,
}

impl Ticket {
    /// Whether it is the one probe: make it a cheap call.
    pub const fn is_probe(self) -> bool {
        self.probe
    }
}

/// What a call says about the other side (DECISIONS 33).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It answered; a refusal is an answer too.
    Answered,
    /// It did not answer, or said that it is ill.
    Silent,
    /// Nothing: the call was dropped, or ended for reasons of its own, as helm's runs do.
    Unknown,
}

/// Refused: come back at `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the circuit breaker is open until {until}")]
pub struct Refused {
    /// When a probe may go.
    pub until: Timestamp,
}

/// A circuit breaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaker {
    policy: BreakerPolicy,
    state: State,
    /// Counts the changes of state.
    spell: u64,
    failed_at: Option<Timestamp>,
}

impl Breaker {
    /// A closed one.
    pub const fn new(policy: BreakerPolicy) -> Self {
        Self { policy, state: State::Closed { failures: 0 }, spell: 0, failed_at: None }
    }

    /// What others see of it.
    pub const fn state(&self) -> BreakerState {
        match self.state {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// What there is to tell about it.
    pub const fn snapshot(&self) -> BreakerSnapshot {
        let failures = match self.state {
            State::Closed { failures } => failures,
            State::Open { .. } | State::HalfOpen { .. } => self.policy.threshold,
        };
        BreakerSnapshot { state: self.state(), failures, failed_at: self.failed_at, policy: self.policy }
    }

    /// Asks to pass. Whoever passes reports back, also when its call is dropped.
    ///
    /// # Errors
    /// [`Refused`] while it is open, and while the one probe is out.
    pub fn pass(&mut self, now: Timestamp) -> Result<Ticket, Refused> {
        match self.state {
            State::Closed { .. } => {}
            State::Open { until } if now < until => return Err(Refused { until }),
            State::HalfOpen { probe_since } if now.duration_since(probe_since) < self.policy.probe_timeout => {
                return Err(Refused { until: probe_since + self.policy.probe_timeout });
            }
            State::Open { .. } | State::HalfOpen { .. } => self.become_now(State::HalfOpen { probe_since: now }),
        }
        Ok(Ticket { spell: self.spell, probe: matches!(self.state, State::HalfOpen { .. }) })
    }

    /// What became of the call that was let pass with `ticket`.
    pub fn report(&mut self, ticket: Ticket, outcome: Outcome, now: Timestamp) {
        if ticket.spell != self.spell {
            return;
        }
        if outcome == Outcome::Silent {
            self.failed_at = Some(now);
        }
        let paused = State::Open { until: now + self.policy.pause };
        match (self.state, outcome) {
            (State::Closed { .. }, Outcome::Answered) => self.state = State::Closed { failures: 0 },
            (State::Closed { failures }, Outcome::Silent) if failures + 1 < self.policy.threshold => {
                self.state = State::Closed { failures: failures + 1 };
            }
            (State::HalfOpen { .. }, Outcome::Answered) => self.become_now(State::Closed { failures: 0 }),
            (State::Closed { .. } | State::HalfOpen { .. }, Outcome::Silent) => self.become_now(paused),
            // The probe is handed back: whoever comes next is it.
            (State::HalfOpen { .. }, Outcome::Unknown) => self.become_now(State::Open { until: now }),
            (State::Closed { .. }, Outcome::Unknown) | (State::Open { .. }, _) => {}
        }
    }

    const fn become_now(&mut self, state: State) {
        self.state = state;
        self.spell += 1;
    }
}

#[cfg(test)]
mod tests;
