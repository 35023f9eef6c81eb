//! What one process knows about one payer: requests it may still hand out, or until when there are none.

use jiff::Timestamp;
use shopwright_domain::limits::{Meter, NotBefore, Rate};
use shopwright_ports::gate_api::TooMany;

/// How many requests are leased at once: a twentieth of the limit.
pub(super) fn block(rate: Rate) -> u32 {
    (rate.limit / 20).max(1)
}

/// What the database said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leased {
    pub(super) rate: Rate,
    /// The state of the rate after it.
    pub(super) state: Option<Timestamp>,
    /// How many were given.
    pub(super) outcome: Result<u32, NotBefore>,
}

/// One payer.
pub(super) struct Bucket {
    rate: Rate,
    /// The state of the rate when last heard of.
    state: Option<Timestamp>,
    /// Requests that are left of the block.
    left: u32,
    /// Until then the block may be used.
    good_until: Timestamp,
    /// No request before then.
    closed_until: Timestamp,
}

impl Bucket {
    pub(super) const fn new(rate: Rate) -> Self {
        Self { rate, state: None, left: 0, good_until: Timestamp::MIN, closed_until: Timestamp::MIN }
    }

    /// Hands out one request, or refuses it; nothing when the database must be asked.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<Result<Meter, TooMany>> {
        if self.closed_until > now {
            return Some(self.look(now));
        }
        if self.left == 0 || self.good_until <= now {
            return None;
        }
        self.left -= 1;
        Some(Ok(self.meter(now)))
    }

    /// What the next request would be told.
    pub(super) fn look(&self, now: Timestamp) -> Result<Meter, TooMany> {
        let meter = self.meter(now);
        if self.closed_until > now { Err(TooMany { meter, until: self.closed_until }) } else { Ok(meter) }
    }

    /// What is left here and there.
    pub(super) fn meter(&self, now: Timestamp) -> Meter {
        let mut meter = self.rate.meter(self.state, now);
        if self.good_until > now {
            meter.remaining = meter.remaining.saturating_add(self.left).min(self.rate.limit);
        }
        if self.closed_until > now {
            meter.remaining = 0;
        }
        meter
    }

    pub(super) fn fill(&mut self, leased: Leased, now: Timestamp) {
        self.rate = leased.rate;
        self.state = leased.state;
        match leased.outcome {
            Ok(count) => {
                self.left = count;
                self.good_until = now + self.rate.window / 2;
            }
            Err(refusal) => {
                self.left = 0;
                self.closed_until = refusal.until;
            }
        }
    }

    /// Without a database: from what was last heard of it.
    pub(super) fn fill_alone(&mut self, now: Timestamp, until: Timestamp) {
        let (rate, state) = (self.rate, self.state);
        let leased = match rate.take_up_to(block(rate), state, now) {
            Ok(taken) => Leased { rate, state: Some(taken.state), outcome: Ok(taken.count) },
            Err(refusal) => Leased { rate, state, outcome: Err(refusal) },
        };
        self.fill(leased, now);
        // Then the database is asked again.
        self.good_until = self.good_until.min(until);
    }

    /// Whether forgetting it would change anything.
    pub(super) fn is_of_use(&self, now: Timestamp) -> bool {
        self.closed_until > now || self.good_until > now
    }
}
