//! What came by, second by second.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Counts calls. A connection that is refused counts as one: the caller had no way to make more of it.
#[derive(Debug)]
pub(crate) struct Meter {
    start: Instant,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// For every second, the calls of all and those of helm.
    seconds: Vec<(u64, u64)>,
    by_caller: BTreeMap<&'static str, u64>,
    by_fault: BTreeMap<&'static str, u64>,
}

impl Default for Meter {
    fn default() -> Self {
        Self { start: Instant::now(), counts: Mutex::default() }
    }
}

impl Meter {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn second(&self, at: Instant) -> usize {
        usize::try_from(at.saturating_duration_since(self.start).as_secs()).unwrap_or(usize::MAX)
    }

    pub(super) fn call(&self, user_agent: &str) {
        let caller = if user_agent.to_ascii_lowercase().contains("helm") { "helm" } else { "replicas" };
        let second = self.second(Instant::now());
        let mut counts = self.counts();
        if counts.seconds.len() <= second {
            counts.seconds.resize(second + 1, (0, 0));
        }
        counts.seconds[second].0 += 1;
        counts.seconds[second].1 += u64::from(caller == "helm");
        *counts.by_caller.entry(caller).or_default() += 1;
    }

    pub(super) fn fault(&self, name: &'static str) {
        *self.counts().by_fault.entry(name).or_default() += 1;
    }

    /// Calls per second over the whole seconds between two moments: of all, and of helm.
    pub(in crate::chaos) fn rate(&self, from: Instant, to: Instant) -> (f64, f64) {
        let (first, end) = (self.second(from) + 1, self.second(to));
        let counts = self.counts();
        let (mut all, mut helm) = (0, 0);
        for (of_all, of_helm) in counts.seconds.iter().take(end).skip(first) {
            all += of_all;
            helm += of_helm;
        }
        let seconds = Duration::from_secs(end.saturating_sub(first).max(1) as u64).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "counts of one run are far below what an f64 holds exactly")]
        let rate = |count: u64| count as f64 / seconds;
        (rate(all), rate(helm))
    }

    /// How many calls each caller made.
    pub(crate) fn by_caller(&self) -> BTreeMap<&'static str, u64> {
        self.counts().by_caller.clone()
    }

    /// How many calls met each fault.
    pub(crate) fn by_fault(&self) -> BTreeMap<&'static str, u64> {
        self.counts().by_fault.clone()
    }
}
