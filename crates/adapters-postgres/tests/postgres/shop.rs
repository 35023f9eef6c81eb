//! A storage with as many connections as a test needs, and a tenant with stores to work on.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use shopwright_adapters_postgres::{PgSettings, PgStorage, Route};
use shopwright_domain::identity::PlatformRole;
use shopwright_domain::operation::{Operation, OperationKind};
use shopwright_domain::plans::PlanName;
use shopwright_domain::store::{Store, example_store};
use shopwright_domain::{ClusterName, OperationId, SessionId, StoreId, TenantId, UserId, WorkerId};
use shopwright_ports::storage::{
    Claim, Reach, RefreshToken, RegisteredCluster, Session, Storage as _, StorageError, Tenant, User,
};
use sqlx::postgres::PgConnectOptions;

/// A storage on `connections` connections.
pub(crate) async fn storage(options: PgConnectOptions, connections: u32) -> PgStorage {
    storage_with(options, PgSettings { max_connections: connections, ..patient() }).await
}

/// A storage that waits for a connection as long as a busy machine needs.
pub(crate) fn patient() -> PgSettings {
    PgSettings { acquire_timeout: Duration::from_mins(1), route: Route::Direct, ..PgSettings::default() }
}

/// A storage with limits of its own.
pub(crate) async fn storage_with(options: PgConnectOptions, settings: PgSettings) -> PgStorage {
    PgStorage::open(options, settings).await.expect("connect")
}

pub(crate) fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_600_000_000)
}

/// One tenant whose user has its id.
pub(crate) struct Shop {
    pub(crate) tenant: TenantId,
    made: AtomicU32,
}

/// A lease that outlives any test.
pub(crate) const LEASE: Duration = Duration::from_mins(10);

/// The worker of this number.
pub(crate) fn worker(number: u128) -> WorkerId {
    WorkerId::from_random(number)
}

/// What a worker does when it looks for work.
pub(crate) async fn claim(storage: &PgStorage, number: u128, lease: Duration) -> Result<Option<Claim>, StorageError> {
    let mut tx = storage.begin(Reach::Worker).await?;
    let claim = tx.operations().claim(worker(number), lease).await?;
    tx.commit().await?;
    Ok(claim)
}

/// Looks until `seen`, or fails saying what was not seen.
pub(crate) async fn until(what: &str, mut seen: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !seen().await {
        assert!(start.elapsed() < Duration::from_secs(30), "not seen in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A sequence of numbers that looks random and is the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

impl Shop {
    /// A session of the shop's user that begins now and lasts an hour, and its first refresh token.
    pub(crate) fn session(&self, number: u8) -> (Session, RefreshToken) {
        let (id, later) = (SessionId::from_random(number.into()), now() + SignedDuration::from_hours(1));
        let session = Session {
            id,
            user_id: UserId::from_uuid(self.tenant.as_uuid()),
            tenant_id: self.tenant,
            created_at: now(),
            last_used_at: now(),
            expires_at: later,
            revoked_at: None,
            ip_address: None,
            user_agent: None,
        };
        let digest = [number; 32];
        (session, RefreshToken { digest, session_id: id, issued_at: now(), expires_at: later, replaced: None })
    }

    /// A tenant on the default cluster, which gets so many permits.
    pub(crate) async fn open(storage: &PgStorage, permits: u32) -> Self {
        let tenant = TenantId::from_random(1);
        let row = Tenant {
            id: tenant,
            name: "Shop".into(),
            personal: true,
            plan: PlanName::standard(),
            last_store_created_at: None,
            created_at: now(),
        };
        let owner = User {
            id: UserId::from_uuid(tenant.as_uuid()),
            tenant_id: tenant,
            email: "ada@example.com".parse().expect("an address"),
            username: "ada".parse().expect("a name"),
            password_hash: String::new(),
            role: PlatformRole::Tenant,
            active: true,
            created_at: now(),
        };
        let cluster = RegisteredCluster { name: ClusterName::default_cluster(), permits };
        let mut tx = storage.begin(Reach::Platform).await.expect("begin");
        tx.clusters().upsert(&cluster).await.expect("upsert");
        tx.commit().await.expect("commit");
        let mut tx = storage.begin(Reach::Identity).await.expect("begin");
        tx.tenants().insert(&row).await.expect("insert");
        tx.users().insert(&owner).await.expect("insert");
        tx.commit().await.expect("commit");
        Self { tenant, made: AtomicU32::new(0) }
    }

    /// A store that is not written yet.
    pub(crate) fn draft(&self) -> Store {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let name = format!("shop-{number}").parse().expect("a name");
        example_store(StoreId::from_random(number), self.tenant, name, now())
    }

    /// A store with a queued operation.
    pub(crate) async fn queue(&self, storage: &PgStorage) -> OperationId {
        let store = self.draft();
        let id = OperationId::from_random(u128::from(self.made.load(Ordering::Relaxed)));
        let operation = Operation::queued(id, self.tenant, store.id.clone(), OperationKind::Provision, now());
        let mut tx = storage.begin(Reach::Platform).await.expect("begin");
        tx.stores().insert(&store).await.expect("insert");
        tx.operations().enqueue(&operation, &[]).await.expect("enqueue");
        tx.commit().await.expect("commit");
        id
    }
}
