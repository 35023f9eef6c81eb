//! A world for one scene: processes, one organisation, and the words in which scenes are told.

use std::sync::Arc;

use futures::future::{Either, select};
use shopwright_domain::engine::RotationTarget;
use shopwright_domain::operation::{Operation, OperationKind};
use shopwright_domain::store::{Failure, Store, StoreState};
use shopwright_domain::{ErrorCode, OperationId, StoreId};
use shopwright_ports::cluster::Rollout;
use shopwright_ports::stores_api::{StoreService, StoreServiceError};
use shopwright_ports::testing::Snapshot;

use crate::client::{Client, Manner, Merchant};
use crate::history::{Answer, Request};
use crate::plan::Chances;
use crate::replica::{Replica, Settings};
use crate::run::{Outcome, finish, rest, simulate};
use crate::tally::Tally;
use crate::time::{MILLI, SECOND, Sim};
use crate::world::World;

/// How long a scene waits for something at most.
const PATIENCE: u64 = 3 * 3600 * SECOND;

/// The scene's world and one person in it.
#[derive(Debug, Clone)]
pub struct Stage {
    /// The world.
    pub world: Arc<World>,
    /// The organisation.
    pub merchant: Arc<Merchant>,
    /// The person.
    pub client: Client,
}

/// Plays a scene in a world without chance.
pub fn play<F: Future<Output = Result<(), String>>>(settings: Settings, scene: impl FnOnce(Stage) -> F) -> Outcome {
    simulate(1, true, |sim| async move {
        let stage = Stage::new(sim, settings, 2 * MILLI).await?;
        stage.start();
        scene(stage.clone()).await?;
        stage.violation()?;
        Ok(stage.world.tally().clone())
    })
}

impl Stage {
    /// A stage on which no process has been started.
    ///
    /// # Errors
    /// What the fake database says.
    pub async fn new(sim: Arc<Sim>, settings: Settings, latency: u64) -> Result<Self, String> {
        let world = World::new(sim, Chances::calm(latency), settings).await.map_err(|error| error.to_string())?;
        world.cluster.set_termination_calls(1);
        let merchant = Merchant::new(&world, 0).await.map_err(|error| error.to_string())?;
        let manner = Manner { hangs_up: 0, thinks: MILLI, names: 1 };
        let client = Client { world: Arc::clone(&world), merchant: Arc::clone(&merchant), number: 0, manner };
        Ok(Self { world, merchant, client })
    }

    /// Starts all processes.
    pub fn start(&self) {
        for index in 0..self.world.settings.replicas {
            Replica::start(&self.world, index);
        }
    }

    /// Lets simulated seconds pass.
    pub async fn seconds(&self, seconds: u64) {
        self.world.sim.sleep(seconds * SECOND).await;
    }

    /// Everything that is committed.
    pub fn rows(&self) -> Snapshot {
        self.world.watch().rows().clone()
    }

    /// One store.
    ///
    /// # Errors
    /// When there is none.
    pub fn store(&self, id: &StoreId) -> Result<Store, String> {
        self.world.watch().rows().store(id).cloned().ok_or_else(|| format!("there is no {id}"))
    }

    /// A store's newest operation.
    ///
    /// # Errors
    /// When there is none.
    pub fn operation(&self, id: &StoreId) -> Result<Operation, String> {
        let watch = self.world.watch();
        let last = watch.rows().operations.iter().rfind(|operation| operation.store_id == *id);
        last.cloned().ok_or_else(|| format!("{id} has no operation"))
    }

    /// Asks until there is an answer: the process that was asked may die of what hits its worker.
    ///
    /// # Errors
    /// When the request is refused.
    pub async fn insist(&self, name: &str, request: Request) -> Result<(StoreId, OperationId), String> {
        for _ in 0..40 {
            match self.client.ask(name, request.clone()).await {
                Some(Answer::Accepted { store, operation: Some((operation, _)), .. }) => return Ok((store, operation)),
                Some(other) => return Err(format!("not accepted: {other:?}")),
                None => self.world.sim.sleep(SECOND / 2).await,
            }
        }
        Err("nobody answers".to_owned())
    }

    /// Asks for a change of a store that is ready, of whichever process answers.
    ///
    /// # Errors
    /// When it is refused.
    async fn change(&self, id: &StoreId, kind: OperationKind) -> Result<(StoreId, OperationId), String> {
        for turn in 0..40 {
            let processes: Vec<_> = self.world.replicas().iter().flatten().map(|it| Arc::clone(&it.stores)).collect();
            let context = &self.merchant.context;
            let answer = match processes.get(turn % processes.len().max(1)) {
                None => None,
                Some(stores) => {
                    let asked = Box::pin(async {
                        match kind {
                            OperationKind::Rotate => {
                                stores.rotate_credentials(context, id, RotationTarget::ALL.to_vec()).await
                            }
                            _ => stores.upgrade(context, id).await,
                        }
                    });
                    // A process that dies does not answer.
                    match select(asked, Box::pin(self.world.sim.sleep(30 * SECOND))).await {
                        Either::Left((answer, _)) => Some(answer),
                        Either::Right(_) => None,
                    }
                }
            };
            match answer {
                Some(Ok(accepted)) => {
                    let operation = accepted.operation.ok_or("nothing was queued")?;
                    return Ok((accepted.store.id, operation.id));
                }
                // An answer was lost on the way: it is what was asked for.
                Some(Err(StoreServiceError::Busy { operation_id, .. })) => return Ok((id.clone(), operation_id)),
                Some(Err(StoreServiceError::Storage(_) | StoreServiceError::Conflict)) | None => {
                    self.world.sim.sleep(SECOND / 2).await;
                }
                Some(Err(error)) => return Err(format!("{kind} is refused: {error}")),
            }
        }
        Err("nobody answers".to_owned())
    }

    /// A store is asked for.
    ///
    /// # Errors
    /// When that is refused.
    pub async fn create(&self, name: &str) -> Result<(StoreId, OperationId), String> {
        self.insist(name, Request::Create { key: Some(format!("key of {name}")) }).await
    }

    /// A store is asked for and becomes ready.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ready(&self, name: &str) -> Result<StoreId, String> {
        let (id, _) = self.create(name).await?;
        self.becomes(&id, StoreState::Ready).await?;
        Ok(id)
    }

    /// A store is asked for whose pods do not come up.
    ///
    /// # Errors
    /// When that is refused.
    pub async fn half_made(&self, name: &str) -> Result<(StoreId, OperationId), String> {
        let (id, operation) = self.create(name).await?;
        let pending = Failure::new(ErrorCode::RolloutTimeout, "the pods are not ready yet (simulated)");
        self.world.cluster.set_rollout(&id, Rollout::Pending(pending));
        self.seconds(3).await;
        Ok((id, operation))
    }

    /// Begins the saga of this kind on a store and says which it is.
    ///
    /// # Errors
    /// When a request is refused.
    pub async fn begin(&self, kind: OperationKind, prepared: impl FnOnce(&StoreId)) -> Result<StoreId, String> {
        let (id, _) = match kind {
            OperationKind::Provision => {
                // The store's id is not known before it is asked for.
                let made = self.create("shop").await?;
                prepared(&made.0);
                made
            }
            OperationKind::Delete => {
                let id = self.ready("shop").await?;
                prepared(&id);
                self.insist("shop", Request::Delete(id)).await?
            }
            OperationKind::Unwind => {
                let (id, operation) = self.half_made("shop").await?;
                prepared(&id);
                let begun = self.insist("shop", Request::Cancel(id.clone(), operation)).await?;
                self.world.cluster.clear_rollout(&id);
                begun
            }
            OperationKind::Rotate | OperationKind::Upgrade => {
                let id = self.ready("shop").await?;
                self.world.releases.replace_charts();
                prepared(&id);
                self.change(&id, kind).await?
            }
            OperationKind::Revert => {
                let id = self.ready("shop").await?;
                self.world.releases.replace_charts();
                let crash = Failure::new(ErrorCode::CrashLoop, "the pods do not start (simulated)");
                self.world.cluster.set_rollout(&id, Rollout::Failed(crash));
                let (id, upgrade) = self.change(&id, OperationKind::Upgrade).await?;
                let failed = |rows: &Snapshot| rows.operation(upgrade).is_some_and(|it| it.status.is_finished());
                // The way back begins by itself and at once: whoever wants to be in time looks often.
                self.until_within(MILLI / 10, "the upgrade has failed", failed).await?;
                prepared(&id);
                self.world.cluster.clear_rollout(&id);
                (id, upgrade)
            }
        };
        Ok(id)
    }

    /// Waits until `wanted` holds of the rows.
    ///
    /// # Errors
    /// When it does not, or something was broken meanwhile.
    pub async fn until(&self, what: &str, wanted: impl Fn(&Snapshot) -> bool) -> Result<(), String> {
        self.until_within(SECOND / 10, what, wanted).await
    }

    /// The same, looked at every so often.
    async fn until_within(&self, pause: u64, what: &str, wanted: impl Fn(&Snapshot) -> bool) -> Result<(), String> {
        let limit = self.world.sim.now() + PATIENCE;
        while !wanted(self.world.watch().rows()) {
            self.violation()?;
            if self.world.sim.now() > limit {
                return Err(format!("waited in vain: {what}"));
            }
            self.world.sim.sleep(pause).await;
        }
        Ok(())
    }

    /// Waits until the store is in this state.
    ///
    /// # Errors
    /// When it does not come to that.
    pub async fn becomes(&self, id: &StoreId, state: StoreState) -> Result<(), String> {
        let is = |rows: &Snapshot| rows.store(id).is_some_and(|store| store.state == state);
        self.until(&format!("{id} becomes {state}"), is).await
    }

    /// Waits for the store's newest operation to end.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ends(&self, id: &StoreId) -> Result<Operation, String> {
        let is = |rows: &Snapshot| {
            rows.operations.iter().rfind(|it| it.store_id == *id).is_some_and(|it| it.status.is_finished())
        };
        self.until(&format!("the operation of {id} ends"), is).await?;
        self.operation(id)
    }

    /// Waits for rest, and checks everything that must hold then.
    ///
    /// # Errors
    /// What does not hold.
    pub async fn curtain(&self, tail: u64) -> Result<Tally, String> {
        rest(&self.world, tail).await?;
        finish(&self.world, std::slice::from_ref(&self.merchant), tail).await
    }

    /// What was broken so far.
    ///
    /// # Errors
    /// That.
    pub fn violation(&self) -> Result<(), String> {
        self.world.watch().violation().map_or(Ok(()), Err)
    }

    /// `kill -9` of a process.
    pub fn kill(&self, index: usize) {
        let life = self.world.replicas().get(index).and_then(|slot| slot.as_ref().map(|replica| replica.life));
        if let Some(life) = life {
            self.world.kill(index, life);
        }
    }

    /// SIGSTOP of a process for so many seconds.
    pub fn stop(&self, index: usize, seconds: u64) {
        let life = self.world.replicas().get(index).and_then(|slot| slot.as_ref().map(|replica| replica.life));
        if let Some(life) = life {
            self.world.stop(index, life, seconds * SECOND);
        }
    }

    /// SIGTERM of a process.
    pub fn terminate(&self, index: usize) {
        if let Some(Some(replica)) = self.world.replicas().get(index) {
            replica.stop.cancel();
        }
    }
}

/// Says what a scene was to show, with the way there, when it does not.
///
/// # Errors
/// When `holds` is false.
pub fn expect(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}
