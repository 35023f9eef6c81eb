//! Transactions: all or nothing.

use super::world::{World, at, example_tenant, idempotency_record};
use crate::storage::{Reach, Storage, StorageError, Unique};

/// What was not committed is not there.
pub async fn dropping_a_transaction_rolls_it_back(storage: &dyn Storage) {
    let tenant = example_tenant();
    let mut tx = storage.begin(Reach::Identity).await.expect("begin");
    tx.tenants().insert(&tenant).await.expect("insert");

    drop(tx);

    let mut tx = storage.begin(Reach::Identity).await.expect("begin");
    assert_eq!(tx.tenants().lock(tenant.id).await.expect("lock"), None);
}

/// Store, operation, audit event and idempotency key stand or fall together.
pub async fn everything_in_a_transaction_becomes_true_at_once(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let store = world.draft(0);
    let operation = world.operation(&store, 0);
    let record = idempotency_record(&operation, "key", at(0));

    for commit in [false, true] {
        let mut tx = world.begin().await;
        tx.stores().insert(&store).await.expect("insert");
        tx.operations().enqueue(&operation, &[]).await.expect("enqueue");
        tx.audit().append(&world.event("created", 0)).await.expect("append");
        tx.idempotency().put(&record).await.expect("put");
        if commit {
            tx.commit().await.expect("commit");
        }
    }

    let mut tx = world.begin().await;
    assert_eq!(tx.stores().get(&store.id).await.expect("read"), Some(store));
    assert_eq!(tx.operations().get(operation.id).await.expect("read"), Some(operation));
    let kept = tx.idempotency().get(world.tenant.id, "create", "key", at(-1)).await.expect("read");
    assert_eq!(kept, Some(record));
    drop(tx);
    assert_eq!(world.messages().await, [(1, "created".to_owned())]);
    world.settle().await;
}

/// After a refusal nothing in the transaction counts, and nobody is told otherwise.
pub async fn a_refused_write_ends_its_transaction(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let store = world.store(0).await;
    let late = world.draft(0);
    let mut tx = world.begin().await;
    tx.stores().insert(&late).await.expect("insert");

    let refusal = tx.stores().insert(&store).await;

    assert!(matches!(refusal, Err(StorageError::NotUnique(Unique::StoreId))), "{refusal:?}");
    assert!(tx.stores().get(&store.id).await.is_err());
    assert!(tx.commit().await.is_err());
    assert_eq!(world.begin().await.stores().get(&late.id).await.expect("read"), None);
}

/// What a row points at must be there, and of the same tenant.
pub async fn a_row_cannot_point_at_what_is_not_there(storage: &dyn Storage) {
    let (world, other) = (World::new(storage).await, World::new(storage).await);
    let store = world.store(0).await;

    let mut orphan = world.draft(0);
    orphan.tenant_id = example_tenant().id;
    let refusal = world.within(Reach::Platform).await.stores().insert(&orphan).await;
    assert!(matches!(refusal, Err(StorageError::Internal { .. })), "{refusal:?}");

    let foreign = other.operation(&store, 0);
    assert!(matches!(other.enqueue(&foreign).await, Err(StorageError::Internal { .. })));
}
