//! One process of the product: its use cases and its worker, over wires of its own.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use shopwright_app::saga::{ClusterGuard, Executor};
use shopwright_app::stores::{PublicUrls, Sizes, StoreRules, Stores};
use shopwright_app::sweeper::{Sweeper, SweeperSettings};
use shopwright_app::worker::{Worker, WorkerSettings};
use shopwright_domain::ClusterName;
use shopwright_domain::breaker::BreakerPolicy;
use shopwright_domain::limits::{Cooldown, StoreQuota};
use shopwright_domain::plans::{Plan, Plans};
use shopwright_domain::saga::Policy;
use shopwright_ports::telemetry::Telemetry;
use shopwright_ports::testing::{FakeSealer, engines};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::clocks::ProcessClock;
use crate::gate::Gate;
use crate::platform::SimPlatform;
use crate::rng::Rng;
use crate::storage::SimStorage;
use crate::time::SECOND;
use crate::trace::Who;
use crate::wire::Wire;
use crate::world::World;

/// How the product is set up in a run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many processes there are.
    pub replicas: usize,
    /// Stores per organisation.
    pub quota: u32,
    /// Pause between two creations of one organisation.
    pub cooldown: SignedDuration,
    /// Operations at once on the cluster.
    pub permits: u32,
    /// Operations at once in one process.
    pub max_running: usize,
    /// Whether use cases tell the worker of their process (RELIABILITY F23: nothing may depend on it).
    pub hints: bool,
    /// Whether a process that died is started again.
    pub restarts: bool,
    /// How patient operations are.
    pub policy: Policy,
    /// The longest that pods take to become ready, in microseconds.
    pub pods_take: u64,
    /// How often a process looks for work.
    pub poll: Duration,
    /// How often a store may be retried.
    pub max_retries: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            replicas: 3,
            quota: 3,
            cooldown: SignedDuration::ZERO,
            permits: 32,
            max_running: 8,
            hints: true,
            restarts: true,
            policy: Policy::default(),
            pods_take: 15 * SECOND,
            poll: Duration::from_secs(1),
            max_retries: 1000,
        }
    }
}

/// How long a lease lasts, in microseconds.
pub const LEASE: u64 = 10 * SECOND;

/// A running process.
#[derive(Debug)]
pub struct Replica {
    /// Which life of this place it is.
    pub life: u64,
    /// Whether it runs.
    pub gate: Arc<Gate>,
    /// Its view of the time.
    pub clock: Arc<ProcessClock>,
    /// What it does for clients.
    pub stores: Arc<Stores>,
    /// What it does of what was asked for.
    pub worker: Arc<Worker>,
    /// Asks it to end.
    pub stop: CancellationToken,
    /// Dropping it is the process's death.
    _running: AbortOnDropHandle<()>,
}

impl Replica {
    /// Starts a process at this place, under the name of the one that was there before (RELIABILITY F8).
    pub fn start(world: &Arc<World>, index: usize) {
        let life = world.sim.random(Rng::bits);
        let gate = Arc::new(Gate::default());
        let clock = Arc::new(ProcessClock::new(Arc::clone(&world.sim), Arc::clone(&gate)));
        let entropy = Arc::new(crate::rng::SimEntropy::new(world.sim.random(Rng::fork)));
        let wire = |worker| Wire { world: Arc::clone(world), replica: index, life, gate: Arc::clone(&gate), worker };
        let storage = |worker| Arc::new(SimStorage { wire: wire(worker), inner: world.storage.clone() });
        let platform = Arc::new(SimPlatform { wire: wire(true) });
        let work = Arc::new(Notify::new());
        let settings = &world.settings;

        let guard = Arc::new(ClusterGuard::new(platform.clone(), clock.clone(), BreakerPolicy::default()));
        let sweeper = Sweeper::new(
            storage(true),
            Arc::clone(&guard),
            ClusterName::default_cluster(),
            clock.clone(),
            entropy.clone(),
            SweeperSettings { pause: Duration::from_micros(LEASE), patience: Duration::from_micros(2 * LEASE) },
        );
        let executor = Arc::new(Executor {
            storage: storage(true),
            cluster: guard,
            releases: platform.clone(),
            storefront: platform.clone(),
            sealer: Arc::new(FakeSealer::default()),
            clock: clock.clone(),
            entropy: entropy.clone(),
            policy: settings.policy.clone(),
            urls: PublicUrls { scheme: "http".to_owned(), port: Some(8080) },
            telemetry: Telemetry::default(),
            engines: Arc::new(engines::catalogue()),
            plans: Plans::default(),
        });
        let stores = Arc::new(Stores {
            storage: storage(false),
            releases: platform,
            sealer: Arc::new(FakeSealer::default()),
            clock: clock.clone(),
            entropy: entropy.clone(),
            engines: Arc::new(engines::catalogue()),
            rules: StoreRules {
                plans: Plan {
                    stores: StoreQuota(settings.quota),
                    cooldown: Cooldown(settings.cooldown),
                    retries: settings.max_retries,
                    ..Plan::default()
                }
                .into(),
                ..StoreRules::default()
            },
            sizes: Sizes::default(),
            work: if settings.hints { Arc::clone(&work) } else { Arc::new(Notify::new()) },
        });
        let worker_settings = WorkerSettings {
            lease: Duration::from_micros(LEASE),
            max_running: settings.max_running,
            poll: settings.poll,
            ..WorkerSettings::default()
        };
        let worker = Arc::new(Worker::new(executor, entropy.as_ref(), work, worker_settings));
        let stop = CancellationToken::new();
        let running = {
            let (world, gate, worker, stop) = (Arc::clone(world), Arc::clone(&gate), Arc::clone(&worker), stop.clone());
            tokio::spawn(async move {
                gate.pass().await;
                futures::join!(worker.run(stop.clone()), sweeper.run(stop));
                world.sim.trace(Who::Replica(index), "ended", "", "");
                world.ended(index, life);
            })
        };
        world.sim.trace(Who::Replica(index), "started", "", "");
        let replica = Self { life, gate, clock, stores, worker, stop, _running: AbortOnDropHandle::new(running) };
        let mut replicas = world.replicas();
        if replicas.len() <= index {
            replicas.resize_with(index + 1, || None);
        }
        replicas[index] = Some(replica);
    }
}
