//! The contract of storage, on PostgreSQL: each fact in a database of its own, and all of them one after the other in one.

use shopwright_adapters_postgres::{MIGRATOR, PgSettings, PgStorage};
use shopwright_ports::for_each_storage_fact;
use shopwright_ports::storage::Storage as _;
use shopwright_ports::testing::storage_contract;
use sqlx::PgPool;

macro_rules! test_fact {
    ($fact:ident) => {
        #[sqlx::test(migrator = "MIGRATOR")]
        async fn $fact(pool: PgPool) {
            let storage = PgStorage::from_pool(pool, PgSettings::default());
            storage_contract::$fact(&storage).await;
            storage.close().await;
        }
    };
}

for_each_storage_fact!(test_fact);

#[sqlx::test(migrator = "MIGRATOR")]
async fn all_facts_hold_one_after_the_other_in_one_database(pool: PgPool) {
    let storage = PgStorage::from_pool(pool, PgSettings::default());
    storage_contract::all(&storage).await;
    storage.check().await.expect("the schema is up to date");
    storage.close().await;
}
