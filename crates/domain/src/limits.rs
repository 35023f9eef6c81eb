//! Limits as values that take the time: rate, creation cooldown, store quota, lock-out of an account.

mod rate;

use jiff::{SignedDuration, Timestamp};

pub use rate::{Meter, Rate, Taken};

/// A refusal that ends at a known time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not before {until}")]
pub struct NotBefore {
    /// When it ends.
    pub until: Timestamp,
}

impl NotBefore {
    /// Whole seconds from `now` until it ends, rounded up, at least 1: what `Retry-After` says.
    pub fn retry_after_seconds(&self, now: Timestamp) -> u64 {
        let millis = self.until.duration_since(now).as_millis().max(1);
        u64::try_from((millis + 999) / 1000).unwrap_or(1)
    }
}

/// The pause between two stores of one organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cooldown(pub SignedDuration);

impl Cooldown {
    /// Whether another store may be created.
    ///
    /// # Errors
    /// [`NotBefore`] until the pause since `last` is over.
    pub fn check(&self, last: Option<Timestamp>, now: Timestamp) -> Result<(), NotBefore> {
        match last.map(|last| last + self.0) {
            Some(until) if until > now => Err(NotBefore { until }),
            _ => Ok(()),
        }
    }
}

/// How many stores an organisation may hold. Everything but `deleted` counts: a failed store holds resources too (DECISIONS 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreQuota(pub u32);

/// The quota is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{held} of {limit} stores are in use")]
pub struct QuotaUsedUp {
    /// Stores held.
    pub held: u32,
    /// Stores allowed.
    pub limit: u32,
}

impl StoreQuota {
    /// Whether one more store may be held.
    ///
    /// # Errors
    /// [`QuotaUsedUp`] with both numbers.
    pub const fn check(&self, held: u32) -> Result<(), QuotaUsedUp> {
        if held < self.0 { Ok(()) } else { Err(QuotaUsedUp { held, limit: self.0 }) }
    }
}

/// Failed sign-ins of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SignInFailures {
    /// Failures since the last success or lock-out.
    pub count: u32,
    /// Locked until then.
    pub locked_until: Option<Timestamp>,
}

/// When an account is locked, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lockout {
    /// Failures that lock it.
    pub attempts: u32,
    /// How long it stays locked.
    pub duration: SignedDuration,
}

impl Default for Lockout {
    fn default() -> Self {
        Self { attempts: 5, duration: SignedDuration::from_mins(15) }
    }
}

impl Lockout {
    /// Whether a sign-in may be tried.
    ///
    /// # Errors
    /// [`NotBefore`] while the account is locked.
    pub fn check(&self, failures: SignInFailures, now: Timestamp) -> Result<(), NotBefore> {
        match failures.locked_until {
            Some(until) if until > now => Err(NotBefore { until }),
            _ => Ok(()),
        }
    }

    /// The state after one more failure.
    #[must_use]
    pub fn failed(&self, failures: SignInFailures, now: Timestamp) -> SignInFailures {
        let count = if failures.locked_until.is_some_and(|until| until <= now) { 1 } else { failures.count + 1 };
        let locked_until = (count >= self.attempts).then(|| now + self.duration);
        SignInFailures { count, locked_until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_millis(millis)
    }

    #[test]
    fn the_cooldown_says_when_it_ends() {
        let cooldown = Cooldown(SignedDuration::from_secs(30));

        assert_eq!(cooldown.check(None, at(0)), Ok(()));
        let refusal = cooldown.check(Some(at(0)), at(100)).unwrap_err();
        assert_eq!(refusal.retry_after_seconds(at(100)), 30);
        assert_eq!(cooldown.check(Some(at(0)), at(30_000)), Ok(()));
    }

    #[test]
    fn the_fifth_failure_locks_and_the_lock_ends() {
        let lockout = Lockout::default();
        let mut failures = SignInFailures::default();
        for _ in 0..4 {
            failures = lockout.failed(failures, at(0));
            assert_eq!(lockout.check(failures, at(0)), Ok(()));
        }

        failures = lockout.failed(failures, at(0));

        assert_eq!(lockout.check(failures, at(1)), Err(NotBefore { until: at(900_000) }));
        assert_eq!(lockout.check(failures, at(900_000)), Ok(()));
        assert_eq!(lockout.failed(failures, at(900_000)).count, 1);
    }

    #[test]
    fn the_quota_counts_exactly() {
        assert_eq!(StoreQuota(2).check(1), Ok(()));
        assert_eq!(StoreQuota(2).check(2), Err(QuotaUsedUp { held: 2, limit: 2 }));
    }
}
