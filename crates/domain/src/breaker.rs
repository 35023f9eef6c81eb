//! The circuit breaker of one cluster, as a value that takes the time.
//!
//! Closed: everything passes. Open: nothing passes until the pause is over. Half-open: exactly one probe passes; its outcome decides.
//! What counts as a failure is the caller's to say: connection errors, timeouts and 5xx do; any answer is life (DECISIONS 33).

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

/// How a call may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// Nothing is known against it.
    Free,
    /// It is the one probe: make it a cheap one.
    Probe,
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
}

impl Breaker {
    /// A closed one.
    pub const fn new(policy: BreakerPolicy) -> Self {
        Self { policy, state: State::Closed { failures: 0 } }
    }

    /// What others see of it.
    pub const fn state(&self) -> BreakerState {
        match self.state {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// Asks to pass. Whoever passes reports back with [`Breaker::succeeded`] or [`Breaker::failed`].
    ///
    /// # Errors
    /// [`Refused`] while it is open, and while the one probe is out.
    pub fn pass(&mut self, now: Timestamp) -> Result<Passage, Refused> {
        match self.state {
            State::Closed { .. } => Ok(Passage::Free),
            State::Open { until } if now < until => Err(Refused { until }),
            State::HalfOpen { probe_since } if now.duration_since(probe_since) < self.policy.probe_timeout => {
                Err(Refused { until: probe_since + self.policy.probe_timeout })
            }
            State::Open { .. } | State::HalfOpen { .. } => {
                self.state = State::HalfOpen { probe_since: now };
                Ok(Passage::Probe)
            }
        }
    }

    /// The other side answered.
    pub const fn succeeded(&mut self) {
        self.state = State::Closed { failures: 0 };
    }

    /// The other side did not answer.
    pub fn failed(&mut self, now: Timestamp) {
        self.state = match self.state {
            State::Closed { failures } if failures + 1 < self.policy.threshold => {
                State::Closed { failures: failures + 1 }
            }
            // A straggler from before does not lengthen the pause.
            State::Open { until } if now < until => State::Open { until },
            State::Closed { .. } | State::Open { .. } | State::HalfOpen { .. } => {
                State::Open { until: now + self.policy.pause }
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    fn open_at(seconds: i64) -> Breaker {
        let mut breaker = Breaker::new(BreakerPolicy::default());
        for _ in 0..5 {
            breaker.failed(at(seconds));
        }
        breaker
    }

    #[test]
    fn five_failures_in_a_row_open_it_and_a_success_between_does_not() {
        let mut breaker = Breaker::new(BreakerPolicy::default());
        for _ in 0..4 {
            breaker.failed(at(0));
        }
        breaker.succeeded();
        for _ in 0..4 {
            breaker.failed(at(0));
        }

        assert_eq!(breaker.state(), BreakerState::Closed);
        breaker.failed(at(0));
        assert_eq!(breaker.pass(at(29)), Err(Refused { until: at(30) }));
    }

    #[test]
    fn after_the_pause_exactly_one_probe_passes() {
        let mut breaker = open_at(0);

        assert_eq!(breaker.pass(at(30)), Ok(Passage::Probe));
        assert!(breaker.pass(at(30)).is_err());
        breaker.succeeded();
        assert_eq!(breaker.pass(at(30)), Ok(Passage::Free));
    }

    #[test]
    fn a_failed_probe_opens_it_again() {
        let mut breaker = open_at(0);

        breaker.pass(at(30)).unwrap();
        breaker.failed(at(31));

        assert_eq!(breaker.pass(at(60)), Err(Refused { until: at(61) }));
    }

    #[test]
    fn a_probe_that_never_reports_back_does_not_wedge_it() {
        let mut breaker = open_at(0);

        breaker.pass(at(30)).unwrap();

        assert!(breaker.pass(at(89)).is_err());
        assert_eq!(breaker.pass(at(90)), Ok(Passage::Probe));
    }

    proptest! {
        #[test]
        fn while_open_at_most_one_passes_per_probe_time(steps in prop::collection::vec((0i64..40, prop::bool::ANY), 1..100)) {
            let mut breaker = open_at(0);
            let mut now = 0;
            let mut last_pass = None;

            for (forward, fails) in steps {
                now += forward;
                if breaker.pass(at(now)).is_ok() {
                    if let Some(last) = last_pass { prop_assert!(now - last >= 30, "{last} then {now}"); }
                    last_pass = Some(now);
                    if fails { breaker.failed(at(now)); }
                }
            }
        }
    }
}
