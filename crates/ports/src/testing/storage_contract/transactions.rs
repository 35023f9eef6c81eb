//! Transactions: all or nothing.

use super::world::example_tenant;
use crate::storage::Storage;

/// What was not committed is not there.
pub async fn dropping_a_transaction_rolls_it_back(storage: &dyn Storage) {
    let tenant = example_tenant();
    let mut tx = storage.begin().await.expect("begin");
    tx.tenants().insert(&tenant).await.expect("insert");

    drop(tx);

    let mut tx = storage.begin().await.expect("begin");
    assert_eq!(tx.tenants().lock(tenant.id).await.expect("lock"), None);
}
