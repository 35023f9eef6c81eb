//! Events under load: whoever reads along misses none, although transactions end in any order (DECISIONS 25).

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::{join, join_all};
use shopwright_adapters_postgres::{MIGRATOR, PgStorage};
use shopwright_domain::TenantId;
use shopwright_domain::plans::PlanName;
use shopwright_ports::storage::{Reach, Storage as _, Tenant};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Executor as _};

use crate::shop::{Shop, now, storage, until};

/// So many write at once, and each so often.
const WRITERS: usize = 12;
const ROUNDS: usize = 15;

/// Changes a store of its tenant, and sometimes its mind.
async fn write(storage: &PgStorage, shop: &Shop, round: usize) {
    let store = shop.draft();
    let mut tx = storage.begin(Reach::Worker).await.expect("begin");
    tx.tenants().lock(store.tenant_id).await.expect("lock");
    tx.stores().insert(&store).await.expect("insert");
    if round.is_multiple_of(4) {
        drop(tx);
    } else {
        tx.commit().await.expect("commit");
    }
}

async fn write_all(storage: &PgStorage, shop: &Shop, done: &AtomicBool) {
    let writer = async || {
        for round in 0..ROUNDS {
            write(storage, shop, round).await;
        }
    };
    join_all((0..WRITERS).map(|_| writer())).await;
    done.store(true, Ordering::Release);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn whoever_reads_along_a_stream_misses_nothing(_: PgPoolOptions, options: PgConnectOptions) {
    let storage = storage(options, 10).await;
    let shop = Shop::open(&storage, 1).await;
    let done = AtomicBool::new(false);
    let read = async {
        let (mut heard, mut last) = (Vec::new(), 0);
        loop {
            let over = done.load(Ordering::Acquire);
            let mut tx = storage.begin(Reach::Worker).await.expect("begin");
            let events = tx.events().behind(&[(shop.tenant, last)], 7).await.expect("read");
            drop(tx);
            if over && events.is_empty() {
                return heard;
            }
            last = events.last().map_or(last, |event| event.sequence);
            heard.extend(events.into_iter().map(|event| event.sequence));
        }
    };

    let (heard, ()) = join(read, write_all(&storage, &shop, &done)).await;

    let written = WRITERS * (0..ROUNDS).filter(|round| !round.is_multiple_of(4)).count();
    assert_eq!(heard, (1..=written as u64).collect::<Vec<_>>());
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn whoever_reads_from_moment_to_moment_hears_everything_once(_: PgPoolOptions, options: PgConnectOptions) {
    let storage = storage(options.clone(), 10).await;
    let shop = Shop::open(&storage, 1).await;
    // Somebody else's transaction stays open all the time: nothing waits for it.
    let mut foreign = options.connect().await.expect("connect");
    foreign.execute("begin; select pg_current_xact_id()").await.expect("a transaction");
    let done = AtomicBool::new(false);
    let read = async {
        let mut heard = Vec::new();
        let mut from = storage.begin(Reach::Worker).await.expect("begin").events().mark().await.expect("a mark");
        loop {
            let over = done.load(Ordering::Acquire);
            let mut tx = storage.begin(Reach::Worker).await.expect("begin");
            let to = tx.events().mark().await.expect("a mark");
            let events = tx.events().between(&from, &to, 1_000).await.expect("read");
            drop(tx);
            from = to.to_string().parse().expect("a mark");
            if over && events.is_empty() {
                return heard;
            }
            heard.extend(events.into_iter().map(|event| event.sequence));
        }
    };

    let (heard, ()) = join(read, write_all(&storage, &shop, &done)).await;

    let different: BTreeSet<_> = heard.iter().copied().collect();
    assert_eq!(different.len(), heard.len(), "something was told twice");
    assert_eq!(different.into_iter().collect::<Vec<_>>(), (1..=heard.len() as u64).collect::<Vec<_>>());
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_commit_that_tells_something_is_a_hint_and_others_are_none(_: PgPoolOptions, options: PgConnectOptions) {
    let one = storage(options.clone(), 2).await;
    let other = storage(options, 2).await.stirring_with(&one);
    let shop = Shop::open(&one, 1).await;
    let stirred = async |within: Duration| tokio::time::timeout(within, one.stirred()).await.is_ok();
    assert!(!stirred(Duration::from_millis(50)).await, "nobody has told anything");

    write(&other, &shop, 1).await;

    assert!(stirred(Duration::from_secs(10)).await);
    one.close().await;
    other.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_follower_of_one_tenant_reads_its_rows_alone(_: PgPoolOptions, options: PgConnectOptions) {
    let storage = storage(options.clone(), 2).await;
    let shop = Shop::open(&storage, 1).await;
    let mut observer = options.connect().await.expect("connect");
    let quiet = TenantId::from_random(2);
    let row = Tenant {
        id: quiet,
        name: "Quiet".into(),
        personal: true,
        plan: PlanName::standard(),
        last_store_created_at: None,
        created_at: now(),
    };
    let mut tx = storage.begin(Reach::Identity).await.expect("begin");
    tx.tenants().insert(&row).await.expect("insert");
    tx.commit().await.expect("commit");
    write(&storage, &shop, 1).await;
    let many = "insert into events (tenant_id, sequence, topic, store_id, status)
        select id, n, 'store', 'store-00000000', 'ready' from tenants, generate_series(1, 20000) n where name = 'Quiet';
        update tenants set event_head = 20000 where name = 'Quiet'; analyze events";
    observer.execute(many).await.expect("many events");

    let mut times = Vec::new();
    for _ in 0..20 {
        let start = Instant::now();
        let mut tx = storage.begin(Reach::Worker).await.expect("begin");
        let events = tx.events().behind(&[(shop.tenant, 0), (quiet, 19_999)], 100).await.expect("read");
        times.push(start.elapsed());
        assert_eq!(events.len(), 2);
        drop(tx);
    }
    times.sort();
    let plan = "explain (format text) select 1
        from unnest(array[]::uuid[], array[]::bigint[]) as w (tenant_id, number)
        cross join lateral (
            select * from events e where e.tenant_id = w.tenant_id and e.sequence > w.number order by e.sequence limit 100
        ) e
        order by e.tenant_id, e.sequence limit 100";
    let plan: Vec<String> = sqlx::query_scalar(plan).fetch_all(&mut observer).await.expect("a plan");
    println!("a look at 2 of 20,001 events: {:?}", times[10]);
    assert!(!plan.join("\n").contains("Seq Scan on events"), "{plan:#?}");
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_commit_of_another_process_is_told(_: PgPoolOptions, options: PgConnectOptions) {
    // F23.
    let (one, other) = (storage(options.clone(), 1).await, storage(options, 1).await);
    let shop = Shop::open(&one, 1).await;
    let hear = async || tokio::time::timeout(Duration::from_millis(200), other.stirred()).await.is_ok();
    let mut round = 1;
    // The first one may be said before anybody listens.
    until("the other one hears of it", async || {
        write(&one, &shop, round).await;
        round += 2;
        hear().await
    })
    .await;

    // What it says itself, it hears once.
    until("all is told", async || !hear().await).await;
    write(&other, &shop, 1).await;
    assert!(hear().await);
    assert!(!hear().await && !hear().await, "its own words come back from the database and are known");
    other.close().await;
    one.close().await;
}
