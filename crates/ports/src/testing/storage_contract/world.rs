//! The tenant, owner, cluster and stores of one fact.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shopwright_domain::audit::{AuditEvent, AuditEventType};
use shopwright_domain::identity::PlatformRole;
use shopwright_domain::operation::{Operation, OperationKind, ReleaseDigests};
use shopwright_domain::plans::PlanName;
use shopwright_domain::saga::{StepRecord, StepStatus};
use shopwright_domain::store::{Store, StoreState, example_store};
use shopwright_domain::{ClusterName, OperationId, StoreId, TenantId, UserId, WorkerId};
use uuid::Uuid;

use crate::storage::{
    AuditFilter, Claim, IdempotencyRecord, Lease, Page, Reach, RegisteredCluster, Storage, StorageError, StoreFilter,
    Tenant, Transaction, User,
};

/// Longer than any test.
pub(super) const LONG: Duration = Duration::from_hours(1);
/// A lease that has run out at once.
pub(super) const NONE: Duration = Duration::ZERO;

/// The time at which everything in a fact was made, and `seconds` more. Long ago by any clock.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_600_000_000 + seconds)
}

/// A time that no test lives to see, by any clock.
pub(super) fn far_future() -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(4_000_000_000)
}

fn random() -> u128 {
    Uuid::new_v4().as_u128()
}

/// Bytes that nobody else has: 16 or 32.
pub(super) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    for chunk in bytes.chunks_mut(16) {
        chunk.copy_from_slice(&random().to_be_bytes()[..chunk.len()]);
    }
    bytes
}

pub(super) fn new_worker() -> WorkerId {
    WorkerId::from_random(random())
}

/// A tenant of a new id.
pub fn example_tenant() -> Tenant {
    Tenant {
        id: TenantId::from_random(random()),
        name: "Example organisation".into(),
        personal: true,
        plan: PlanName::standard(),
        last_store_created_at: None,
        created_at: at(0),
    }
}

/// An account of a new id with its own address and name.
pub(super) fn example_user(tenant_id: TenantId) -> User {
    let id = UserId::from_random(random());
    User {
        id,
        tenant_id,
        email: format!("{id}@example.com").parse().expect("an address"),
        username: format!("user-{id}").parse().expect("a name"),
        password_hash: "fake$password".into(),
        role: PlatformRole::Tenant,
        active: true,
        created_at: at(0),
    }
}

/// The record of the `index`th step of a provision, done.
pub(super) fn step_record(index: usize) -> StepRecord {
    StepRecord {
        step: OperationKind::Provision.steps()[index],
        status: StepStatus::Succeeded,
        attempts: 1,
        waits: 0,
        crashes: 0,
        first_started_at: Some(at(1)),
        started_at: Some(at(2)),
        finished_at: Some(at(3)),
        outage: SignedDuration::ZERO,
        not_before: None,
        error: None,
    }
}

/// Digests of an installation of its own.
pub(super) fn digests(name: &str) -> ReleaseDigests {
    let digest = |part: &str| format!("sha256:{part}-{name}");
    ReleaseDigests {
        chart: digest("chart"),
        values: digest("values"),
        helm: digest("helm"),
        origin: Some(digest("origin")),
        size: "large".parse().ok(),
    }
}

/// What a request that started `operation` came to.
pub(super) fn idempotency_record(operation: &Operation, key: &str, created_at: Timestamp) -> IdempotencyRecord {
    IdempotencyRecord {
        tenant_id: operation.tenant_id,
        route: "create".into(),
        key: key.into(),
        fingerprint: vec![0, 1, 255],
        store_id: Some(operation.store_id.clone()),
        operation_id: Some(operation.id),
        answer: None,
        created_at,
    }
}

/// One tenant with an owner, and a cluster of its own.
pub struct World<'a> {
    storage: &'a dyn Storage,
    pub(super) tenant: Tenant,
    pub(super) owner: User,
    pub(super) cluster: ClusterName,
}

impl std::fmt::Debug for World<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("tenant", &self.tenant.id).field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

impl<'a> World<'a> {
    /// A new tenant on a new cluster with 100 permits.
    pub async fn new(storage: &'a dyn Storage) -> Self {
        Self::with_permits(storage, 100).await
    }

    /// A new tenant on a new cluster.
    pub async fn with_permits(storage: &'a dyn Storage, permits: u32) -> Self {
        let cluster: ClusterName = format!("c-{}", Uuid::new_v4().simple()).parse().expect("a cluster name");
        let mut tx = storage.begin(Reach::Platform).await.expect("begin");
        let row = RegisteredCluster { name: cluster.clone(), permits };
        tx.clusters().upsert(&row).await.expect("upsert the cluster");
        tx.commit().await.expect("commit");
        Self::on_cluster(storage, cluster).await
    }

    /// A new tenant on a cluster that exists.
    pub async fn on_cluster(storage: &'a dyn Storage, cluster: ClusterName) -> Self {
        let tenant = example_tenant();
        let owner = example_user(tenant.id);
        let mut tx = storage.begin(Reach::Identity).await.expect("begin");
        tx.tenants().insert(&tenant).await.expect("insert the tenant");
        tx.users().insert(&owner).await.expect("insert the owner");
        tx.commit().await.expect("commit");
        Self { storage, tenant, owner, cluster }
    }

    /// A transaction about what the tenant owns.
    pub(super) async fn begin(&self) -> Box<dyn Transaction> {
        self.within(Reach::Tenant(self.tenant.id)).await
    }

    pub(super) async fn within(&self, reach: Reach) -> Box<dyn Transaction> {
        self.storage.begin(reach).await.expect("begin")
    }

    /// A store that is not written yet.
    pub(super) fn draft(&self, created: i64) -> Store {
        let bits = Uuid::new_v4().as_fields().0;
        let name = format!("shop-{}", Uuid::new_v4().simple()).parse().expect("a store name");
        let store = example_store(StoreId::from_random(bits), self.tenant.id, name, at(created));
        Store { owner_id: self.owner.id, cluster: self.cluster.clone(), ..store }
    }

    /// A store in the database.
    pub(super) async fn store(&self, created: i64) -> Store {
        let store = self.draft(created);
        self.insert(&store).await.expect("insert the store");
        store
    }

    pub(super) async fn insert(&self, store: &Store) -> Result<(), StorageError> {
        let mut tx = self.begin().await;
        tx.stores().insert(store).await?;
        tx.commit().await
    }

    /// The store as its row is now.
    pub(super) async fn read(&self, id: &StoreId) -> Store {
        self.begin().await.stores().get(id).await.expect("read the store").expect("the store")
    }

    /// Writes the store as deleted at `deleted_at`.
    pub(super) async fn delete(&self, id: &StoreId, deleted_at: Timestamp) {
        let mut tx = self.begin().await;
        let mut store = tx.stores().lock(id).await.expect("lock").expect("the store");
        store.state = StoreState::Deleted;
        store.deleted_at = Some(deleted_at);
        tx.stores().save(&mut store).await.expect("save");
        tx.commit().await.expect("commit");
    }

    /// An operation that is not written yet.
    pub(super) fn operation(&self, store: &Store, created: i64) -> Operation {
        let id = OperationId::from_random(random());
        Operation::queued(id, self.tenant.id, store.id.clone(), OperationKind::Provision, at(created))
    }

    pub(super) async fn enqueue(&self, operation: &Operation) -> Result<(), StorageError> {
        let mut tx = self.begin().await;
        tx.operations().enqueue(operation, &[]).await?;
        tx.commit().await
    }

    /// A new store with a queued operation.
    pub(super) async fn queued(&self, created: i64) -> Operation {
        let store = self.store(created).await;
        let operation = self.operation(&store, created);
        self.enqueue(&operation).await.expect("enqueue");
        operation
    }

    /// The operation as its row is now.
    pub(super) async fn reread(&self, id: OperationId) -> Operation {
        self.begin().await.operations().get(id).await.expect("read the operation").expect("the operation")
    }

    pub(super) async fn claim(&self, worker: WorkerId, lease: Duration) -> Option<Claim> {
        let mut tx = self.within(Reach::Worker).await;
        let claim = tx.operations().claim(worker, lease).await.expect("claim");
        tx.commit().await.expect("commit");
        claim
    }

    /// Claims until there is something: what a transaction that was just dropped held is given back a moment later.
    pub(super) async fn claim_soon(&self, worker: WorkerId, lease: Duration) -> Claim {
        for _ in 0..10_000 {
            if let Some(claim) = self.claim(worker, lease).await {
                return claim;
            }
        }
        panic!("nothing could be claimed");
    }

    pub(super) async fn renew(&self, held: &[Lease]) -> Vec<Lease> {
        self.storage.renew(held, LONG).await.expect("renew")
    }

    /// An event in the tenant's chain.
    pub(super) fn event(&self, message: &str, seconds: i64) -> AuditEvent {
        AuditEvent::new(self.tenant.id, AuditEventType::Info, message, at(seconds))
    }

    /// The tenant's chain, newest first.
    pub(super) async fn messages(&self) -> Vec<(u64, String)> {
        let filter = AuditFilter { tenant_id: Some(self.tenant.id), ..AuditFilter::default() };
        let page = Page { limit: 100, offset: 0 };
        let (entries, _) = self.begin().await.audit().list(&filter, page).await.expect("list");
        entries.into_iter().map(|entry| (entry.sequence, entry.event.message)).collect()
    }

    /// Ends every operation of the tenant's stores, so that the next fact finds nothing to claim.
    pub(super) async fn settle(self) {
        let mut tx = self.begin().await;
        let page = Page { limit: 1000, offset: 0 };
        let filter = StoreFilter { tenant_id: Some(self.tenant.id), ..StoreFilter::default() };
        let (stores, _) = tx.stores().list(&filter, page).await.expect("list");
        for store in stores {
            if let Some(operation) = tx.operations().latest_of(&store.id).await.expect("read") {
                tx.operations().supersede(operation.id, at(9_999)).await.expect("supersede");
            }
        }
        tx.commit().await.expect("commit");
    }
}
