//! Reach: whose rows a transaction sees and may write.

use shopwright_domain::TenantId;
use shopwright_domain::store::Store;

use super::world::{LONG, World, at, example_tenant, idempotency_record, new_worker, step_record};
use crate::secrets::Sealed;
use crate::storage::{
    AuditFilter, Page, Reach, RegisteredCluster, Storage, StorageError, StoreFilter, Transaction, UserFilter,
};

const PAGE: Page = Page { limit: 1000, offset: 0 };

fn sealed() -> Sealed {
    Sealed { key_id: "key-1".into(), bytes: vec![1] }
}

fn is_out_of_reach<T>(answer: Result<T, StorageError>) -> bool {
    answer.is_err_and(|error| matches!(error, StorageError::OutOfReach { .. }))
}

/// A tenant with one row of every kind that tenants own.
struct Estate<'a> {
    world: World<'a>,
    store: Store,
    operation: shopwright_domain::operation::Operation,
}

impl<'a> Estate<'a> {
    async fn new(storage: &'a dyn Storage) -> Self {
        let world = World::new(storage).await;
        let store = world.store(0).await;
        let operation = world.operation(&store, 0);
        let mut tx = world.begin().await;
        tx.operations().enqueue(&operation, &[step_record(0)]).await.expect("enqueue");
        tx.credentials().put(world.tenant.id, &store.id, &sealed()).await.expect("put");
        tx.audit().append(&world.event("made", 0)).await.expect("append");
        tx.idempotency().put(&idempotency_record(&operation, "key", at(0))).await.expect("put");
        tx.commit().await.expect("commit");
        Self { world, store, operation }
    }

    /// Which kinds of its rows `tx` finds, of seven.
    async fn found_by(&self, tx: &mut dyn Transaction) -> [bool; 7] {
        let (tenant, store, id) = (self.world.tenant.id, &self.store.id, self.operation.id);
        let kept = tx.idempotency().get(tenant, "create", "key", at(-1)).await.expect("read");
        [
            tx.tenants().lock(tenant).await.expect("lock").is_some(),
            tx.stores().get(store).await.expect("read").is_some(),
            tx.operations().get(id).await.expect("read").is_some(),
            !tx.operations().steps(id).await.expect("read").is_empty(),
            tx.credentials().get(store).await.expect("read").is_some(),
            !chain(tx, tenant).await.is_empty(),
            kept.is_some(),
        ]
    }
}

async fn chain(tx: &mut dyn Transaction, tenant: TenantId) -> Vec<u64> {
    let filter = AuditFilter { tenant_id: Some(tenant), ..AuditFilter::default() };
    let (entries, _) = tx.audit().list(&filter, PAGE).await.expect("list");
    entries.iter().map(|entry| entry.sequence).collect()
}

/// Whatever is asked for, by id, by name, by filter or by nothing at all: what others own is not there.
pub async fn a_tenant_sees_its_own_rows_alone(storage: &dyn Storage) {
    let (mine, theirs) = (Estate::new(storage).await, Estate::new(storage).await);
    let mut tx = mine.world.begin().await;

    assert_eq!(mine.found_by(tx.as_mut()).await, [true; 7]);
    assert_eq!(theirs.found_by(tx.as_mut()).await, [false; 7]);
    let (stores, total) = tx.stores().list(&StoreFilter::default(), PAGE).await.expect("list");
    assert_eq!((stores.len(), total), (1, 1));
    let (events, total) = tx.audit().list(&AuditFilter::default(), PAGE).await.expect("list");
    assert_eq!((events.len(), total), (1, 1));
    let other = theirs.world.tenant.id;
    assert_eq!(tx.stores().lock(&theirs.store.id).await.expect("lock"), None);
    assert_eq!(tx.stores().live_by_name(other, &theirs.store.name).await.expect("read"), None);
    assert_eq!(tx.stores().count_live(other).await.expect("count"), 0);
    assert_eq!(tx.operations().latest_of(&theirs.store.id).await.expect("read"), None);
    drop(tx);
    mine.world.settle().await;
    theirs.world.settle().await;
}

/// Nor can it be changed, removed or ended: it is not there.
pub async fn a_tenant_changes_its_own_rows_alone(storage: &dyn Storage) {
    let (mine, theirs) = (Estate::new(storage).await, Estate::new(storage).await);
    let mut tx = mine.world.begin().await;

    let saved = tx.stores().save(&mut theirs.store.clone()).await;
    let raised = tx.stores().raise_epoch(&theirs.store.id).await;
    let cooled = tx.tenants().set_last_store_created_at(theirs.world.tenant.id, at(1)).await;
    tx.operations().supersede(theirs.operation.id, at(1)).await.expect("nothing to end");
    tx.credentials().remove(&theirs.store.id).await.expect("nothing to remove");
    tx.commit().await.expect("commit");
    let appended = mine.world.begin().await.audit().append(&theirs.world.event("forged", 1)).await;

    for refused in [saved, raised.map(|_| ()), cooled] {
        assert!(matches!(refused, Err(StorageError::Stale)), "{refused:?}");
    }
    assert!(matches!(appended, Err(StorageError::Internal { .. })), "{appended:?}");
    assert_eq!(theirs.world.read(&theirs.store.id).await, theirs.store);
    assert_eq!(theirs.world.reread(theirs.operation.id).await, theirs.operation);
    assert_eq!(theirs.found_by(theirs.world.begin().await.as_mut()).await, [true; 7]);
    mine.world.settle().await;
    theirs.world.settle().await;
}

/// A row that says it is another tenant's is refused.
pub async fn a_tenant_adds_rows_of_its_own_alone(storage: &dyn Storage) {
    let (mine, theirs) = (Estate::new(storage).await, Estate::new(storage).await);
    let begin = async || mine.world.begin().await;
    let operation = theirs.world.operation(&theirs.store, 1);
    let record = idempotency_record(&operation, "other key", at(0));
    let other = theirs.world.tenant.id;

    // One after the other: each transaction is over before the next begins.
    assert!(is_out_of_reach(begin().await.stores().insert(&theirs.world.draft(0)).await));
    assert!(is_out_of_reach(begin().await.operations().enqueue(&operation, &[]).await));
    assert!(is_out_of_reach(begin().await.credentials().put(other, &theirs.store.id, &sealed()).await));
    assert!(is_out_of_reach(begin().await.idempotency().put(&record).await));
    assert!(is_out_of_reach(begin().await.tenants().insert(&example_tenant()).await));
    let mut tx = begin().await;
    tx.stores().insert(&theirs.world.draft(0)).await.expect_err("refused");
    assert!(tx.commit().await.is_err(), "nothing can follow but a rollback");
    mine.world.settle().await;
    theirs.world.settle().await;
}

/// Administrators and workers find what every tenant owns, and may change it.
pub async fn platform_and_worker_reach_all_tenants(storage: &dyn Storage) {
    let (one, other) = (Estate::new(storage).await, Estate::new(storage).await);

    for reach in [Reach::Platform, Reach::Worker] {
        let mut tx = one.world.within(reach).await;
        assert_eq!(one.found_by(tx.as_mut()).await, [true; 7], "{reach:?}");
        assert_eq!(other.found_by(tx.as_mut()).await, [true; 7], "{reach:?}");
        tx.stores().raise_epoch(&other.store.id).await.expect("raise");
        tx.audit().append(&other.world.event("changed", 1)).await.expect("append");
        tx.commit().await.expect("commit");
    }

    assert_eq!(chain(other.world.begin().await.as_mut(), other.world.tenant.id).await, [3, 2, 1]);
    one.world.settle().await;
    other.world.settle().await;
}

/// Identity knows organisations and accounts, and nothing that an organisation owns. It writes into every trail and reads none.
pub async fn identity_reaches_no_store(storage: &dyn Storage) {
    let estate = Estate::new(storage).await;
    let (tenant, store, id) = (estate.world.tenant.id, &estate.store.id, estate.operation.id);
    let begin = async || estate.world.within(Reach::Identity).await;
    let filter = AuditFilter::default();

    assert!(is_out_of_reach(begin().await.stores().get(store).await));
    assert!(is_out_of_reach(begin().await.stores().list(&StoreFilter::default(), PAGE).await));
    assert!(is_out_of_reach(begin().await.stores().insert(&estate.world.draft(1)).await));
    assert!(is_out_of_reach(begin().await.stores().host_is_free(&estate.store.host, at(0)).await));
    assert!(is_out_of_reach(begin().await.operations().get(id).await));
    assert!(is_out_of_reach(begin().await.credentials().get(store).await));
    assert!(is_out_of_reach(begin().await.audit().list(&filter, PAGE).await));
    assert!(is_out_of_reach(begin().await.idempotency().get(tenant, "create", "key", at(-1)).await));
    assert!(is_out_of_reach(begin().await.clusters().get(&estate.world.cluster).await));

    let mut tx = begin().await;
    tx.audit().append(&estate.world.event("signed in", 1)).await.expect("append");
    tx.commit().await.expect("commit");
    assert_eq!(chain(estate.world.begin().await.as_mut(), tenant).await, [2, 1]);
    estate.world.settle().await;
}

/// Passwords, sessions, tokens and keys are identity's alone.
pub async fn nobody_but_identity_reaches_accounts(storage: &dyn Storage) {
    let world = World::new(storage).await;

    for reach in [Reach::Tenant(world.tenant.id), Reach::Platform, Reach::Worker] {
        let begin = async || world.within(reach).await;
        assert!(is_out_of_reach(begin().await.users().get(world.owner.id).await), "{reach:?}");
        assert!(is_out_of_reach(begin().await.users().lock(world.owner.id).await), "{reach:?}");
        assert!(is_out_of_reach(begin().await.users().has_admin().await), "{reach:?}");
        assert!(is_out_of_reach(begin().await.users().set_password_hash(world.owner.id, "x").await), "{reach:?}");
        assert!(is_out_of_reach(begin().await.users().set_active(world.owner.id, false).await), "{reach:?}");
        assert!(is_out_of_reach(begin().await.users().lock_with_administrators(world.owner.id).await), "{reach:?}");
        let accounts = begin().await.users().accounts(&UserFilter::default(), 1, at(0)).await;
        assert!(is_out_of_reach(accounts), "{reach:?}");
        assert!(is_out_of_reach(begin().await.sessions().list(world.owner.id, at(0)).await), "{reach:?}");
        assert!(is_out_of_reach(begin().await.api_tokens().list(world.owner.id).await), "{reach:?}");
        assert!(is_out_of_reach(begin().await.throttles().lock(&[0; 32], at(0)).await), "{reach:?}");
        assert!(is_out_of_reach(begin().await.signing_keys().all().await), "{reach:?}");
    }
}

/// A queue of one tenant's operations is nobody's, and an administrator is no worker.
pub async fn only_a_worker_claims(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let queued = world.queued(0).await;

    for reach in [Reach::Tenant(world.tenant.id), Reach::Platform, Reach::Identity] {
        assert!(is_out_of_reach(world.within(reach).await.operations().claim(new_worker(), LONG).await), "{reach:?}");
        assert!(is_out_of_reach(world.within(reach).await.operations().next_due().await), "{reach:?}");
    }

    let claim = world.claim(new_worker(), LONG).await.expect("a claim");
    assert_eq!(claim.lease.operation_id, queued.id);
    world.settle().await;
}

/// Hosts are unique in the installation: one that another tenant holds is not free, and nothing more is said.
pub async fn a_host_that_another_tenant_holds_is_not_free(storage: &dyn Storage) {
    let (world, other) = (World::new(storage).await, World::new(storage).await);
    let theirs = other.store(0).await;
    let mut tx = world.begin().await;

    assert!(!tx.stores().host_is_free(&theirs.host, at(1_000)).await.expect("look"));
    assert!(tx.stores().host_is_free(&world.draft(0).host, at(1_000)).await.expect("look"));
}

/// Clusters are the platform's to register, and everybody's to know.
pub async fn only_the_platform_registers_clusters(storage: &dyn Storage) {
    let world = World::with_permits(storage, 3).await;
    let row = RegisteredCluster { name: world.cluster.clone(), permits: 4 };

    for reach in [Reach::Tenant(world.tenant.id), Reach::Worker, Reach::Identity] {
        assert!(is_out_of_reach(world.within(reach).await.clusters().upsert(&row).await), "{reach:?}");
        assert!(is_out_of_reach(world.within(reach).await.clusters().census().await), "{reach:?}");
    }
    for reach in [Reach::Tenant(world.tenant.id), Reach::Worker, Reach::Platform] {
        let read = world.within(reach).await.clusters().get(&world.cluster).await.expect("read").expect("the cluster");
        assert_eq!(read.permits, 3, "{reach:?}");
    }
}
