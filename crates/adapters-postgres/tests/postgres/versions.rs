//! Rows that a newer program has written (RELIABILITY F13). The contract has those that say so; these do not.

use shopwright_adapters_postgres::MIGRATOR;
use shopwright_domain::OperationId;
use shopwright_ports::storage::{Page, Reach, Storage as _, StorageError, StoreFilter};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};

use crate::shop::{LEASE, Shop, claim, storage};

/// What a later version may do: the schema lets it after its own migrations.
const LATER: [(&str, &str, &str); 5] = [
    ("operations.kind", "operations", "kind = 'backup'"),
    ("operations.step", "operations", "step = 'copy_volumes'"),
    ("operations.saga_version and kind", "operations", "kind = 'backup', saga_version = 2"),
    ("operation_steps.step", "operation_steps", "step = 'copy_volumes'"),
    ("stores.engine", "stores", "engine = 'Abacus 2'"),
];

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_row_of_a_later_version_stops_neither_the_queue_nor_a_list(_: PgPoolOptions, options: PgConnectOptions) {
    let storage = storage(options.clone(), 2).await;
    let shop = Shop::open(&storage, 1_000).await;
    let mut later = options.connect().await.expect("connect");
    later.execute("alter table operations drop constraint operations_kind_check").await.expect("a later migration");
    let mut strange = Vec::new();
    for (what, table, change) in LATER {
        // More than a claim tries, of each.
        for _ in 0..12 {
            let id = shop.queue(&storage).await;
            let statement = match table {
                "stores" => {
                    format!("update stores set {change} where id = (select store_id from operations where id = '{id}')")
                }
                "operation_steps" => format!(
                    "insert into operation_steps (operation_id, tenant_id, step, status, attempts, waits, outage_us)
                     select id, tenant_id, 'copy_volumes', 'started', 1, 0, 0 from operations where id = '{id}'"
                ),
                _ => format!("update {table} set {change} where id = '{id}'"),
            };
            later.execute(AssertSqlSafe(statement)).await.expect("a later version writes");
            strange.push((what, id));
        }
    }
    // Younger than all of them.
    let ours = [shop.queue(&storage).await, shop.queue(&storage).await];

    let mut claimed = Vec::new();
    for poll in 0..20 {
        claimed.extend(claim(&storage, poll, LEASE).await.expect("a claim meets nothing that it cannot read"));
    }

    assert_eq!(claimed.iter().map(|claim| claim.operation.id).collect::<Vec<_>>(), ours, "and nobody else's");
    let untouched: i64 = sqlx::query_scalar("select count(*) from operations where epoch = 0 and worker is null")
        .fetch_one(&mut later)
        .await
        .expect("count");
    assert_eq!(untouched, 60, "as the later version has left them");
    for (what, id) in strange {
        let said = refusal(&storage, id).await;
        let named = what.split(" and ").last().map_or("", |column| column.split('.').next_back().unwrap_or(column));
        assert!(said.contains(named) && said.contains("cannot be read"), "{what}: {said}");
    }
    let mut tx = storage.begin(Reach::Worker).await.expect("begin");
    let filter = StoreFilter { tenant_id: Some(shop.tenant), ..StoreFilter::default() };
    let (stores, total) = tx.stores().list(&filter, Page { limit: 100, offset: 0 }).await.expect("a list");
    assert_eq!((stores.len(), total), (50, 62), "all but those of an unknown engine");
    assert_eq!(tx.operations().next_due().await.expect("look"), claimed[0].operation.lease_expires_at);
    drop(tx);
    storage.close().await;
}

/// What reading the operation, its steps and its store says.
async fn refusal(storage: &shopwright_adapters_postgres::PgStorage, id: OperationId) -> String {
    let mut tx = storage.begin(Reach::Worker).await.expect("begin");
    let said = match tx.operations().get(id).await {
        Err(error) => error,
        Ok(operation) => {
            let store_id = operation.expect("the operation").store_id;
            match (tx.operations().steps(id).await, tx.stores().get(&store_id).await) {
                (Err(error), _) | (_, Err(error)) => error,
                (Ok(_), Ok(_)) => panic!("{id} can be read"),
            }
        }
    };
    assert!(matches!(said, StorageError::Corrupt { .. }), "{said:?}");
    // It names the row: by itself, or as the store of the operation.
    said.to_string()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_store_whose_newest_operation_is_unknown_says_so_itself(_: PgPoolOptions, options: PgConnectOptions) {
    let storage = storage(options.clone(), 1).await;
    let shop = Shop::open(&storage, 10).await;
    let (strange, plain) = (shop.queue(&storage).await, shop.queue(&storage).await);
    let mut later = options.connect().await.expect("connect");
    later.execute("alter table operations drop constraint operations_kind_check").await.expect("a later migration");
    let change = format!("update operations set kind = 'backup' where id = '{strange}' returning store_id");
    let id: String = sqlx::query_scalar(AssertSqlSafe(change)).fetch_one(&mut later).await.expect("a later version");
    let mut tx = storage.begin(Reach::Worker).await.expect("begin");

    let error = tx.operations().latest_of(&id.parse().expect("an id")).await.expect_err("nobody knows this kind");
    let other = tx.operations().get(plain).await.expect("read").expect("the other operation");
    let latest = tx.operations().latest_of(&other.store_id).await.expect("the other store's");

    let expected = format!("operations.kind of {strange} cannot be read: `backup` is not a operation kind");
    assert_eq!(error.to_string(), expected);
    assert_eq!(latest, Some(other));
    drop(tx);
    storage.close().await;
}
