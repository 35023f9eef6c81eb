//! A clock that moves when it is told to, and randomness that repeats.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::channel::oneshot;
use jiff::{SignedDuration, Timestamp};

use crate::clock::{Clock, Entropy};

#[derive(Debug)]
struct State {
    started: Timestamp,
    now: Timestamp,
    sleepers: Vec<(Timestamp, oneshot::Sender<()>)>,
}

/// Time stands still until [`ManualClock::advance`].
#[derive(Debug)]
pub struct ManualClock {
    state: Mutex<State>,
}

impl Default for ManualClock {
    /// Starts on 1 January 2026.
    fn default() -> Self {
        Self::at(Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_767_225_600))
    }
}

impl ManualClock {
    /// Starts at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self { state: Mutex::new(State { started: now, now, sleepers: Vec::new() }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves time on and wakes everybody whose time has come.
    pub fn advance(&self, duration: SignedDuration) {
        let mut state = self.state();
        state.now += duration;
        let now = state.now;
        let (due, rest) = std::mem::take(&mut state.sleepers).into_iter().partition(|(until, _)| *until <= now);
        state.sleepers = rest;
        for (_, wake) in due {
            // A sleeper that was dropped meanwhile has no use for it.
            let _ = wake.send(());
        }
    }

    /// Moves time to the next sleeper's end, if anybody sleeps. Returns whether somebody did.
    pub fn advance_to_next_sleeper(&self) -> bool {
        let (now, next) = {
            let mut state = self.state();
            state.sleepers.retain(|(_, wake)| !wake.is_canceled());
            (state.now, state.sleepers.iter().map(|(until, _)| *until).min())
        };
        next.map(|until| self.advance(until.duration_since(now))).is_some()
    }

    /// How many sleep.
    pub fn sleepers(&self) -> usize {
        self.state().sleepers.iter().filter(|(_, wake)| !wake.is_canceled()).count()
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.state().now
    }

    fn monotonic(&self) -> Duration {
        let state = self.state();
        Duration::try_from(state.now.duration_since(state.started)).unwrap_or_default()
    }

    async fn sleep(&self, duration: Duration) {
        let woken = {
            let mut state = self.state();
            let until = state.now + SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
            if until <= state.now {
                return;
            }
            let (wake, woken) = oneshot::channel();
            state.sleepers.push((until, wake));
            woken
        };
        // The clock itself going away means that nobody moves time any more.
        if woken.await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The same numbers for the same seed, in the order of the calls.
#[derive(Debug)]
pub struct SeededEntropy(AtomicU64);

impl SeededEntropy {
    /// Starts at `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            // SplitMix64: any seed gives a good sequence.
            let mut word =
                self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed).wrapping_add(0x9e37_79b9_7f4a_7c15);
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word ^= word >> 31;
            chunk.copy_from_slice(&word.to_be_bytes()[..chunk.len()]);
        }
    }
}
