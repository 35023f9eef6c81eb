//! The clocks of a run: the database's, which is right, and each process's own view, which may jump (RELIABILITY F7).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shopwright_ports::clock::Clock;

use crate::gate::Gate;
use crate::time::Sim;

/// When a run begins: 1 January 2026.
pub const START_TIME: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// The time so many microseconds after a run began, by a clock that is off by `skew`.
pub fn at(micros: u64, skew: i64) -> Timestamp {
    START_TIME + SignedDuration::from_micros(i64::try_from(micros).unwrap_or(i64::MAX).saturating_add(skew))
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// The time as the database knows it.
#[derive(Debug)]
pub struct TrueClock(pub Arc<Sim>);

#[async_trait]
impl Clock for TrueClock {
    fn now(&self) -> Timestamp {
        at(self.0.now(), 0)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(self.0.now())
    }

    async fn sleep(&self, duration: Duration) {
        self.0.sleep(micros(duration)).await;
    }
}

/// The time as one process sees it.
#[derive(Debug)]
pub struct ProcessClock {
    sim: Arc<Sim>,
    gate: Arc<Gate>,
    skew: AtomicI64,
    started: u64,
}

impl ProcessClock {
    /// The clock of a process that starts now.
    pub fn new(sim: Arc<Sim>, gate: Arc<Gate>) -> Self {
        let started = sim.now();
        Self { sim, gate, skew: AtomicI64::new(0), started }
    }

    /// From now on the wall clock is off by so many microseconds. The monotonic one never is.
    pub fn jump(&self, skew: i64) {
        self.skew.store(skew, Ordering::Relaxed);
    }
}

#[async_trait]
impl Clock for ProcessClock {
    fn now(&self) -> Timestamp {
        at(self.sim.now(), self.skew.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(self.sim.now() - self.started)
    }

    async fn sleep(&self, duration: Duration) {
        self.sim.sleep(micros(duration)).await;
        self.gate.pass().await;
    }
}
