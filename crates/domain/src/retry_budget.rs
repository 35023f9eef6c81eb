//! How fast work that had to wait is begun again on one cluster: all together are the next outage (RELIABILITY F30).
//!
//! Whoever cannot begin now gets a time of its own, in the order of asking, and begins then. Work that is begun for the first time does not
//! ask: nobody who waits can keep it waiting.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::limits::{NotBefore, Rate};

/// A time that nobody came for is forgotten after this long: somebody else has begun that work.
const FORGOTTEN: SignedDuration = SignedDuration::from_mins(5);

/// Times to begin again, by what is to be begun.
#[derive(Debug, Clone)]
pub struct RetryBudget<K> {
    rate: Rate,
    taken: Option<Timestamp>,
    promised: BTreeMap<K, Timestamp>,
}

impl<K: Ord> RetryBudget<K> {
    /// At most `rate` beginnings.
    pub const fn new(rate: Rate) -> Self {
        Self { rate, taken: None, promised: BTreeMap::new() }
    }

    /// Asks to begin `key` again.
    ///
    /// # Errors
    /// [`NotBefore`] with the time that is kept for it: coming back then, it may begin.
    pub fn begin(&mut self, key: K, now: Timestamp) -> Result<(), NotBefore> {
        self.promised.retain(|_, until| now.duration_since(*until) < FORGOTTEN);
        match self.promised.get(&key) {
            Some(until) if *until > now => return Err(NotBefore { until: *until }),
            Some(_) => {
                self.promised.remove(&key);
                return Ok(());
            }
            None => {}
        }
        match self.rate.take(self.taken, now) {
            Ok(taken) => {
                self.taken = Some(taken);
                Ok(())
            }
            Err(refusal) => {
                // Taken in advance: later ones get later times.
                self.taken = self.rate.take(self.taken, refusal.until).ok().or(self.taken);
                self.promised.insert(key, refusal.until);
                Err(refusal)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: Rate = Rate { limit: 20, window: SignedDuration::from_secs(1) };

    fn at(millis: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_millis(millis)
    }

    /// Begins all of `count` that come at once and come back when they are told; when each began.
    fn herd(count: u32) -> Vec<Timestamp> {
        let mut budget = RetryBudget::new(RATE);
        let mut waiting: Vec<(Timestamp, u32)> = (0..count).map(|key| (at(0), key)).collect();
        let mut begun = Vec::new();
        while let Some(next) = waiting.iter().min().copied() {
            waiting.retain(|other| *other != next);
            match budget.begin(next.1, next.0) {
                Ok(()) => begun.push(next.0),
                Err(later) => waiting.push((later.until, next.1)),
            }
        }
        begun
    }

    #[test]
    fn a_herd_of_two_thousand_is_spread_and_nobody_comes_twice() {
        // RELIABILITY F30.
        let begun = herd(2000);

        for start in 0..100 {
            let in_second = begun.iter().filter(|time| **time > at(start * 1000) && **time <= at(start * 1000 + 1000));
            assert!(in_second.count() <= 20, "second {start}");
        }
        assert_eq!(begun.len(), 2000);
        assert_eq!(begun.last(), Some(&at(99_000)), "the first twenty at once, then twenty a second");
    }

    #[test]
    fn who_asks_too_early_is_told_the_same_time_again() {
        let mut budget = RetryBudget::new(Rate { limit: 1, window: SignedDuration::from_secs(1) });
        budget.begin(1, at(0)).unwrap();

        assert_eq!(budget.begin(2, at(0)), Err(NotBefore { until: at(1000) }));
        assert_eq!(budget.begin(2, at(500)), Err(NotBefore { until: at(1000) }));
        assert_eq!(budget.begin(3, at(500)), Err(NotBefore { until: at(2000) }));
        assert_eq!(budget.begin(2, at(1000)), Ok(()));
    }

    #[test]
    fn a_time_that_nobody_came_for_is_forgotten() {
        let mut budget = RetryBudget::new(Rate { limit: 1, window: SignedDuration::from_secs(1) });
        budget.begin(1, at(0)).unwrap();
        budget.begin(2, at(0)).unwrap_err();

        budget.begin(3, at(400_000)).unwrap();

        assert!(budget.promised.is_empty());
    }

    proptest! {
        #[test]
        fn everybody_begins_and_never_too_many_at_once(count in 1u32..300) {
            let begun = herd(count);

            prop_assert_eq!(begun.len(), count as usize);
            for (index, time) in begun.iter().enumerate() {
                let recent = begun[..=index].iter().filter(|other| time.duration_since(**other) < SignedDuration::from_secs(1));
                // A bucket that was full and what was refilled meanwhile.
                prop_assert!(recent.count() <= 40);
            }
        }
    }
}
