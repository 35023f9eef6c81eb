//! What every session is told, and sessions whose server may not write any more.

use std::collections::BTreeMap;
use std::time::Duration;

use shopwright_adapters_postgres::{PgSettings, PgStorage};
use shopwright_ports::storage::{Reach, Storage as _, StorageError};
use sqlx::postgres::PgPoolOptions;
use sqlx::{ConnectOptions as _, PgPool, Row as _};

use crate::own_server::{ROLE, SUPERUSER, Server};
use crate::shop::{LEASE, Shop, claim, patient, storage_with, until};

async fn migrated(server: &Server, settings: PgSettings) -> PgStorage {
    let storage = storage_with(server.options(ROLE), settings).await;
    storage.migrate().await.expect("migrated");
    storage
}

/// The settings of the session in which the view `told` is read inside a transaction of the product.
async fn told(server: &Server, storage: &PgStorage, shop: &Shop) -> BTreeMap<String, String> {
    // The trigger speaks from within the product's own transaction.
    let mut observer = server.options(SUPERUSER).connect().await.expect("connect");
    sqlx::raw_sql(
        "create table told (name text, setting text);
         grant all on told to public;
         create function tell() returns trigger language plpgsql as $$ begin
             delete from told;
             insert into told select name, setting from pg_settings;
             return new;
         end $$;
         create trigger tell after insert on stores for each row execute function tell();",
    )
    .execute(&mut observer)
    .await
    .expect("listen");
    let mut tx = storage.begin(Reach::Platform).await.expect("begin");
    tx.stores().insert(&shop.draft()).await.expect("insert");
    tx.commit().await.expect("commit");
    let rows = sqlx::query("select name, setting from told").fetch_all(&mut observer).await.expect("read");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn a_session_has_the_limits_of_the_product_whatever_the_servers_defaults() {
    // F17, F22, F25: every one of these is something else by the server's defaults.
    let server = Server::start("-c synchronous_commit=off").await;
    let storage = migrated(&server, PgSettings { application_name: "shopwright-api".into(), ..patient() }).await;
    let shop = Shop::open(&storage, 1).await;

    let told = told(&server, &storage, &shop).await;

    let expected = [
        ("application_name", "shopwright-api"),
        ("client_connection_check_interval", "500"),
        ("idle_in_transaction_session_timeout", "5000"),
        ("lock_timeout", "5000"),
        ("statement_timeout", "10000"),
        ("synchronous_commit", "on"),
        ("tcp_keepalives_count", "3"),
        ("tcp_keepalives_idle", "5"),
        ("tcp_keepalives_interval", "2"),
        ("tcp_user_timeout", "10000"),
        ("transaction_isolation", "read committed"),
    ];
    for (name, value) in expected {
        assert_eq!(told.get(name).map(String::as_str), Some(value), "{name}");
    }
    if let Some(limit) = told.get("transaction_timeout") {
        assert_eq!(limit, "30000");
    }

    // They end with the transaction: whoever gets the session from a pooler next has his own (S16).
    let bare = PgPoolOptions::new().max_connections(1).connect_with(server.options(ROLE)).await.expect("connect");
    let through_pool = PgStorage::from_pool(bare.clone(), PgSettings::default());
    through_pool.begin(Reach::Worker).await.expect("begin").commit().await.expect("commit");
    for (name, value) in [("synchronous_commit", "off"), ("statement_timeout", "0"), ("tcp_user_timeout", "0")] {
        let after: String = sqlx::query_scalar("select setting from pg_settings where name = $1")
            .bind(name)
            .fetch_one(&bare)
            .await
            .expect("look");
        assert_eq!(after, value, "{name} after the transaction");
    }
    through_pool.close().await;
    storage.close().await;
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_crash_whatever_the_servers_default() {
    // F17: with the server's default, what was committed within the last ten seconds would be lost.
    let server =
        Server::start("-c synchronous_commit=off -c wal_writer_delay=10000 -c wal_writer_flush_after=1GB").await;
    let storage = migrated(&server, patient()).await;
    let shop = Shop::open(&storage, 1).await;
    let mut acknowledged = Vec::new();
    for _ in 0..50 {
        acknowledged.push(shop.queue(&storage).await);
    }

    server.crash();
    server.boot();

    let mut kept = Vec::new();
    until("the server answers again", async || storage.check().await.is_ok()).await;
    let mut tx = storage.begin(Reach::Worker).await.expect("begin");
    for id in &acknowledged {
        kept.extend(tx.operations().get(*id).await.expect("read").map(|operation| operation.id));
    }
    assert_eq!(kept, acknowledged);
    drop(tx);
    storage.close().await;
}

/// The processes that serve the pool.
async fn served_by(pool: &PgPool) -> Vec<i32> {
    let pids = "select pid from pg_stat_activity where application_name = 'pooled' order by pid";
    sqlx::query_scalar(pids).fetch_all(pool).await.expect("look")
}

#[tokio::test]
async fn sessions_that_ended_while_nobody_used_them_cost_nobody_a_transaction() {
    // F25: beginning is how a connection says that it lives.
    const SESSIONS: u32 = 3;
    let server = Server::start("").await;
    let settings = PgSettings { application_name: "pooled".into(), max_connections: SESSIONS, ..patient() };
    let storage = migrated(&server, settings).await;
    let begin_all = || futures::future::try_join_all((0..SESSIONS).map(|_| storage.begin(Reach::Worker)));
    for tx in begin_all().await.expect("begin") {
        tx.commit().await.expect("commit");
    }
    let mut observer = server.options(ROLE).connect().await.expect("connect");
    let end = "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'pooled'";
    let ended: i64 = sqlx::query_scalar(end).fetch_one(&mut observer).await.expect("end them");
    assert!(ended >= i64::from(SESSIONS), "{ended} sessions");

    let begun = begin_all().await.expect("on new sessions");

    assert_eq!(begun.len(), 3);
    drop(begun);
    storage.close().await;
}

#[tokio::test]
async fn a_session_of_a_demoted_primary_is_not_kept() {
    // F18: the server turns read-only under sessions that the pool has already.
    let server = Server::start("").await;
    let settings = PgSettings { application_name: "pooled".into(), max_connections: 3, ..patient() };
    let storage = migrated(&server, settings).await;
    let shop = Shop::open(&storage, 10).await;
    shop.queue(&storage).await;
    let lease = claim(&storage, 1, LEASE).await.expect("claim").expect("an operation").lease;
    let both = futures::future::join_all([
        storage.begin(Reach::Worker),
        storage.begin(Reach::Worker),
        storage.begin(Reach::Worker),
    ])
    .await;
    drop(both.into_iter().map(|tx| tx.expect("begin")).collect::<Vec<_>>());
    let admin = PgPoolOptions::new().connect_with(server.options(SUPERUSER)).await.expect("connect");
    let before = served_by(&admin).await;

    server.execute("alter system set default_transaction_read_only = on").await;
    server.execute("select pg_reload_conf()").await;

    until("no session of before is kept", async || {
        let refused = storage.begin(Reach::Worker).await.map(|_| ());
        assert!(matches!(refused, Ok(()) | Err(StorageError::Unavailable { .. })), "{refused:?}");
        let renewed = storage.renew(std::slice::from_ref(&lease), LEASE).await;
        assert!(matches!(renewed, Ok(_) | Err(StorageError::Unavailable { .. })), "{renewed:?}");
        let now = served_by(&admin).await;
        before.iter().all(|pid| !now.contains(pid))
    })
    .await;
    let words = storage.begin(Reach::Worker).await.map(|_| ()).expect_err("refused");
    let why = std::error::Error::source(&words).map(ToString::to_string);
    assert_eq!(why.as_deref(), Some("the server takes no writes: a standby, or a primary that was demoted"));
    assert!(matches!(storage.check().await, Err(StorageError::Unavailable { .. })), "a replica on it is not ready");

    server.execute("alter system reset default_transaction_read_only").await;
    server.execute("select pg_reload_conf()").await;
    until("everything goes on", async || storage.begin(Reach::Worker).await.is_ok()).await;
    until("the lease is renewed", async || {
        storage.renew(std::slice::from_ref(&lease), LEASE).await.is_ok_and(|renewed| renewed == [lease.clone()])
    })
    .await;
    admin.close().await;
    storage.close().await;
}

#[tokio::test]
async fn a_transaction_that_takes_too_long_is_ended_on_every_server() {
    // F22: by the server where it can, by us where it cannot.
    let server = Server::start("").await;
    let settings = PgSettings { transaction_timeout: Duration::from_millis(300), ..patient() };
    let storage = migrated(&server, settings).await;
    let shop = Shop::open(&storage, 1).await;
    let mut tx = storage.begin(Reach::Worker).await.expect("begin");
    let mut reads = 0;

    let end = loop {
        // Never idle, never slow: only long.
        match tx.stores().count_live(shop.tenant).await {
            Ok(_) => reads += 1,
            Err(error) => break error,
        }
        assert!(reads < 100_000, "nobody ends it");
    };

    assert!(matches!(end, StorageError::Unavailable { .. }), "{end:?}");
    assert!(reads > 3, "{reads}");
    assert!(tx.commit().await.is_err());
    storage.close().await;
}
