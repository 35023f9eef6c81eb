//! The real HTTP API, use cases and worker in this process, over the fakes.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use shopwright_api_actix::{Api, Cookies, Cors, Dashboard, Limits};
use shopwright_app::administration::{Administration, OwnCluster};
use shopwright_app::audit::AuditTrail;
use shopwright_app::events::{EventSettings, Events};
use shopwright_app::gate::{Door, GateRules};
use shopwright_app::health::HealthChecks;
use shopwright_app::identity::{Identity, IdentityRules};
use shopwright_app::organisations::{OrganisationRules, Organisations};
use shopwright_app::saga::{ClusterGuard, Executor};
use shopwright_app::stores::{PublicUrls, Sizes, StoreRules, Stores};
use shopwright_app::worker::{Worker, WorkerSettings};
use shopwright_domain::ClusterName;
use shopwright_domain::breaker::{Breaker, BreakerPolicy};
use shopwright_domain::limits::{Cooldown, Rate, StoreQuota};
use shopwright_domain::network::TrustedProxies;
use shopwright_domain::plans::{Plan, Plans};
use shopwright_domain::saga::Policy;
use shopwright_ports::clock::Clock;
use shopwright_ports::metrics_api::{MetricsSummary, MockMetricsService, ProcessUsage};
use shopwright_ports::storage::{Reach, RegisteredCluster, Storage};
use shopwright_ports::telemetry::Telemetry;
use shopwright_ports::testing::{
    FakeCluster, FakeDigester, FakeHasher, FakeReleases, FakeSealer, FakeStorage, FakeStorefront, FakeTokens,
    ManualClock, SeededEntropy, engines,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A world without anything outside this process.
#[derive(Debug)]
pub struct Mocked {
    /// Where the API is, without `/api/v1`.
    pub base: String,
    /// Time stands still until somebody lets it pass.
    pub clock: Arc<ManualClock>,
    /// The database.
    pub storage: FakeStorage,
    /// The cluster.
    pub cluster: Arc<FakeCluster>,
    /// Helm.
    pub releases: Arc<FakeReleases>,
    /// The ingress.
    pub storefront: Arc<FakeStorefront>,
    stop: CancellationToken,
}

/// Tests make stores one after the other.
fn room_for_many() -> Plan {
    Plan { stores: StoreQuota(100), cooldown: Cooldown(jiff::SignedDuration::ZERO), ..Plan::default() }
}

/// Everybody comes from the same address.
fn open_to_many() -> IdentityRules {
    let registration_rate = Rate { limit: 1000, window: jiff::SignedDuration::from_hours(1) };
    IdentityRules { registration_rate, ..IdentityRules::default() }
}

fn wide_open(storage: &FakeStorage, clock: &Arc<ManualClock>) -> Door {
    Door::new(Arc::new(storage.clone()), Arc::new(FakeDigester), clock.clone(), GateRules::unlimited())
}

fn identity(storage: &FakeStorage, clock: &Arc<ManualClock>, entropy: &Arc<SeededEntropy>) -> Identity {
    Identity {
        storage: Arc::new(storage.clone()),
        hasher: Arc::new(FakeHasher),
        tokens: Arc::new(FakeTokens),
        digester: Arc::new(FakeDigester),
        clock: clock.clone(),
        entropy: entropy.clone(),
        rules: open_to_many(),
        issuer: None,
    }
}

impl Mocked {
    /// Starts everything.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start() -> anyhow::Result<Self> {
        let clock = Arc::new(ManualClock::default());
        let entropy = Arc::new(SeededEntropy::new(1));
        let storage = FakeStorage::new(clock.clone());
        let cluster = Arc::new(FakeCluster::new());
        let releases = Arc::new(FakeReleases::on(cluster.clone()));
        let storefront = Arc::new(FakeStorefront::default());
        let sealer = Arc::new(FakeSealer::default());
        let work = Arc::new(Notify::new());
        let mut tx = storage.begin(Reach::Platform).await?;
        tx.clusters().upsert(&RegisteredCluster { name: ClusterName::default_cluster(), permits: 32 }).await?;
        tx.commit().await?;

        let stores = Stores {
            storage: Arc::new(storage.clone()),
            releases: releases.clone(),
            sealer: sealer.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            engines: Arc::new(engines::catalogue()),
            rules: StoreRules { plans: room_for_many().into(), ..StoreRules::default() },
            sizes: Sizes::default(),
            work: work.clone(),
        };
        let identity = identity(&storage, &clock, &entropy);
        let organisations = Organisations {
            storage: Arc::new(storage.clone()),
            digester: Arc::new(FakeDigester),
            clock: clock.clone(),
            entropy: entropy.clone(),
            rules: OrganisationRules::default(),
        };
        let guard = Arc::new(ClusterGuard::new(cluster.clone(), clock.clone(), BreakerPolicy::default()));
        let executor = Executor {
            storage: Arc::new(storage.clone()),
            cluster: guard.clone(),
            releases: releases.clone(),
            storefront: storefront.clone(),
            sealer,
            clock: clock.clone(),
            entropy: entropy.clone(),
            policy: Policy::default(),
            urls: PublicUrls { scheme: "http".to_owned(), port: None },
            telemetry: Telemetry::default(),
            engines: Arc::new(engines::catalogue()),
            plans: Plans::default(),
        };
        let worker = Arc::new(Worker::new(Arc::new(executor), entropy.as_ref(), work, WorkerSettings::default()));
        let own = OwnCluster { name: ClusterName::default_cluster(), guard: guard.clone(), sweeper: None };
        let health = HealthChecks {
            storage: Arc::new(storage.clone()),
            cluster: guard,
            clock: clock.clone(),
            worker: Some(worker.clone()),
            sweeper: None,
            started_at: clock.now(),
            simulated: false,
        };
        let administration = Administration {
            storage: Arc::new(storage.clone()),
            releases: releases.clone(),
            engines: Arc::new(engines::catalogue()),
            clusters: vec![own],
            clock: clock.clone(),
        };
        let events = Events::new(Arc::new(storage.clone()), clock.clone(), EventSettings::default());
        let api = Api {
            stores: Arc::new(stores),
            audit: Arc::new(AuditTrail { storage: Arc::new(storage.clone()) }),
            events: Arc::new(events),
            identity: Arc::new(identity),
            organisations: Arc::new(organisations),
            platform: Arc::new(administration),
            health: Arc::new(health),
            metrics: Arc::new(no_numbers()),
            engines: Arc::new(engines::catalogue()),
            public_url: "http://shopwright.example.com".to_owned(),
            gate: Arc::new(wide_open(&storage, &clock)),
            entropy,
            clock: clock.clone(),
            cookies: Cookies::Plain,
            simulated: false,
            dashboard: Dashboard::default(),
            limits: Limits::default(),
            telemetry: Telemetry::default(),
            proxies: TrustedProxies::default(),
            cors: Cors::default(),
            https: false,
        };
        let stop = CancellationToken::new();
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let base = format!("http://{}", listener.local_addr()?);
        let serving = stop.clone();
        // The API brings a runtime of its own kind: a thread keeps the two apart.
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(shopwright_api_actix::serve(listener, api, serving.cancelled_owned()))
        });
        let working = stop.clone();
        tokio::spawn(async move { worker.run(working).await });
        Ok(Self { base, clock, storage, cluster, releases, storefront, stop })
    }

    /// Lets everybody who can work do so, then moves time to the next who sleeps.
    pub async fn let_time_pass(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        self.clock.advance_to_next_sleeper();
    }
}

impl Drop for Mocked {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Numbers of a process that has done nothing yet.
fn no_numbers() -> MockMetricsService {
    let mut metrics = MockMetricsService::new();
    metrics.expect_exposition().returning(|_| "# EOF\n".to_owned());
    metrics.expect_summary().returning(|| MetricsSummary {
        uptime: Duration::ZERO,
        process: ProcessUsage::default(),
        breaker: Breaker::new(BreakerPolicy::default()).snapshot(),
        breaker_last_failure: None,
    });
    metrics
}
