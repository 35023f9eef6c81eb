//! Migrating, telling whether that is needed, and rows and servers that are not as they should be.

use secrecy::SecretString;
use shopwright_adapters_postgres::{MIGRATOR, PgSettings, PgStorage};
use shopwright_ports::storage::{Reach, Storage as _, StorageError};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::shop::{Shop, storage};

async fn check(pool: &PgPool) -> String {
    let storage = PgStorage::from_pool(pool.clone(), PgSettings::default());
    storage.check().await.map_or_else(|error| error.to_string(), |()| "fine".to_owned())
}

#[sqlx::test(migrations = false)]
async fn an_empty_database_says_what_to_run_and_is_fine_afterwards(pool: PgPool) {
    let storage = PgStorage::from_pool(pool.clone(), PgSettings::default());
    assert_eq!(check(&pool).await, "the database has no schema: run `shopwright migrate`");

    // Two at once, as when two replicas start.
    let (first, second) = futures::join!(storage.migrate(), storage.migrate());

    first.and(second).expect("migrated");
    assert_eq!(check(&pool).await, "fine");
    storage.migrate().await.expect("nothing to do");
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_schema_that_is_older_or_another_is_named(pool: PgPool) {
    let newest = MIGRATOR.iter().map(|migration| migration.version).max().expect("a migration");
    let change =
        async |statement: &'static str| sqlx::query(statement).bind(newest).execute(&pool).await.expect("change");

    change("update _sqlx_migrations set checksum = 'x'::bytea where version = $1").await;
    assert!(check(&pool).await.starts_with(&format!("migration {newest} of the database is not the one")));

    change("delete from _sqlx_migrations where version = $1").await;
    let needs = format!("the database's schema is too old: migration {newest} is missing: run `shopwright migrate`");
    assert_eq!(check(&pool).await, needs);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_schema_that_is_newer_is_accepted(pool: PgPool) {
    let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
        values (99991231235959, 'from the future', true, '', 0)";
    sqlx::query(newer).execute(&pool).await.expect("insert");

    assert_eq!(check(&pool).await, "fine");
    let storage = PgStorage::from_pool(pool, PgSettings::default());
    storage.migrate().await.expect("nothing to do");
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_row_that_cannot_be_read_is_named(pool: PgPool) {
    let storage = PgStorage::from_pool(pool.clone(), PgSettings::default());
    let shop = Shop::open(&storage, 1).await;
    let id = shop.queue(&storage).await;
    sqlx::query("update stores set engine = 'Abacus 2'").execute(&pool).await.expect("update");

    let mut tx = storage.begin(Reach::Worker).await.expect("begin");
    let store_id = tx.operations().get(id).await.expect("read").expect("the operation").store_id;
    let error = tx.stores().get(&store_id).await.expect_err("nothing is named like that");

    let expected = format!("stores.engine of {store_id} cannot be read: an engine's name is at most 32");
    assert!(error.to_string().starts_with(&expected), "{error}");
    drop(tx);
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_session_that_the_server_ends_is_unavailable_and_replaced(_: PgPoolOptions, options: PgConnectOptions) {
    let storage = storage(options.clone(), 1).await;
    let shop = Shop::open(&storage, 1).await;
    let mut tx = storage.begin(Reach::Worker).await.expect("begin");
    tx.tenants().lock(shop.tenant).await.expect("lock");
    let killer = PgPoolOptions::new().connect_with(options).await.expect("connect");
    let kill = "select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()";
    sqlx::query(kill).execute(&killer).await.expect("kill");

    let error = tx.tenants().lock(shop.tenant).await.expect_err("the session is gone");
    drop(tx);
    let mut next = storage.begin(Reach::Worker).await.expect("a new session");
    next.tenants().lock(shop.tenant).await.expect("lock");

    assert!(matches!(error, StorageError::Unavailable { .. }), "{error:?}");
    drop(next);
    killer.close().await;
    storage.close().await;
}

#[tokio::test]
async fn no_database_is_unavailable_and_its_password_is_kept() {
    let url = SecretString::from("postgres://ada:open-sesame@localhost/x?host=/nonexistent".to_owned());
    let error = PgStorage::connect(&url, PgSettings::default()).await.expect_err("there is no server");
    assert!(matches!(error, StorageError::Unavailable { .. }), "{error:?}");
    assert!(!format!("{error:?}").contains("open-sesame"), "{error:?}");

    let url = SecretString::from("open-sesame".to_owned());
    let error = PgStorage::connect(&url, PgSettings::default()).await.expect_err("this is no URL");
    assert!(!format!("{error:?}").contains("open-sesame"), "{error:?}");
}

#[tokio::test]
async fn a_database_by_its_url_can_be_migrated_and_used() {
    let url = std::env::var("DATABASE_URL").expect("DATABASE_URL: see tests/postgres.sh");
    let storage = PgStorage::connect(&SecretString::from(url), PgSettings::default()).await.expect("connect");

    let answers = storage.begin(Reach::Worker).await.expect("begin").commit().await;

    answers.expect("an empty transaction");
    storage.close().await;
}
