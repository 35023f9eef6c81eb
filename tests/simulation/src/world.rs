//! The world of one run: the shared fakes, the processes in it, and what is watched about them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use std::collections::BTreeSet;
use std::time::Duration;

use futures::FutureExt as _;
use shopwright_domain::{ClusterName, StoreId};
use shopwright_ports::cluster::{Cluster, ClusterError, Removal};
use shopwright_ports::storage::{Reach, RegisteredCluster, Storage, StorageError, Transaction};
use shopwright_ports::testing::{FakeCluster, FakeReleases, FakeStorage, FakeStorefront};

use crate::clocks::TrueClock;
use crate::plan::{Caller, Chances, Passage, Place, Plan, Site};
use crate::platform::Nature;
use crate::replica::{Replica, Settings};
use crate::storage::{SERVER_PATIENCE, Slot};
use crate::tally::Tally;
use crate::time::{SECOND, Sim};
use crate::trace::Who;
use crate::watch::Watch;
use crate::wire::Wire;

/// A transaction that may be open.
type OpenSlot = Weak<Mutex<Option<Box<dyn Transaction>>>>;

/// Everything that processes share, and everything outside them.
pub struct World {
    /// Time, order and chance.
    pub sim: Arc<Sim>,
    /// The database.
    pub storage: FakeStorage,
    /// The cluster.
    pub cluster: Arc<FakeCluster>,
    /// Helm.
    pub releases: Arc<FakeReleases>,
    /// The ingress.
    pub storefront: Arc<FakeStorefront>,
    /// What happens on the platform by itself.
    pub nature: Nature,
    /// How the product is set up.
    pub settings: Settings,
    plan: Mutex<Plan>,
    watch: Mutex<Watch>,
    tally: Mutex<Tally>,
    replicas: Mutex<Vec<Option<Replica>>>,
    in_flight: AtomicUsize,
    /// Stores whose namespace something keeps from going away.
    holds: Mutex<BTreeSet<StoreId>>,
    poisoned: Mutex<BTreeSet<StoreId>>,
    open: Mutex<Vec<(usize, u64, OpenSlot)>>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("sim", &self.sim).finish_non_exhaustive()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// An empty world.
    ///
    /// # Errors
    /// What the fake database says about its first row.
    pub async fn new(sim: Arc<Sim>, chances: Chances, settings: Settings) -> Result<Arc<Self>, StorageError> {
        let storage = FakeStorage::new(Arc::new(TrueClock(Arc::clone(&sim))));
        let mut tx = storage.begin(Reach::Platform).await?;
        let cluster = RegisteredCluster { name: ClusterName::default_cluster(), permits: settings.permits };
        tx.clusters().upsert(&cluster).await?;
        tx.commit().await?;
        let cluster = Arc::new(FakeCluster::new());
        let releases = Arc::new(FakeReleases::on(Arc::clone(&cluster)));
        let watch = Watch::new(settings.quota);
        Ok(Arc::new(Self {
            sim,
            storage,
            cluster,
            releases,
            storefront: Arc::default(),
            nature: Nature::default(),
            settings,
            plan: Mutex::new(Plan::new(chances)),
            watch: Mutex::new(watch),
            tally: Mutex::default(),
            replicas: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            holds: Mutex::default(),
            poisoned: Mutex::default(),
            open: Mutex::default(),
        }))
    }

    /// What is watched.
    pub fn watch(&self) -> MutexGuard<'_, Watch> {
        locked(&self.watch)
    }

    /// What is counted.
    pub fn tally(&self) -> MutexGuard<'_, Tally> {
        locked(&self.tally)
    }

    /// What goes wrong.
    pub fn plan(&self) -> MutexGuard<'_, Plan> {
        locked(&self.plan)
    }

    /// The processes.
    pub fn replicas(&self) -> MutexGuard<'_, Vec<Option<Replica>>> {
        locked(&self.replicas)
    }

    /// How the next call goes.
    pub fn passage(&self, site: Site, caller: Caller<'_>) -> Passage {
        let now = self.sim.now();
        let mut plan = self.plan();
        let passage = self.sim.random(|rng| plan.next(rng, now, site, caller));
        drop(plan);
        let mut tally = self.tally();
        tally.called(site, now);
        if let Some(fault) = passage.fault {
            tally.met(fault);
        }
        passage
    }

    /// How long a store's pods take.
    pub fn pods_take(&self) -> u64 {
        self.sim.random(|rng| rng.between(SECOND / 10, self.settings.pods_take))
    }

    /// A namespace that was asked to go does so by and by, as its objects do: looking at it is how the fake lets time pass.
    pub fn terminate(self: &Arc<Self>, store_id: &StoreId) {
        let (world, store_id) = (Arc::clone(self), store_id.clone());
        tokio::spawn(async move {
            while world.cluster.epoch(&store_id).is_some() {
                world.sim.sleep(world.sim.random(|rng| rng.below(SECOND))).await;
                if !matches!(world.cluster.await_gone(&store_id, Duration::ZERO).await, Ok(Removal::Gone { .. })) {
                    continue;
                }
                world.look_at_cluster();
                world.report();
            }
        });
    }

    /// How the removal of a namespace is doing; nothing passes by looking.
    ///
    /// # Errors
    /// What the cluster says.
    pub async fn look_at_removal(&self, store_id: &StoreId) -> Result<Removal, ClusterError> {
        if self.cluster.epoch(store_id).is_none() || locked(&self.holds).contains(store_id) {
            return self.cluster.await_gone(store_id, Duration::ZERO).await;
        }
        Ok(Removal::InProgress)
    }

    /// Something holds the store's namespace for a while (a finalizer).
    pub fn hold(self: &Arc<Self>, store_id: &StoreId, duration: u64) {
        self.cluster.block_removal(store_id, Some("configmap/x has finalizer example.com/hold"));
        locked(&self.holds).insert(store_id.clone());
        self.later(duration, {
            let (world, store_id) = (Arc::clone(self), store_id.clone());
            move || {
                world.cluster.block_removal(&store_id, None);
                locked(&world.holds).remove(&store_id);
            }
        });
    }

    /// Does something after `duration`; nothing has come to rest before.
    pub fn later(self: &Arc<Self>, duration: u64, what: impl FnOnce() + Send + 'static) {
        let world = Arc::clone(self);
        self.sent();
        tokio::spawn(async move {
            world.sim.sleep(duration).await;
            what();
            world.arrived();
        });
    }

    /// From now on whoever writes this store's credentials falls over, or does not any more.
    pub fn poison(&self, store_id: &StoreId, poisoned: bool) {
        let mut stores = locked(&self.poisoned);
        if poisoned {
            stores.insert(store_id.clone());
        } else {
            stores.remove(store_id);
        }
    }

    /// Whether it does.
    pub fn is_poisoned(&self, store_id: &StoreId) -> bool {
        locked(&self.poisoned).contains(store_id)
    }

    /// How many changes are on their way.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// A change was sent off.
    pub fn sent(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// A change has arrived.
    pub fn arrived(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// A transaction was opened.
    pub fn opened(&self, wire: &Wire, slot: &Slot) {
        let mut open = locked(&self.open);
        if open.len() >= 16 {
            open.retain(|(_, _, slot)| slot.strong_count() > 0);
        }
        open.push((wire.replica, wire.life, Arc::downgrade(slot)));
    }

    /// `kill -9` of a process, if it still lives this life.
    pub fn kill(self: &Arc<Self>, index: usize, life: u64) {
        let mut replicas = self.replicas();
        let Some(slot) = replicas.get_mut(index) else { return };
        if slot.as_ref().is_none_or(|replica| replica.life != life) {
            return;
        }
        let Some(replica) = slot.take() else { return };
        drop(replicas);
        self.sim.trace(Who::Replica(index), "killed", "", "");
        self.tally().deaths += 1;
        replica.gate.die();
        let rows = self.storage.snapshot().now_or_never();
        self.watch().died(self.sim.now(), replica.worker.id(), rows.as_ref());
        drop(replica);
        if self.settings.restarts {
            let world = Arc::clone(self);
            tokio::spawn(async move {
                world.sim.sleep(world.sim.random(|rng| rng.between(SECOND / 2, 8 * SECOND))).await;
                Replica::start(&world, index);
            });
        }
    }

    /// A process has ended as it was asked to; another takes its place.
    pub fn ended(self: &Arc<Self>, index: usize, life: u64) {
        let mut replicas = self.replicas();
        let Some(slot) = replicas.get_mut(index).filter(|slot| slot.as_ref().is_some_and(|it| it.life == life)) else {
            return;
        };
        let replica = slot.take();
        drop(replicas);
        if let Some(replica) = replica {
            replica.gate.die();
        }
        if self.settings.restarts {
            Replica::start(self, index);
        }
    }

    /// SIGSTOP of a process, if it still lives this life, and SIGCONT after `duration`.
    pub fn stop(self: &Arc<Self>, index: usize, life: u64, duration: u64) {
        let gate = match self.replicas().get(index) {
            Some(Some(replica)) if replica.life == life => Arc::clone(&replica.gate),
            _ => return,
        };
        self.sim.trace(Who::Replica(index), "stopped", "", "");
        self.tally().stops += 1;
        gate.stop();
        let world = Arc::clone(self);
        tokio::spawn(async move {
            world.sim.sleep(duration.min(SERVER_PATIENCE)).await;
            if duration > SERVER_PATIENCE {
                // The server ends transactions that nobody goes on with.
                let open: Vec<Slot> = locked(&world.open)
                    .iter()
                    .filter(|(replica, of, _)| *replica == index && *of == life)
                    .filter_map(|(_, _, slot)| slot.upgrade())
                    .collect();
                for slot in open {
                    drop(locked(&slot).take());
                }
                world.sim.sleep(duration - SERVER_PATIENCE).await;
            }
            world.sim.trace(Who::Replica(index), "continued", "", "");
            gate.go_on();
        });
    }

    /// Looks at what an effect has changed.
    pub fn after_effect(&self, site: Site) {
        match site.place {
            Place::Storage if site.call == "commit" => self.look_at_rows(),
            Place::Storage | Place::Storefront => {}
            Place::Cluster | Place::Helm => self.look_at_cluster(),
        }
        self.report();
    }

    fn look_at_rows(&self) {
        // Whoever waits for the lock has not run yet.
        if let Some(rows) = self.storage.snapshot().now_or_never() {
            let namespaces = self.cluster.namespaces();
            let view = crate::watch::Platform { cluster: &self.cluster, releases: &self.releases, namespaces };
            self.watch().committed(self.sim.now(), rows, &view);
        }
    }

    /// Looks at what has become of the namespaces.
    pub fn look_at_cluster(&self) {
        let namespaces = self.cluster.namespaces();
        let gone = self.watch().looked_at(self.sim.now(), &namespaces);
        for store_id in gone {
            self.nature.forget(&store_id);
        }
    }

    /// Ends the run when something is wrong.
    pub fn report(&self) {
        if let Some(violation) = self.watch().violation() {
            self.sim.end(|| violation);
        }
    }
}
