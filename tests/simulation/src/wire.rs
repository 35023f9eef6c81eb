//! The way of a call from a process to the outside: time passes, faults happen, the process may die or be stopped on it.
//!
//! A change that was sent is out of its sender's hands: it takes effect although the sender is dropped, killed or stopped meanwhile. That
//! is how zombies and unknown commits come about (RELIABILITY F2, F3, F15).

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::fault::{Failing, Fault};
use crate::gate::Gate;
use crate::plan::{Caller, Passage, Site};
use crate::trace::Who;
use crate::world::World;

/// One process's end of all wires.
#[derive(Clone)]
pub struct Wire {
    /// The world that the process is in.
    pub world: Arc<World>,
    /// Which process.
    pub replica: usize,
    /// Which of its lives: a restarted process has another.
    pub life: u64,
    /// Its gate.
    pub gate: Arc<Gate>,
    /// Whether it is a worker's: those calls are counted.
    pub worker: bool,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").field("replica", &self.replica).finish_non_exhaustive()
    }
}

impl Wire {
    /// Writes down what became of a call.
    pub fn trace(&self, call: &str, subject: &str, result: &str) {
        self.world.sim.trace(Who::Replica(self.replica), call, subject, result);
    }

    /// Passes the gate and asks the plan.
    pub async fn enter(&self, site: Site, subject: &str) -> Passage {
        self.gate.pass().await;
        self.world.passage(site, Caller { replica: self.replica, worker: self.worker, subject })
    }

    /// The process dies here and now.
    pub async fn die<T>(&self) -> T {
        self.world.kill(self.replica, self.life);
        std::future::pending().await
    }

    /// Waits for the caller's own deadline.
    pub async fn lose<E: Failing>(&self) -> E {
        self.world.sim.sleep(E::patience()).await;
        self.gate.pass().await;
        E::gave_up()
    }

    /// Notes an error that uses up an attempt of the store.
    pub fn count(&self, subject: &str) {
        if let Ok(store_id) = subject.parse() {
            self.world.watch().refused(&store_id);
        }
    }

    /// Makes a call that changes something.
    ///
    /// # Errors
    /// The effect's own, or the fault's.
    pub async fn write<T, E>(
        &self,
        site: Site,
        subject: &str,
        effect: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: Failing + std::fmt::Debug,
    {
        let passage = self.enter(site, subject).await;
        self.send(passage, site, subject, effect).await
    }

    /// The same, for a call whose passage is known.
    ///
    /// # Errors
    /// The effect's own, or the fault's.
    pub async fn send<T, E>(
        &self,
        passage: Passage,
        site: Site,
        subject: &str,
        effect: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: Failing + std::fmt::Debug,
    {
        let Some(fault) = passage.fault else {
            let reply = self.post(passage.before, site, subject, effect);
            let result = reply.await;
            return self.answered(passage.after, result).await;
        };
        self.trace(site.call, subject, fault.name());
        let counts = match fault {
            Fault::Before(trouble) | Fault::After(trouble) => trouble.counts(),
            Fault::Hang | Fault::Late(_) | Fault::Stale => E::GIVING_UP_COUNTS,
            _ => false,
        };
        if counts {
            self.count(subject);
        }
        match fault {
            Fault::Before(trouble) => self.answered(passage.before, Ok(())).await.and_then(|()| Err(E::of(trouble))),
            Fault::After(trouble) => {
                let result = self.post(passage.before, site, subject, effect).await;
                self.answered(passage.after, result).await.and(Err(E::of(trouble)))
            }
            Fault::Hang | Fault::Stale => Err(self.lose().await),
            Fault::Late(delay) => {
                drop(self.post(delay, site, subject, effect));
                Err(self.lose().await)
            }
            // What has no middle is done or not.
            Fault::CrashBefore | Fault::Half | Fault::HalfCrash => self.die().await,
            Fault::CrashAfter => {
                let result = self.post(passage.before, site, subject, effect).await;
                drop(result);
                self.die().await
            }
            Fault::Orphan(delay) => {
                drop(self.post(delay, site, subject, effect));
                self.die().await
            }
            Fault::Stop(duration) => {
                let reply = self.post(passage.before, site, subject, effect);
                self.world.stop(self.replica, self.life, duration);
                let result = reply.await;
                self.answered(passage.after, result).await
            }
        }
    }

    /// Sends it off. The effect does not need us any more.
    fn post<T, E, F>(
        &self,
        delay: u64,
        site: Site,
        subject: &str,
        effect: F,
    ) -> impl Future<Output = Result<T, E>> + Send + use<T, E, F>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: Failing + std::fmt::Debug,
    {
        let (answer, reply) = oneshot::channel();
        let (wire, subject) = (self.clone(), subject.to_owned());
        self.world.sent();
        tokio::spawn(async move {
            if delay > 0 {
                wire.world.sim.sleep(delay).await;
            }
            let result = effect.await;
            match &result {
                Ok(_) => wire.trace(site.call, &subject, "ok"),
                Err(error) => wire.trace(site.call, &subject, &crate::wire::short(error)),
            }
            wire.world.arrived();
            wire.world.after_effect(site);
            // A caller that is gone does not hear of it.
            let _ = answer.send(result);
        });
        async move {
            match reply.await {
                Ok(result) => result,
                // Only the end of the run drops an effect.
                Err(_) => std::future::pending().await,
            }
        }
    }

    async fn answered<T, E>(&self, delay: u64, result: Result<T, E>) -> Result<T, E> {
        if delay > 0 {
            self.world.sim.sleep(delay).await;
        }
        self.gate.pass().await;
        result
    }

    /// Makes a call that only asks. `stale` is what it would have heard a while ago, when there is such an answer.
    ///
    /// # Errors
    /// The question's own, or the fault's.
    pub async fn read<T, E>(
        &self,
        site: Site,
        subject: &str,
        question: impl Future<Output = Result<T, E>> + Send,
        stale: impl FnOnce() -> Option<T> + Send,
    ) -> Result<T, E>
    where
        T: Send,
        E: Failing + std::fmt::Debug,
    {
        let passage = self.enter(site, subject).await;
        if let Some(fault) = passage.fault {
            self.trace(site.call, subject, fault.name());
        }
        let result = match passage.fault {
            Some(Fault::Before(trouble) | Fault::After(trouble)) => {
                if trouble.counts() {
                    self.count(subject);
                }
                self.world.sim.sleep(passage.before).await;
                Err(E::of(trouble))
            }
            Some(Fault::Hang | Fault::Late(_)) => return Err(self.lose().await),
            Some(Fault::CrashBefore | Fault::CrashAfter | Fault::Orphan(_) | Fault::Half | Fault::HalfCrash) => {
                return self.die().await;
            }
            Some(Fault::Stale) if let Some(answer) = stale() => Ok(answer),
            Some(Fault::Stop(duration)) => {
                self.world.stop(self.replica, self.life, duration);
                question.await
            }
            Some(Fault::Stale) | None => {
                if passage.before > 0 {
                    self.world.sim.sleep(passage.before).await;
                }
                question.await
            }
        };
        match &result {
            Ok(_) => self.trace(site.call, subject, "ok"),
            Err(error) => self.trace(site.call, subject, &short(error)),
        }
        self.answered(passage.after, result).await
    }
}

/// An error in a few characters.
pub fn short(error: &impl std::fmt::Debug) -> String {
    let mut text = format!("{error:?}");
    if let Some((end, _)) = text.char_indices().nth(60) {
        text.truncate(end);
    }
    text
}
