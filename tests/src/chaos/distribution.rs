//! Percentiles of a few durations.

use std::time::Duration;

/// The smallest of them that so many in a hundred do not exceed; zero when there are none. They must be sorted.
pub(super) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_members() {
        let sorted: Vec<Duration> = (1..=200).map(Duration::from_secs).collect();

        assert_eq!(percentile(&sorted, 50), Duration::from_secs(100));
        assert_eq!(percentile(&sorted, 99), Duration::from_secs(198));
        assert_eq!(percentile(&sorted[..1], 99), Duration::from_secs(1));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }
}
