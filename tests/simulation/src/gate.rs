//! What happens to a process from outside: it runs, it is stopped (SIGSTOP) and continued, it is dead (`kill -9`).
//!
//! Everything that a process does passes its gate: a stopped one gets no answer and no time until it is continued, a dead one never.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Running,
    Stopped,
    Dead,
}

#[derive(Debug)]
struct State {
    life: Life,
    waiting: Vec<Waker>,
}

/// The gate of one process.
#[derive(Debug)]
pub struct Gate {
    state: Mutex<State>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { state: Mutex::new(State { life: Life::Running, waiting: Vec::new() }) }
    }
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn become_(&self, life: Life) {
        let waiting = {
            let mut state = self.state();
            if state.life == Life::Dead {
                return;
            }
            state.life = life;
            std::mem::take(&mut state.waiting)
        };
        for waker in waiting {
            waker.wake();
        }
    }

    /// SIGSTOP.
    pub fn stop(&self) {
        self.become_(Life::Stopped);
    }

    /// SIGCONT.
    pub fn go_on(&self) {
        self.become_(Life::Running);
    }

    /// `kill -9`.
    pub fn die(&self) {
        self.become_(Life::Dead);
    }

    /// Whether the process is dead.
    pub fn is_dead(&self) -> bool {
        self.state().life == Life::Dead
    }

    /// Whether the process can act.
    pub fn is_running(&self) -> bool {
        self.state().life == Life::Running
    }

    async fn reach(&self, wanted: Life) {
        std::future::poll_fn(|context| {
            let mut state = self.state();
            if state.life == wanted {
                return Poll::Ready(());
            }
            state.waiting.retain(|waker| !waker.will_wake(context.waker()));
            state.waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Returns when the process can act; never for a dead one.
    pub async fn pass(&self) {
        self.reach(Life::Running).await;
    }

    /// Returns when the process is dead: how its clients notice.
    pub async fn death(&self) {
        self.reach(Life::Dead).await;
    }
}
