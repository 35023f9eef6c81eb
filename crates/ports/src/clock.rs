//! Time and randomness, from outside.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

/// The time. Nothing else in the use cases or the worker asks for it.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now, cut to microseconds: what PostgreSQL can hold, so that a value survives a round trip.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment of this process. It never goes back and never jumps, whatever happens to the wall clock: what leases
    /// are measured by on our side (RELIABILITY F7).
    fn monotonic(&self) -> Duration;

    /// Returns when `duration` has passed.
    async fn sleep(&self, duration: Duration);
}

/// Randomness: for ids, jitter and secrets alike, so an implementation for production must be cryptographically strong.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);

    /// 32 random bits.
    fn u32(&self) -> u32 {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        u32::from_be_bytes(bytes)
    }

    /// 64 random bits.
    fn u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_be_bytes(bytes)
    }

    /// 128 random bits.
    fn u128(&self) -> u128 {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        u128::from_be_bytes(bytes)
    }

    /// A number in `0.0..1.0`, for jitter.
    fn unit(&self) -> f64 {
        f64::from(self.u32()) / (f64::from(u32::MAX) + 1.0)
    }
}
