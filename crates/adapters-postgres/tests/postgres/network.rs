//! Networks that swallow packets, and pools that have nothing to give.

use std::time::{Duration, Instant};

use shopwright_adapters_postgres::{MIGRATOR, PgSettings, PgStorage};
use shopwright_ports::storage::{Reach, Storage as _, StorageError};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Executor as _};

use crate::proxy::{Network, Proxy};
use crate::shop::{LEASE, Shop, claim, patient, storage, storage_with, until};

/// The product's limits, a fifth as long.
fn quick() -> PgSettings {
    PgSettings {
        acquire_timeout: Duration::from_secs(1),
        statement_timeout: Duration::from_secs(2),
        lock_timeout: Duration::from_secs(1),
        idle_in_transaction_timeout: Duration::from_secs(1),
        transaction_timeout: Duration::from_secs(6),
        answer_margin: Duration::from_millis(400),
        renew_timeout: Duration::from_millis(1500),
        max_connections: 2,
        ..PgSettings::default()
    }
}

/// The lease that goes with it.
const L: Duration = Duration::from_secs(2);

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_claim_in_a_network_that_swallows_packets_is_free_within_three_leases(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    // F25: nobody is told that the other side is gone. The claim is not committed, so its locks are all that holds it.
    let direct = storage(options.clone(), 2).await;
    Shop::open(&direct, 10).await.queue(&direct).await;
    let proxy = Proxy::in_front_of(&options).await;
    let cut_off = storage_with(proxy.through(&options), quick()).await;
    let mut tx = cut_off.begin(Reach::Worker).await.expect("begin");
    tx.operations().claim(crate::shop::worker(1), L).await.expect("claim").expect("an operation");
    assert_eq!(claim(&direct, 2, LEASE).await.expect("claim"), None, "somebody is just taking it");

    let start = Instant::now();
    proxy.set(Network::Swallows);
    until("another worker has the operation", async || claim(&direct, 2, LEASE).await.expect("claim").is_some()).await;
    let freed = start.elapsed();

    // The one that is cut off notices by itself as well.
    let end = tx.commit().await;
    let noticed = start.elapsed();
    assert!(matches!(end, Err(StorageError::Unavailable { .. })), "{end:?}");
    assert!(freed < 3 * L && noticed < 3 * L, "freed after {freed:?}, noticed after {noticed:?}");
    direct.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_storage_that_was_cut_off_without_a_word_comes_back(_: PgPoolOptions, options: PgConnectOptions) {
    // F25, the client's side: every call ends in its time, renewals of leases too, and the pool throws its dead connections away.
    let direct = storage(options.clone(), 1).await;
    let shop = Shop::open(&direct, 10).await;
    shop.queue(&direct).await;
    let proxy = Proxy::in_front_of(&options).await;
    let storage = storage_with(proxy.through(&options), quick()).await;
    let lease = claim(&storage, 1, LEASE).await.expect("claim").expect("an operation").lease;
    storage.renew(std::slice::from_ref(&lease), LEASE).await.expect("renew");
    let mut waiting = storage.begin(Reach::Worker).await.expect("begin");

    proxy.set(Network::Swallows);
    let start = Instant::now();
    let (answer, begun, ready, renewed) = futures::join!(
        waiting.tenants().lock(shop.tenant),
        async { storage.begin(Reach::Worker).await.map(|_| ()) },
        storage.check(),
        storage.renew(std::slice::from_ref(&lease), LEASE),
    );
    let took = start.elapsed();
    drop(waiting);

    assert!(matches!(answer, Err(StorageError::Unavailable { .. })), "{answer:?}");
    assert!(matches!(begun, Err(StorageError::Unavailable { .. })), "{begun:?}");
    assert!(matches!(ready, Err(StorageError::Unavailable { .. })), "{ready:?}");
    assert!(matches!(renewed, Err(StorageError::Unavailable { .. })), "{renewed:?}");
    assert!(took < 2 * L, "{took:?}");

    proxy.set(Network::Passes);
    let start = Instant::now();
    let renew = async || storage.renew(std::slice::from_ref(&lease), LEASE).await;
    until("leases are renewed", async || renew().await.is_ok()).await;
    until("transactions begin", async || storage.begin(Reach::Worker).await.is_ok()).await;
    assert!(start.elapsed() < 5 * L, "{:?}", start.elapsed());
    storage.close().await;
    direct.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_connection_that_says_nothing_is_given_up_long_before_a_statement_would_be(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    // F25: a dead connection must not cost its borrower the whole wait for an answer.
    let proxy = Proxy::in_front_of(&options).await;
    let longest = patient().statement_timeout;
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(1));
    let pool = pool.test_before_acquire(false).connect_lazy_with(proxy.through(&options));
    let storage = PgStorage::from_pool(pool.clone(), patient());
    storage.begin(Reach::Worker).await.expect("begin").commit().await.expect("commit");
    until("the connection is back", async || pool.num_idle() == 1).await;
    proxy.set(Network::Swallows);

    let start = Instant::now();
    let begun = storage.begin(Reach::Worker).await.map(|_| ());
    let took = start.elapsed();

    assert!(matches!(begun, Err(StorageError::Unavailable { .. })), "{begun:?}");
    assert!(took < longest, "{took:?}");
    proxy.set(Network::Passes);
    until("transactions begin", async || storage.begin(Reach::Worker).await.is_ok()).await;
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_connection_that_is_cut_off_on_its_way_back_does_not_keep_its_place(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    // F25: the only connection of the renewals has said its last word, and nobody answers the pool that looks after it.
    let direct = storage(options.clone(), 1).await;
    Shop::open(&direct, 10).await.queue(&direct).await;
    let proxy = Proxy::in_front_of(&options).await;
    let storage = storage_with(proxy.through(&options), quick()).await;
    let lease = claim(&storage, 1, LEASE).await.expect("claim").expect("an operation").lease;

    proxy.set(Network::SwallowsAfterCommit);
    let renew = async || storage.renew(std::slice::from_ref(&lease), LEASE).await;
    assert_eq!(renew().await.expect("the answer arrives"), std::slice::from_ref(&lease));
    assert_eq!(proxy.is(), Network::Swallows);
    assert!(matches!(renew().await, Err(StorageError::Unavailable { .. })));

    proxy.set(Network::Passes);
    until("leases are renewed", async || renew().await.is_ok()).await;
    storage.close().await;
    direct.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_exhausted_pool_refuses_in_time_and_leases_are_renewed(_: PgPoolOptions, options: PgConnectOptions) {
    // F26: two slow requests hold both connections.
    let waits = Duration::from_millis(300);
    let settings = PgSettings { queue_timeout: waits, acquire_timeout: waits, max_connections: 2, ..patient() };
    let storage = storage_with(options.clone(), settings).await;
    let shop = Shop::open(&storage, 10).await;
    shop.queue(&storage).await;
    let lease = claim(&storage, 1, LEASE).await.expect("claim").expect("an operation").lease;
    let mut holder = options.connect().await.expect("connect");
    holder.execute("begin; select * from tenants for update").await.expect("what makes them slow");
    let slow = async || {
        let mut tx = storage.begin(Reach::Worker).await?;
        tx.tenants().lock(shop.tenant).await?;
        tx.commit().await
    };
    let impatient = async {
        until("both wait", async || {
            let waiting =
                "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
            sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut holder).await.expect("look") == 2
        })
        .await;
        for _ in 0..3 {
            let start = Instant::now();
            let refusal = storage.begin(Reach::Worker).await.map(|_| ());
            assert!(matches!(refusal, Err(StorageError::Unavailable { .. })), "{refusal:?}");
            let took = start.elapsed();
            assert!(took >= waits && took < Duration::from_secs(3), "{took:?}");
            let ready = storage.check().await;
            assert!(matches!(ready, Err(StorageError::Unavailable { .. })), "not ready either: {ready:?}");
            let renewed = storage.renew(std::slice::from_ref(&lease), LEASE).await.expect("on its own connection");
            assert_eq!(renewed, std::slice::from_ref(&lease));
        }
        holder.execute("rollback").await.expect("it is over");
    };

    let (first, second, ()) = futures::join!(slow(), slow(), impatient);

    first.and(second).expect("late, and right");
    storage.check().await.expect("ready again");
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_burst_waits_its_turn_longer_than_a_connection_may_take(_: PgPoolOptions, options: PgConnectOptions) {
    // F26: each has its connection for a moment, and the last one waits for all the others.
    let settings = PgSettings { acquire_timeout: Duration::from_millis(200), max_connections: 2, ..patient() };
    let storage = storage_with(options, settings).await;
    let moment = async || {
        let tx = storage.begin(Reach::Worker).await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        tx.commit().await
    };

    let answers = futures::future::join_all((0..40).map(|_| moment())).await;

    assert_eq!(answers.into_iter().collect::<Result<Vec<_>, _>>().map(|all| all.len()).expect("all of them"), 40);
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn nobody_waits_their_turn_for_a_database_that_is_down(_: PgPoolOptions, options: PgConnectOptions) {
    // F26: the patience of a minute is for others who are at work, not for an outage.
    let proxy = Proxy::in_front_of(&options).await;
    let settings = PgSettings { queue_timeout: Duration::from_mins(1), ..quick() };
    let storage = storage_with(proxy.through(&options), settings).await;
    proxy.set(Network::Swallows);

    let start = Instant::now();
    let refused = futures::future::join_all((0..40).map(|_| storage.begin(Reach::Worker))).await;
    let took = start.elapsed();

    assert!(refused.iter().all(|answer| matches!(answer, Err(StorageError::Unavailable { .. }))));
    assert!(took < Duration::from_secs(10), "{took:?}");
    proxy.set(Network::Passes);
    until("transactions begin", async || storage.begin(Reach::Worker).await.is_ok()).await;
    storage.close().await;
}
