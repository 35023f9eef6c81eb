//! How long to wait before the next attempt.

use jiff::SignedDuration;

/// Exponential back-off with jitter: `base x 2^failures`, spread by `jitter` to both sides, never above `cap`.
///
/// The defaults are the seed's: with a base of half a second attempt 2 comes after about 1 s and attempt 3 after about 2 s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// The unit that is doubled.
    pub base: SignedDuration,
    /// The longest delay, jitter included: what waits goes on this long after its cause is gone, at the latest.
    pub cap: SignedDuration,
    /// The share by which a delay may be shorter or longer, 0 to 1.
    pub jitter: f64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: SignedDuration::from_millis(500), cap: SignedDuration::from_secs(30), jitter: 0.25 }
    }
}

impl Backoff {
    /// The delay after `failures` failures in a row. `unit` is a random number in `0.0..1.0`: 0 is the shortest delay, 0.5 the middle.
    pub fn delay(&self, failures: u32, unit: f64) -> SignedDuration {
        let factor = 2f64.powi(i32::try_from(failures).unwrap_or(i32::MAX).min(64));
        let plain = (self.base.as_secs_f64() * factor).min(self.cap.as_secs_f64() / (1.0 + self.jitter));
        let spread = 1.0 + self.jitter * (2.0 * unit.clamp(0.0, 1.0) - 1.0);
        SignedDuration::try_from_secs_f64(plain * spread).unwrap_or(self.cap)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_second_attempt_comes_after_a_second_and_the_third_after_two() {
        let backoff = Backoff::default();

        assert_eq!(backoff.delay(1, 0.5), SignedDuration::from_secs(1));
        assert_eq!(backoff.delay(2, 0.5), SignedDuration::from_secs(2));
        assert_eq!(backoff.delay(40, 0.5), SignedDuration::from_secs(24));
    }

    proptest! {
        #[test]
        fn a_delay_stays_within_its_jitter(failures in 0u32..=u32::MAX, unit in 0.0f64..1.0) {
            let backoff = Backoff::default();

            let middle = backoff.delay(failures, 0.5).as_secs_f64();
            let delay = backoff.delay(failures, unit).as_secs_f64();

            prop_assert!(delay <= backoff.cap.as_secs_f64() + 1e-6, "{delay} is more than the cap");
            prop_assert!(delay >= middle * 0.75 - 1e-6 && delay <= middle * 1.25 + 1e-6, "{delay} around {middle}");
        }
    }
}
