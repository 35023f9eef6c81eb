//! Simulated time: a queue of events, of which one at a time is let happen, and only when nothing else can run.
//!
//! The order of events at the same microsecond is the seed's choice. Time costs nothing: it jumps to the next event.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::rng::Rng;
use crate::trace::{Trace, Who};

/// Microseconds in a second.
pub const SECOND: u64 = 1_000_000;
/// Microseconds in a millisecond.
pub const MILLI: u64 = 1_000;

#[derive(Debug)]
struct Timer {
    generation: u64,
    fired: bool,
    waker: Option<Waker>,
}

#[derive(Debug)]
struct State {
    now: u64,
    rng: Rng,
    trace: Trace,
    queue: BinaryHeap<Reverse<(u64, u64, usize, u64)>>,
    timers: Vec<Timer>,
    free: Vec<usize>,
    generations: u64,
    events: u64,
    limit: u64,
    ended: Option<String>,
    root: Option<Waker>,
}

/// Time, order and chance of one run.
#[derive(Debug)]
pub struct Sim {
    state: Mutex<State>,
}

impl Sim {
    /// A run of `seed` that ends by force after `limit` events: past that something spins.
    pub fn new(seed: u64, limit: u64, keep_trace: bool) -> Arc<Self> {
        let state = State {
            now: 0,
            rng: Rng::new(seed),
            trace: Trace::new(keep_trace),
            queue: BinaryHeap::new(),
            timers: Vec::new(),
            free: Vec::new(),
            generations: 0,
            events: 0,
            limit,
            ended: None,
            root: None,
        };
        Arc::new(Self { state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Microseconds since the run began.
    pub fn now(&self) -> u64 {
        self.state().now
    }

    /// How many events have happened.
    pub fn events(&self) -> u64 {
        self.state().events
    }

    /// Asks the run's randomness.
    pub fn random<T>(&self, ask: impl FnOnce(&mut Rng) -> T) -> T {
        ask(&mut self.state().rng)
    }

    /// Writes down one step.
    pub fn trace(&self, who: Who, call: &str, subject: &str, result: &str) {
        let mut state = self.state();
        let now = state.now;
        state.trace.step(now, who, call, subject, result);
    }

    /// The trace so far.
    pub fn with_trace<T>(&self, look: impl FnOnce(&Trace) -> T) -> T {
        look(&self.state().trace)
    }

    /// Ends the run at once, for this reason. The first reason stays.
    pub fn end(&self, reason: impl FnOnce() -> String) {
        let waker = {
            let mut state = self.state();
            if state.ended.is_none() {
                let reason = reason();
                let now = state.now;
                state.trace.step(now, Who::World, "end", "", &reason);
                state.ended = Some(reason);
            }
            state.root.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Sleeps so many microseconds.
    pub fn sleep(self: &Arc<Self>, micros: u64) -> Sleep {
        let mut guard = self.state();
        let state = &mut *guard;
        let at = state.now.saturating_add(micros);
        state.generations += 1;
        let timer = Timer { generation: state.generations, fired: false, waker: None };
        let slot = if let Some(slot) = state.free.pop() {
            state.timers[slot] = timer;
            slot
        } else {
            state.timers.push(timer);
            state.timers.len() - 1
        };
        let tie = state.rng.bits();
        state.queue.push(Reverse((at, tie, slot, state.generations)));
        Sleep { sim: Arc::clone(self), slot }
    }

    /// Lets the next event happen. Called whenever nothing can run.
    pub fn advance(&self) {
        let waker = {
            let mut guard = self.state();
            let state = &mut *guard;
            loop {
                if state.ended.is_some() {
                    break state.root.take();
                }
                let Some(Reverse((at, _, slot, generation))) = state.queue.pop() else {
                    state.ended = Some("everybody waits for ever".to_owned());
                    continue;
                };
                let timer = &mut state.timers[slot];
                if timer.generation != generation || timer.fired {
                    continue;
                }
                state.now = at;
                state.events += 1;
                if state.events > state.limit {
                    state.ended = Some(format!("something spins: {} events", state.events));
                    continue;
                }
                timer.fired = true;
                if let Some(waker) = timer.waker.take() {
                    break Some(waker);
                }
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Runs `scenario` to its end, or until the run is ended.
    ///
    /// # Errors
    /// Why it was ended.
    pub async fn until_ended<T>(&self, scenario: impl Future<Output = T>) -> Result<T, String> {
        let mut scenario = Box::pin(scenario);
        std::future::poll_fn(|context| {
            {
                let mut state = self.state();
                if let Some(reason) = &state.ended {
                    return Poll::Ready(Err(reason.clone()));
                }
                state.root = Some(context.waker().clone());
            }
            match scenario.as_mut().poll(context) {
                Poll::Ready(value) => Poll::Ready(self.state().ended.clone().map_or(Ok(value), Err)),
                Poll::Pending => match &self.state().ended {
                    Some(reason) => Poll::Ready(Err(reason.clone())),
                    None => Poll::Pending,
                },
            }
        })
        .await
    }
}

/// A wait for simulated time.
#[derive(Debug)]
pub struct Sleep {
    sim: Arc<Sim>,
    slot: usize,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let timer = &mut self.sim.state().timers[self.slot];
        if timer.fired {
            return Poll::Ready(());
        }
        if timer.waker.as_ref().is_none_or(|waker| !waker.will_wake(context.waker())) {
            timer.waker = Some(context.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let mut state = self.sim.state();
        // No event finds this slot's generation any more.
        state.timers[self.slot].generation = 0;
        state.timers[self.slot].waker = None;
        state.free.push(self.slot);
    }
}
