//! The machine's clock.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_ports::clock::Clock;

/// What monotonic times are counted from.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Tells the time of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that the time comes from")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        // Only a time outside of jiff's own range could fail, and `now` is within it.
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    fn monotonic(&self) -> Duration {
        START.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_survives_a_round_trip_through_the_database() {
        assert_eq!(SystemClock.now().subsec_nanosecond() % 1_000, 0);
    }
}
