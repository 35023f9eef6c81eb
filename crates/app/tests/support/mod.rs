//! The use cases and a worker over the fakes, with a clock that moves only when everybody waits.
#![expect(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test binary uses its own part, and a test that cannot go on ends"
)]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use secrecy::SecretString;
use shopwright_app::identity::{Identity, IdentityRules};
use shopwright_app::organisations::{OrganisationRules, Organisations};
use shopwright_app::saga::{ClusterGuard, Executor};
use shopwright_app::stores::{PublicUrls, Sizes, StoreRules, Stores};
use shopwright_app::worker::{Worker, WorkerSettings};
use shopwright_domain::breaker::BreakerPolicy;
use shopwright_domain::identity::{Actor, PlatformRole};
use shopwright_domain::limits::{Cooldown, Rate, StoreQuota};
use shopwright_domain::operation::Operation;
use shopwright_domain::plans::{Plan, Plans};
use shopwright_domain::saga::Policy;
use shopwright_domain::store::{Store, StoreState};
use shopwright_domain::{ClusterName, OperationId, RequestId, StoreId};
use shopwright_ports::clock::{Clock, Entropy};
use shopwright_ports::cluster::Cluster;
use shopwright_ports::identity_api::{IdentityService, Origin};
use shopwright_ports::secrets::{HashError, PasswordHasher, Sealer};
use shopwright_ports::storage::{Reach, RegisteredCluster, Storage, StorageError};
use shopwright_ports::stores_api::{Accepted, CreateStore, RequestContext, StoreService, StoreServiceError};
use shopwright_ports::telemetry::Telemetry;
use shopwright_ports::testing::{
    FakeCluster, FakeDigester, FakeHasher, FakeReleases, FakeSealer, FakeStorage, FakeStorefront, FakeTokens, Fault,
    ManualClock, SeededEntropy, engines,
};
use tokio::sync::Notify;

/// More turns than any run of these tests needs: past it something spins.
const TURNS: usize = 20_000;

pub struct Fixture {
    pub clock: Arc<ManualClock>,
    pub storage: FakeStorage,
    pub cluster: Arc<FakeCluster>,
    pub releases: Arc<FakeReleases>,
    pub storefront: Arc<FakeStorefront>,
    pub stores: Stores,
    pub identity: Identity,
    pub organisations: Organisations,
    pub worker: Worker,
    entropy: Arc<SeededEntropy>,
}

impl Fixture {
    pub async fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let entropy = Arc::new(SeededEntropy::new(7));
        let storage = FakeStorage::new(clock.clone());
        let cluster = Arc::new(FakeCluster::new());
        let releases = Arc::new(FakeReleases::on(cluster.clone()));
        let storefront = Arc::new(FakeStorefront::default());
        let work = Arc::new(Notify::new());
        let plan = Plan { stores: StoreQuota(5), cooldown: Cooldown(SignedDuration::ZERO), ..Plan::default() };
        let rules = StoreRules { plans: Plans { standard: plan, ..plans() }, ..StoreRules::default() };
        let stores = Stores {
            storage: Arc::new(storage.clone()),
            releases: releases.clone(),
            sealer: Arc::new(FakeSealer::default()),
            clock: clock.clone(),
            entropy: entropy.clone(),
            engines: Arc::new(engines::catalogue()),
            rules,
            sizes: Sizes::default(),
            work: work.clone(),
        };
        let identity = Identity {
            storage: Arc::new(storage.clone()),
            hasher: Arc::new(FakeHasher),
            tokens: Arc::new(FakeTokens),
            digester: Arc::new(FakeDigester),
            clock: clock.clone(),
            entropy: entropy.clone(),
            rules: IdentityRules {
                // Everybody comes from the same address.
                registration_rate: Rate { limit: 1000, window: SignedDuration::from_hours(1) },
                ..IdentityRules::default()
            },
            issuer: None,
        };
        let organisations = Organisations {
            storage: Arc::new(storage.clone()),
            digester: Arc::new(FakeDigester),
            clock: clock.clone(),
            entropy: entropy.clone(),
            rules: OrganisationRules::default(),
        };
        let executor = executor(
            &clock,
            &entropy,
            &storage,
            cluster.clone(),
            &releases,
            &storefront,
            Arc::new(FakeSealer::default()),
        );
        let worker = Worker::new(executor, entropy.as_ref(), work, WorkerSettings::default());
        let fixture =
            Self { clock, storage, cluster, releases, storefront, stores, identity, organisations, worker, entropy };
        fixture.register_cluster().await;
        fixture
    }

    async fn register_cluster(&self) {
        let mut tx = self.storage.begin(Reach::Platform).await.unwrap();
        let cluster = RegisteredCluster { name: ClusterName::default_cluster(), permits: 32 };
        tx.clusters().upsert(&cluster).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Another process over the same database and cluster, as after a crash.
    pub fn restarted_worker(&self) -> Worker {
        self.worker_with(Arc::new(FakeSealer::default()))
    }

    /// A worker that opens credentials with another sealer.
    pub fn worker_with(&self, sealer: Arc<dyn Sealer>) -> Worker {
        let cluster = self.cluster.clone();
        let executor =
            executor(&self.clock, &self.entropy, &self.storage, cluster, &self.releases, &self.storefront, sealer);
        Worker::new(executor, self.entropy.as_ref(), Arc::new(Notify::new()), WorkerSettings::default())
    }

    pub fn origin(&self) -> Origin {
        Origin::unknown(RequestId::from_random(self.entropy.u64()))
    }

    /// Somebody with an organisation of their own.
    pub async fn merchant(&self, name: &str) -> RequestContext {
        let email = format!("{name}@example.com").parse().unwrap();
        let signed_in = self
            .identity
            .register(&self.origin(), email, name.parse().unwrap(), SecretString::from("correct horse"), None)
            .await
            .unwrap();
        let token = secrecy::ExposeSecret::expose_secret(&signed_in.token);
        let bearer = self.identity.authenticate(token, None).await.unwrap();
        RequestContext::new(bearer.actor, self.origin())
    }

    pub async fn administrator(&self) -> RequestContext {
        let context = self.merchant("operator").await;
        RequestContext { actor: Actor { role: PlatformRole::Admin, ..context.actor }, ..context }
    }

    pub async fn create(&self, context: &RequestContext, name: &str) -> Accepted {
        self.stores.create(context, wanted(name)).await.unwrap()
    }

    pub async fn try_create(&self, context: &RequestContext, name: &str) -> Result<Accepted, StoreServiceError> {
        self.stores.create(context, wanted(name)).await
    }

    pub async fn store(&self, id: &StoreId) -> Store {
        self.storage.snapshot().await.store(id).unwrap().clone()
    }

    /// Lets time pass until `future` has its end.
    pub async fn in_time<T>(&self, future: impl Future<Output = T>) -> T {
        let driver = async {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
                self.clock.advance_to_next_sleeper();
            }
            panic!("something waits for ever");
        };
        // Whoever waits for it stays small.
        let future = Box::pin(future);
        tokio::select! {
            biased;
            end = future => end,
            () = driver => unreachable!(),
        }
    }

    /// Lets `worker` do everything that is due, moving time only while everybody sleeps.
    pub async fn run_due(&self, worker: &Worker) -> usize {
        self.in_time(Box::pin(worker.run_due())).await.unwrap_or(0)
    }

    /// Works, and lets time pass, until the store is settled or a minute per turn has not been enough.
    pub async fn settle(&self, id: &StoreId) -> Store {
        self.settle_with(&self.worker, id).await
    }

    pub async fn settle_with(&self, worker: &Worker, id: &StoreId) -> Store {
        for _ in 0..500 {
            self.run_due(worker).await;
            let store = self.store(id).await;
            if store.state.is_settled() {
                return store;
            }
            self.clock.advance(SignedDuration::from_secs(11));
        }
        panic!("{id} does not settle: {:#?}", self.storage.snapshot().await.operations);
    }

    pub async fn operation(&self, id: OperationId) -> Operation {
        self.storage.snapshot().await.operation(id).unwrap().clone()
    }

    /// Works, and lets time pass, until the operation has ended.
    pub async fn ended(&self, id: OperationId) -> Operation {
        self.ended_by(&self.worker, id).await
    }

    pub async fn ended_by(&self, worker: &Worker, id: OperationId) -> Operation {
        for _ in 0..500 {
            self.run_due(worker).await;
            let operation = self.operation(id).await;
            if operation.status.is_finished() {
                return operation;
            }
            self.clock.advance(SignedDuration::from_secs(11));
        }
        panic!("{id} does not end: {:#?}", self.storage.snapshot().await.operations);
    }

    /// Lets `worker` work for so many seconds, then drops what it does, as a crash would.
    pub async fn run_for(&self, worker: &Worker, seconds: i64) {
        let end = self.clock.now() + SignedDuration::from_secs(seconds);
        let driver = async {
            while self.clock.now() < end {
                for _ in 0..50 {
                    tokio::task::yield_now().await;
                }
                self.clock.advance(SignedDuration::from_millis(100));
            }
        };
        tokio::select! {
            biased;
            _ = Box::pin(worker.run_due()) => {}
            () = driver => {}
        }
    }

    /// The commit after `nth` others dies, with its effect or without.
    pub fn fail_commit(&self, nth: usize, after: bool) {
        let lost = || StorageError::Unavailable { detail: "connection lost".to_owned(), source: None };
        self.storage.faults.pass("commit", nth);
        self.storage.faults.push("commit", if after { Fault::After(lost()) } else { Fault::Before(lost()) });
    }

    /// A store that is ready.
    pub async fn ready_store(&self, context: &RequestContext, name: &str) -> Store {
        let accepted = self.create(context, name).await;
        let store = self.settle(&accepted.store.id).await;
        assert_eq!(store.state, StoreState::Ready);
        store
    }

    /// Whether anything of the store is left outside the database.
    pub async fn leftovers(&self, id: &StoreId) -> Vec<String> {
        let mut left = Vec::new();
        if self.cluster.epoch(id).is_some() {
            left.push(format!("namespace {id}"));
        }
        if self.storage.snapshot().await.credentials.contains_key(id) {
            left.push("credentials".to_owned());
        }
        left
    }
}

pub fn wanted(name: &str) -> CreateStore {
    CreateStore { name: name.parse().unwrap(), engine: engines::medusa(), theme: None, password: None }
}

fn executor(
    clock: &Arc<ManualClock>,
    entropy: &Arc<SeededEntropy>,
    storage: &FakeStorage,
    cluster: Arc<dyn Cluster>,
    releases: &Arc<FakeReleases>,
    storefront: &Arc<FakeStorefront>,
    sealer: Arc<dyn Sealer>,
) -> Arc<Executor> {
    let clock: Arc<dyn Clock> = clock.clone();
    Arc::new(Executor {
        storage: Arc::new(storage.clone()),
        cluster: Arc::new(ClusterGuard::new(cluster, clock.clone(), BreakerPolicy::default())),
        releases: releases.clone(),
        storefront: storefront.clone(),
        sealer,
        clock,
        entropy: entropy.clone(),
        policy: Policy::default(),
        urls: PublicUrls { scheme: "http".to_owned(), port: Some(8080) },
        telemetry: Telemetry::default(),
        engines: Arc::new(engines::catalogue()),
        plans: plans(),
    })
}

/// Looks at passwords slowly: something else happens meanwhile, once.
pub struct SlowHasher(Mutex<Option<BoxFuture<'static, ()>>>);

impl SlowHasher {
    pub fn meanwhile(other: impl Future<Output = ()> + Send + 'static) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(Box::pin(other)))))
    }
}

#[async_trait]
impl PasswordHasher for SlowHasher {
    async fn hash(&self, password: SecretString) -> Result<String, HashError> {
        FakeHasher.hash(password).await
    }

    async fn verify(&self, password: SecretString, hash: Option<String>) -> Result<bool, HashError> {
        let other = self.0.lock().unwrap().take();
        if let Some(other) = other {
            other.await;
        }
        FakeHasher.verify(password, hash).await
    }

    fn is_outdated(&self, hash: &str) -> bool {
        FakeHasher.is_outdated(hash)
    }
}

/// The plan `team` has large stores.
pub fn plans() -> Plans {
    Plans::parse(Plan::default(), "team: size=large").unwrap()
}
