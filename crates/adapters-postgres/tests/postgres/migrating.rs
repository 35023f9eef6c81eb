//! A migration that has to lock what others use (RELIABILITY F27).

use std::time::{Duration, Instant};

use shopwright_adapters_postgres::{MIGRATOR, PgSettings};
use shopwright_ports::storage::{Reach, Storage as _, StorageError};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Executor as _};
use tokio_util::task::AbortOnDropHandle;

use crate::shop::{Shop, patient, storage_with, until};

/// Takes the newest migration back that changes a table which is in use, so that it has to be applied again.
const TAKE_BACK: &str = "
    alter table operations drop column saga_version, drop column chart_digest, drop column values_digest, drop column helm_digest;
    alter table operation_steps drop column crashes;
    delete from _sqlx_migrations where version = 20261123090000";

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_migration_that_gets_no_lock_gives_up_and_everybody_else_goes_on(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    let settings = PgSettings {
        migration_lock_timeout: Duration::from_millis(200),
        migration_retries: 3,
        lock_timeout: Duration::from_secs(2),
        max_connections: 4,
        ..patient()
    };
    let storage = storage_with(options.clone(), settings).await;
    let shop = Shop::open(&storage, 10).await;
    let mut replica = options.connect().await.expect("connect");
    let mut other = options.connect().await.expect("connect");
    other.execute(TAKE_BACK).await.expect("an older schema");

    // A long report of somebody's: the weakest lock there is.
    other.execute("begin; select count(*) from operations").await.expect("a reader");
    let migrating = storage.clone();
    let migrating = AbortOnDropHandle::new(tokio::spawn(async move { migrating.migrate().await }));
    let (mut served, mut slowest) = (0, Duration::ZERO);
    while !migrating.is_finished() {
        // A replica that serves: it reads the very table, and writes another one.
        let start = Instant::now();
        replica.execute("select status from operations limit 1").await.expect("read");
        let mut tx = storage.begin(Reach::Platform).await.expect("begin");
        tx.stores().insert(&shop.draft()).await.expect("write");
        tx.commit().await.expect("commit");
        slowest = slowest.max(start.elapsed());
        served += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let refusal = migrating.await.expect("no panic");

    assert!(matches!(refusal, Err(StorageError::Unavailable { .. })), "{refusal:?}");
    let words = refusal.expect_err("refused").to_string();
    assert_eq!(words, "the database does not answer: migrate the schema");
    assert!(served >= 20 && slowest < Duration::from_secs(2), "{served} served, the slowest in {slowest:?}");

    other.execute("commit").await.expect("the reader is done");
    storage.migrate().await.expect("the same, run again");
    storage.check().await.expect("up to date");
    until("nobody holds the lock of migrations", async || {
        let held = "select count(*) from pg_locks where locktype = 'advisory'
            and database = (select oid from pg_database where datname = current_database())";
        sqlx::query_scalar::<_, i64>(held).fetch_one(&mut other).await.expect("look") == 0
    })
    .await;
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_migration_waits_for_its_turn_a_few_times(_: PgPoolOptions, options: PgConnectOptions) {
    let lock_timeout = Duration::from_millis(100);
    let settings = PgSettings { migration_lock_timeout: lock_timeout, migration_retries: 1_000, ..patient() };
    let storage = storage_with(options.clone(), settings).await;
    let mut other = options.connect().await.expect("connect");
    other.execute(TAKE_BACK).await.expect("an older schema");
    other.execute("begin; select count(*) from operations").await.expect("a reader");
    let migrating = storage.clone();
    let migrating = AbortOnDropHandle::new(tokio::spawn(async move { migrating.migrate().await }));
    // It waits, and gives up, while the reader is there.
    for waiting in [1, 0] {
        until("the migration waits, and lets others pass", async || {
            let waits = "select count(*) from pg_locks where not granted and mode = 'AccessExclusiveLock'
                and database = (select oid from pg_database where datname = current_database())";
            sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut other).await.expect("look") == waiting
        })
        .await;
    }

    other.execute("commit").await.expect("the reader is done");

    migrating.await.expect("no panic").expect("migrated");
    storage.check().await.expect("up to date");
    storage.close().await;
}
