//! Replicas of the control plane over one real PostgreSQL, each with a pool of its own, and no cluster: what is promised about requests
//! is promised by the database.

use std::sync::Arc;

use jiff::SignedDuration;
use shopwright_adapters_postgres::{PgSettings, PgStorage};
use shopwright_app::stores::{Sizes, StoreRules, Stores};
use shopwright_domain::identity::{Actor, Email, PlatformRole};
use shopwright_domain::limits::{Cooldown, StoreQuota};
use shopwright_domain::organisation::Role;
use shopwright_domain::plans::{Plan, PlanName};
use shopwright_domain::{ClusterName, TenantId, UserId};
use shopwright_ports::clock::Clock;
use shopwright_ports::gate_api::Promise;
use shopwright_ports::identity_api::Origin;
use shopwright_ports::storage::{Reach, RegisteredCluster, Storage as _, Tenant, User};
use shopwright_ports::stores_api::{CreateStore, RequestContext};
use shopwright_ports::testing::{FakeReleases, FakeSealer, ManualClock, SeededEntropy, engines};
use shopwright_system_tests::real::TestDatabase;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::Notify;

/// So many pools.
const REPLICAS: usize = 4;

pub(crate) struct Replicas {
    pub(crate) database: TestDatabase,
    pub(crate) storages: Vec<PgStorage>,
    pub(crate) clock: Arc<ManualClock>,
    /// Somebody who may have stores.
    pub(crate) context: RequestContext,
    pub(crate) user: User,
    pub(crate) sealer: Arc<FakeSealer>,
    entropy: Arc<SeededEntropy>,
}

impl Replicas {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let server = std::env::var("DATABASE_URL").expect("DATABASE_URL: see tests/postgres.sh");
        let database = TestDatabase::create(&server).await?;
        let mut storages = Vec::new();
        for _ in 0..REPLICAS {
            let settings = PgSettings { max_connections: 5, ..PgSettings::default() };
            storages.push(PgStorage::open(database.url.parse::<PgConnectOptions>()?, settings).await?);
        }
        storages[0].migrate().await?;
        let clock = Arc::new(ManualClock::default());
        let (context, user) = somebody(&storages[0], &clock).await?;
        let entropy = Arc::new(SeededEntropy::new(7));
        Ok(Self { database, storages, clock, context, user, sealer: Arc::default(), entropy })
    }

    /// The use cases, one per replica, with so many stores for everybody.
    pub(crate) fn stores(&self, quota: u32) -> Vec<Stores> {
        let plan = Plan { stores: StoreQuota(quota), cooldown: Cooldown(SignedDuration::ZERO), ..Plan::default() };
        let rules = StoreRules { plans: plan.into(), ..StoreRules::default() };
        let stores = |storage: &PgStorage| Stores {
            storage: Arc::new(storage.clone()),
            releases: Arc::new(FakeReleases::on(Arc::default())),
            sealer: self.sealer.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            engines: Arc::new(engines::catalogue()),
            rules: rules.clone(),
            sizes: Sizes::default(),
            work: Arc::new(Notify::new()),
        };
        self.storages.iter().map(stores).collect()
    }

    /// How many rows each table has that a new store writes to: stores, credentials, operations, audit events.
    pub(crate) async fn rows(&self) -> anyhow::Result<[i64; 4]> {
        Ok([
            self.database.count("select count(*) from stores").await?,
            self.database.count("select count(*) from store_credentials").await?,
            self.database.count("select count(*) from operations").await?,
            self.database.count("select count(*) from audit_events").await?,
        ])
    }

    pub(crate) async fn close(&self) {
        for storage in &self.storages {
            storage.close().await;
        }
    }
}

/// An account, and a request of its.
async fn somebody(storage: &PgStorage, clock: &ManualClock) -> anyhow::Result<(RequestContext, User)> {
    let (context, user) = ada(clock)?;
    let mut tx = storage.begin(Reach::Platform).await?;
    tx.clusters().upsert(&RegisteredCluster { name: ClusterName::default_cluster(), permits: 32 }).await?;
    tx.commit().await?;
    let mut tx = storage.begin(Reach::Identity).await?;
    let tenant = Tenant {
        id: user.tenant_id,
        name: "Ada".into(),
        personal: true,
        plan: PlanName::standard(),
        last_store_created_at: None,
        created_at: clock.now(),
    };
    tx.tenants().insert(&tenant).await?;
    tx.users().insert(&user).await?;
    tx.commit().await?;
    Ok((context, user))
}

/// The same, for a process that finds the account in the database.
pub(crate) fn ada(clock: &dyn Clock) -> anyhow::Result<(RequestContext, User)> {
    let (tenant_id, user_id) = (TenantId::from_random(1), UserId::from_random(2));
    let email: Email = "ada@example.com".parse()?;
    let user = User {
        id: user_id,
        tenant_id,
        email: email.clone(),
        username: "ada".parse()?,
        password_hash: String::new(),
        role: PlatformRole::Tenant,
        active: true,
        created_at: clock.now(),
    };
    let origin = Origin::unknown("req_0123456789ab".parse()?);
    let actor = Actor { user_id, tenant_id, member_role: Role::Owner, email, role: PlatformRole::Tenant };
    Ok((RequestContext::new(actor, origin), user))
}

/// A wish for a store of this name.
pub(crate) fn wish(name: &str) -> anyhow::Result<CreateStore> {
    Ok(CreateStore { name: name.parse()?, engine: engines::medusa(), theme: None, password: None })
}

/// The same under a key, as the request whose hash is this.
pub(crate) fn under_key(context: &RequestContext, key: &str, fingerprint: u8) -> RequestContext {
    let promise = Promise { route: "POST /stores".into(), key: key.into(), fingerprint: vec![fingerprint] };
    RequestContext { promise: Some(promise), ..context.clone() }
}
