//! How the queue behaves when it is long, and when the server cannot clean up behind it.

use std::time::{Duration, Instant};

use shopwright_adapters_postgres::{MIGRATOR, PgStorage};
use shopwright_domain::OperationId;
use shopwright_domain::operation::{Operation, OperationKind, OperationStatus};
use shopwright_ports::storage::{Reach, Storage as _};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, PgConnection, Row as _};

use crate::shop::{LEASE, Shop, claim, now, storage, until};

/// 12,000 stores: 10,000 with an operation that is finished, 2,000 with one that waits, is queued or runs.
const MANY: &str = "
    insert into stores (id, tenant_id, owner_id, cluster, name, host, engine, state, epoch, row_version, retry_count, created_at, updated_at)
    select 'store-' || lpad(to_hex(n), 8, '0'), t.id, u.id, 'default', 'many-' || n, 'many-' || n || '.localhost', 'medusa',
           case when n <= 10000 then 'ready' else 'provisioning' end, 1, 1, 0, now(), now()
    from generate_series(1, 12000) n, tenants t, users u;
    insert into operations (id, tenant_id, store_id, kind, status, step, attempt, epoch, worker, lease_expires_at, wake_at, created_at)
    select gen_random_uuid(), s.tenant_id, s.id, 'provision',
           case when n <= 10000 then 'succeeded' when n <= 10900 then 'queued' when n <= 11980 then 'waiting' else 'running' end,
           'publish', 0, 1,
           case when n > 11980 then gen_random_uuid() end,
           case when n > 11980 then now() + interval '1 hour' end,
           case when n > 10900 and n <= 11980 then now() + interval '1 hour' end,
           now() - interval '1 day' + n * interval '1 second'
    from generate_series(1, 12000) n join stores s on s.id = 'store-' || lpad(to_hex(n), 8, '0');
    analyze stores; analyze operations";

fn median(mut samples: Vec<Duration>) -> Duration {
    samples.sort();
    samples[samples.len() / 2]
}

/// How many rows of the large tables were read so far: one after another, and by an index.
async fn reads(observer: &mut PgConnection) -> (i64, i64) {
    observer.execute("select pg_stat_force_next_flush()").await.expect("flush");
    let row = sqlx::query(
        "select coalesce(sum(seq_tup_read), 0)::bigint, coalesce(sum(idx_tup_fetch), 0)::bigint
         from pg_stat_user_tables where relname in ('operations', 'stores')",
    )
    .fetch_one(observer)
    .await
    .expect("look");
    (row.get(0), row.get(1))
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_long_queue_is_read_by_its_indexes(_: PgPoolOptions, options: PgConnectOptions) {
    let storage = storage(options.clone(), 1).await;
    let _shop = Shop::open(&storage, 1_000).await;
    let mut observer = options.connect().await.expect("connect");
    observer.execute(MANY).await.expect("many rows");
    let (before, fetched_before) = reads(&mut observer).await;

    let mut times = Vec::new();
    for poll in 0..40 {
        let start = Instant::now();
        claim(&storage, poll, LEASE).await.expect("claim").expect("one of 900");
        times.push(start.elapsed());
        let mut tx = storage.begin(Reach::Worker).await.expect("begin");
        tx.operations().next_due().await.expect("look").expect("a wake time");
        drop(tx);
    }
    storage.close().await;

    // The statistics are told when their session ends.
    let mut seen = (0, 0);
    until("the sessions have told what they read", async || {
        seen = reads(&mut observer).await;
        seen.1 - fetched_before > 40 * 2_000
    })
    .await;
    let per_round = (seen.1 - fetched_before) / 40;
    let typical = median(times);
    println!(
        "2,000 unfinished of 12,000: a claim takes {typical:?}; it and a look at what is due read {per_round} rows"
    );
    assert_eq!(seen.0 - before, 0, "rows that were read one after another");
    // Each looks once through what is unfinished, and at hardly any store.
    assert!(per_round < 2 * 2_000 + 500, "{per_round} rows");
    assert!(typical < Duration::from_millis(250), "{typical:?}");
}

/// `jobs` operations on one store, one after another, each queued, claimed and finished. The time that claims take, at the end.
async fn busy(storage: &PgStorage, shop: &Shop, jobs: u32, from: u128) -> Duration {
    let store = shop.draft();
    let mut tx = storage.begin(Reach::Platform).await.expect("begin");
    tx.stores().insert(&store).await.expect("insert");
    tx.commit().await.expect("commit");
    let mut times = Vec::new();
    for job in 0..u128::from(jobs) {
        let id = OperationId::from_random(from + job);
        let operation = Operation::queued(id, shop.tenant, store.id.clone(), OperationKind::Provision, now());
        let mut tx = storage.begin(Reach::Platform).await.expect("begin");
        tx.operations().enqueue(&operation, &[]).await.expect("enqueue");
        tx.commit().await.expect("commit");
        let start = Instant::now();
        let claimed = claim(storage, 1, LEASE).await.expect("claim").expect("the operation");
        times.push(start.elapsed());
        assert_eq!(claimed.operation.id, id);
        let mut tx = storage.begin(Reach::Worker).await.expect("begin");
        tx.operations().finish(&claimed.lease, OperationStatus::Succeeded, None, now()).await.expect("finish");
        tx.commit().await.expect("commit");
    }
    median(times.split_off(times.len() * 3 / 4))
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_foreign_transaction_that_stays_open_does_not_slow_the_queue(_: PgPoolOptions, options: PgConnectOptions) {
    // F22, small: 600 operations behind a snapshot that keeps the server from cleaning up, against as many without it.
    const JOBS: u32 = 600;
    let storage = storage(options.clone(), 2).await;
    let shop = Shop::open(&storage, 1_000).await;
    let undisturbed = busy(&storage, &shop, JOBS, 1_000_000).await;
    let mut foreign = options.connect().await.expect("connect");
    foreign.execute("begin isolation level repeatable read; select count(*) from tenants").await.expect("a snapshot");

    let disturbed = busy(&storage, &shop, JOBS, 2_000_000).await;

    let pinned =
        "select count(*) from pg_stat_activity where datname = current_database() and backend_xmin is not null";
    let mut observer = options.connect().await.expect("connect");
    let pins: i64 = sqlx::query_scalar(AssertSqlSafe(pinned)).fetch_one(&mut observer).await.expect("look");
    assert!(pins >= 1, "the snapshot was there all the time");
    println!("claim without and with a foreign snapshot: {undisturbed:?}, {disturbed:?}");
    assert!(disturbed < undisturbed * 5 + Duration::from_millis(5), "{undisturbed:?} without, {disturbed:?} with it");
    storage.close().await;
}
