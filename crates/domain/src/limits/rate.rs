//! A rate: so many requests in a window, refilled evenly (the generic cell rate algorithm).
//!
//! The state between requests is one timestamp: when all that was let in so far is paid for. So it fits a row as well as a map, and many
//! requests can be taken at once for somebody who hands them out one by one.

use jiff::{SignedDuration, Timestamp};

use super::NotBefore;

/// So many requests in a window, refilled evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests per window, all of which may come at once.
    pub limit: u32,
    /// The window.
    pub window: SignedDuration,
}

/// Requests that were taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// How many: at least one, at most as many as were asked for.
    pub count: u32,
    /// The new state.
    pub state: Timestamp,
}

/// How much of a rate is left: what a client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meter {
    /// The rate.
    pub rate: Rate,
    /// Requests that would be let in now.
    pub remaining: u32,
    /// How long until all of them would be.
    pub reset: SignedDuration,
}

impl Meter {
    /// Whole seconds until the limit is all there again, rounded up.
    pub fn reset_seconds(&self) -> u64 {
        u64::try_from((self.reset.as_millis().max(0) + 999) / 1000).unwrap_or(u64::MAX)
    }
}

/// How long it takes until all that was let in is paid for.
fn owed(state: Option<Timestamp>, now: Timestamp) -> SignedDuration {
    state.map_or(SignedDuration::ZERO, |paid| paid.duration_since(now).max(SignedDuration::ZERO))
}

impl Rate {
    /// What one request costs in time.
    fn interval(&self) -> SignedDuration {
        self.window / i32::try_from(self.limit.max(1)).unwrap_or(i32::MAX)
    }

    /// Takes one request. `state` is what the last accepted request returned; the result is the new state.
    ///
    /// # Errors
    /// [`NotBefore`] when the limit is used up; the state is then unchanged.
    pub fn take(&self, state: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, NotBefore> {
        self.take_up_to(1, state, now).map(|taken| taken.state)
    }

    /// Takes as many requests as there are, at most `wanted` and at least one.
    ///
    /// # Errors
    /// [`NotBefore`] when not even one is left; the state is then unchanged.
    pub fn take_up_to(&self, wanted: u32, state: Option<Timestamp>, now: Timestamp) -> Result<Taken, NotBefore> {
        if self.limit == 0 {
            return Err(NotBefore { until: now + self.window });
        }
        let count = self.remaining(state, now).min(wanted.max(1));
        let interval = self.interval();
        let paid = state.unwrap_or(now).max(now);
        match i32::try_from(count) {
            Ok(0) => Err(NotBefore { until: paid + interval - self.window }),
            Ok(times) => Ok(Taken { count, state: paid + interval * times }),
            Err(_) => Ok(Taken { count, state: paid + self.window }),
        }
    }

    /// How many requests would be let in now.
    pub fn remaining(&self, state: Option<Timestamp>, now: Timestamp) -> u32 {
        let interval = self.interval().as_nanos().max(1);
        let free = (self.window.as_nanos() - owed(state, now).as_nanos()).max(0) / interval;
        u32::try_from(free).unwrap_or(u32::MAX).min(self.limit)
    }

    /// What a client is told about a state.
    pub fn meter(&self, state: Option<Timestamp>, now: Timestamp) -> Meter {
        Meter { rate: *self, remaining: self.remaining(state, now), reset: owed(state, now) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_millis(millis)
    }

    #[test]
    fn a_burst_uses_up_the_limit_and_comes_back_evenly() {
        let rate = Rate { limit: 3, window: SignedDuration::from_secs(3) };
        let mut state = None;
        for _ in 0..3 {
            state = Some(rate.take(state, at(0)).unwrap());
        }

        assert_eq!(rate.take(state, at(999)), Err(NotBefore { until: at(1000) }));
        assert!(rate.take(state, at(1000)).is_ok());
    }

    #[test]
    fn a_rate_of_nothing_lets_nothing_pass() {
        let rate = Rate { limit: 0, window: SignedDuration::from_secs(60) };

        assert!(rate.take(None, at(0)).is_err());
    }

    proptest! {
        #[test]
        fn no_window_ever_sees_more_than_twice_the_limit_and_time_passes_it_all(gaps in prop::collection::vec(0i64..5_000, 1..200)) {
            let rate = Rate { limit: 5, window: SignedDuration::from_secs(10) };
            let (mut now, mut state, mut accepted) = (0, None, Vec::new());
            for gap in gaps {
                now += gap;
                match rate.take(state, at(now)) {
                    Ok(next) => { state = Some(next); accepted.push(now); }
                    Err(refusal) => prop_assert!(refusal.until > at(now) && rate.take(state, refusal.until).is_ok()),
                }
            }
            for (index, start) in accepted.iter().enumerate() {
                let inside = accepted[index..].iter().take_while(|time| **time < start + 10_000).count();
                prop_assert!(inside <= 10, "{inside} within one window");
            }
        }
    }

    #[test]
    fn many_are_taken_at_once_as_far_as_there_are_any() {
        let rate = Rate { limit: 10, window: SignedDuration::from_secs(10) };

        let first = rate.take_up_to(4, None, at(0)).unwrap();
        let rest = rate.take_up_to(100, Some(first.state), at(0)).unwrap();

        assert_eq!((first.count, rest.count), (4, 6));
        assert_eq!(rate.take_up_to(1, Some(rest.state), at(0)), Err(NotBefore { until: at(1000) }));
        assert_eq!(rate.take_up_to(5, Some(rest.state), at(2500)).map(|taken| taken.count), Ok(2));
    }

    #[test]
    fn the_meter_says_what_is_left_and_when_all_is() {
        let rate = Rate { limit: 60, window: SignedDuration::from_mins(1) };
        let state = rate.take_up_to(10, None, at(0)).unwrap().state;

        let meter = rate.meter(Some(state), at(500));

        assert_eq!((meter.remaining, meter.reset_seconds()), (50, 10));
        assert_eq!(rate.meter(None, at(0)).remaining, 60);
        assert_eq!(rate.meter(Some(state), at(60_000)).reset_seconds(), 0);
    }

    proptest! {
        /// Blocks that several replicas hand out: never more than the limit is let in at one moment, whoever takes how many.
        #[test]
        fn blocks_give_no_more_than_single_requests(sizes in prop::collection::vec(1u32..20, 1..50)) {
            let rate = Rate { limit: 50, window: SignedDuration::from_secs(10) };
            let (mut state, mut given) = (None, 0);
            for size in sizes {
                if let Ok(taken) = rate.take_up_to(size, state, at(0)) {
                    state = Some(taken.state);
                    given += taken.count;
                }
            }
            prop_assert!(given <= 50);
            prop_assert_eq!(rate.remaining(state, at(0)), 50 - given);
        }
    }
}
