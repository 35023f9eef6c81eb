//! A request may be dropped at any await. Whoever borrows the connection next finds it clean (RELIABILITY F19).

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use shopwright_adapters_postgres::{MIGRATOR, PgSettings, PgStorage};
use shopwright_ports::storage::{Reach, Storage as _, StorageError};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

use crate::shop::{Shop, patient, storage};

/// Lets `future` be polled `polls` times, then drops it. True when it was done before.
pub(crate) async fn drop_after<T>(polls: u32, future: impl Future<Output = T>) -> bool {
    drop_after_or(polls, future).await.is_some()
}

/// Lets `future` be polled `polls` times, then drops it. What it came to when it was done before.
async fn drop_after_or<T>(polls: u32, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// Locks the tenant, looks, and commits. Between statements it waits for something else, so that it can be dropped there, too.
async fn work(storage: &PgStorage, shop: &Shop) -> Result<(), StorageError> {
    let mut tx = storage.begin(Reach::Worker).await?;
    tokio::task::yield_now().await;
    tx.tenants().lock(shop.tenant).await?;
    tokio::task::yield_now().await;
    tx.stores().count_live(shop.tenant).await?;
    tx.commit().await
}

/// What a clean borrower does: it must see no transaction, wait for no lock of a dropped one, and fail in no way.
async fn is_clean(storage: &PgStorage, shop: &Shop, round: u32) {
    let mut tx = storage.begin(Reach::Worker).await.unwrap_or_else(|error| panic!("round {round}: {error:?}"));
    tx.tenants().lock(shop.tenant).await.unwrap_or_else(|error| panic!("round {round}: {error:?}"));
    tx.commit().await.unwrap_or_else(|error| panic!("round {round}: {error:?}"));
}

/// F19.
#[sqlx::test(migrator = "MIGRATOR")]
async fn a_transaction_that_is_dropped_at_any_poll_leaves_a_clean_connection(
    _: PgPoolOptions,
    options: PgConnectOptions,
) {
    // One connection: the next borrower gets the very one that was dropped, or a new one in its place.
    let storage = storage(options.clone(), 1).await;
    let shop = Shop::open(&storage, 1).await;

    // On an idle machine answers are there before the next poll, and most rounds end by themselves: so many drops, not so many rounds.
    let (mut dropped, mut round) = (0, 0);
    while dropped < 500 {
        assert!(round < 20_000, "only {dropped} of {round} were dropped on the way");
        let finished = drop_after(1 + round % 23, work(&storage, &shop)).await;
        dropped += u32::from(!finished);
        if round < 100 {
            // Before the next borrower could end what was left open.
            sessions(&options, "state like 'idle in transaction%'", 0).await;
        }
        is_clean(&storage, &shop, round).await;
        round += 1;
    }

    sessions(&options, "state like 'idle in transaction%'", 0).await;
    storage.close().await;
}

/// Drops at random points: before `BEGIN` is sent, while it is under way, between statements, in the commit, after it.
struct Moments(u64);

impl Moments {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        1 + u32::try_from((self.0 >> 33) % 40).expect("a small number")
    }
}

/// F19.
#[sqlx::test(migrator = "MIGRATOR")]
async fn ten_thousand_random_drops_side_by_side_leave_a_clean_pool(_: PgPoolOptions, options: PgConnectOptions) {
    const DROPS: u32 = 10_000;
    let storage = storage(options.clone(), 4).await;
    let shop = Shop::open(&storage, 1).await;
    let dropped = AtomicU32::new(0);

    let clients = (0..8).map(async |client| {
        let mut moments = Moments(client);
        let (mut mine, mut finished) = (0, 0);
        while dropped.load(Ordering::Relaxed) < DROPS {
            if let Some(answer) = drop_after_or(moments.next(), work(&storage, &shop)).await {
                // 25P02 and 25P01, a transaction that somebody else left behind or ended, would be internal errors.
                answer.unwrap_or_else(|error| panic!("after {mine} drops: {error:?}"));
                finished += 1;
            } else {
                mine += 1;
                dropped.fetch_add(1, Ordering::Relaxed);
            }
            // The answers of an idle server are there at once: without this the first poll would mostly find none of them.
            if finished % 3 == 0 {
                tokio::task::yield_now().await;
            }
        }
        (mine, finished)
    });
    let ends = futures::future::join_all(clients).await;

    println!("dropped and finished, by client: {ends:?}");
    sessions(&options, "state like 'idle in transaction%'", 0).await;
    for round in 0..20 {
        is_clean(&storage, &shop, round).await;
    }
    assert!(ends.iter().all(|(dropped, _)| *dropped > 0), "{ends:?}");
    storage.close().await;
}

/// F19: what a statement still has to say is waited for by nobody.
#[sqlx::test(migrator = "MIGRATOR")]
async fn a_wait_for_a_lock_that_is_dropped_gives_its_place_up(_: PgPoolOptions, options: PgConnectOptions) {
    let storage = storage(options.clone(), 1).await;
    let shop = Shop::open(&storage, 1).await;
    // Whoever comes second is not waited for.
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options.clone());
    let hasty = PgStorage::from_pool(pool, PgSettings { queue_timeout: Duration::from_millis(1), ..patient() });
    let mut holder = storage.begin(Reach::Worker).await.expect("begin");
    holder.tenants().lock(shop.tenant).await.expect("lock");
    {
        let mut waits = pin!(work(&hasty, &shop));
        let mut observed = pin!(sessions(&options, "wait_event_type = 'Lock'", 1));
        let first = futures::future::select(waits.as_mut(), observed.as_mut()).await;
        assert!(matches!(first, futures::future::Either::Right(_)), "it must wait for the lock");
    }

    // The waiter is gone here: its place is free at once, and its session ends although the lock is still held.
    let next = hasty.begin(Reach::Worker).await.expect("a place");
    sessions(&options, "wait_event_type = 'Lock'", 0).await;

    next.commit().await.expect("commit");
    holder.commit().await.expect("commit");
    is_clean(&storage, &shop, 0).await;
    for storage in [storage, hasty] {
        storage.close().await;
    }
}

/// Looks until as many sessions of this database are in the condition as expected, for as long as half a lock timeout: what only ends
/// with that timeout is noticed.
async fn sessions(options: &PgConnectOptions, condition: &str, expected: i64) {
    let mut connection = options.connect().await.expect("connect");
    let statement = format!(
        "select count(*) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and {condition}"
    );
    let mut count = -1;
    let look = async {
        while count != expected {
            let row = sqlx::query(AssertSqlSafe(statement.clone())).fetch_one(&mut connection).await.expect("look");
            count = row.get(0);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(PgSettings::default().lock_timeout / 2, look).await.is_ok();
    assert!(in_time, "{count} sessions, not {expected}, with {condition}");
    connection.close().await.expect("close");
}
