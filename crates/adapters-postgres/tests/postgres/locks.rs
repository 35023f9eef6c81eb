//! Locks that end with their transaction, and transactions that meet.

use std::path::Path;
use std::time::Duration;

use shopwright_adapters_postgres::{MIGRATOR, PgSettings, PgStorage, Route};
use shopwright_domain::StoreId;
use shopwright_ports::storage::{Reach, Storage as _, StorageError};
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::sync::Barrier;

use crate::shop::{Shop, patient, storage, until};

/// Every `.rs` file below `dir`.
fn sources(dir: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.display().to_string(), std::fs::read_to_string(&path).expect("a source")));
        }
    }
}

#[test]
fn no_lock_belongs_to_a_session() {
    // F20: an advisory lock of a session outlives the future that took it.
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the directory of crates");
    let mut found = Vec::new();
    for each in std::fs::read_dir(crates).expect("crates") {
        let dir = each.expect("a crate").path().join("src");
        if dir.is_dir() {
            sources(&dir, &mut found);
        }
    }
    let mut taken = 0;
    for (path, text) in &found {
        for (at, _) in text.match_indices("advisory") {
            let word: String = text[..at].chars().rev().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let before: String = word.chars().rev().collect();
            let after: String = text[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let name = format!("{before}{after}");
            assert!(!name.contains("advisory_lock") && !name.contains("advisory_unlock"), "{path}: {name}");
            taken += usize::from(name.contains("advisory_xact_lock"));
        }
        assert!(!text.contains("PgAdvisoryLock"), "{path}");
    }
    assert!(found.len() > 60 && taken >= 2, "{} files, {taken} locks", found.len());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn no_advisory_lock_is_left_by_whoever_goes_away(_: PgPoolOptions, options: PgConnectOptions) {
    // F20, on the server: at every await of a transaction that takes both kinds of locks.
    let storage = storage(options.clone(), 4).await;
    let shop = Shop::open(&storage, 1).await;
    let mut observer = options.connect().await.expect("connect");
    let work = async |round: u32| {
        let mut tx = storage.begin(Reach::Identity).await?;
        tx.idempotency().try_lock(shop.tenant, "create", &format!("key {round}")).await?;
        tx.signing_keys().lock_all().await?;
        tx.commit().await
    };
    let mut dropped = 0;
    for round in 0..2_000 {
        dropped += u32::from(!crate::cancel::drop_after(1 + round % 17, work(round)).await);
    }

    until("no advisory lock is held", async || {
        let held = "select count(*) from pg_locks where locktype = 'advisory'
            and database = (select oid from pg_database where datname = current_database())";
        sqlx::query_scalar::<_, i64>(held).fetch_one(&mut observer).await.expect("look") == 0
    })
    .await;
    assert!(dropped >= 200, "only {dropped} were dropped on the way");
    work(0).await.expect("nobody is in the way");
    storage.close().await;
}

/// Locks two stores in the order of `ids`, both parties at once: the wrong thing to do, done on purpose.
async fn lock_both(storage: &PgStorage, ids: [&StoreId; 2], meet: Option<&Barrier>) -> Result<(), StorageError> {
    let mut tx = storage.begin(Reach::Worker).await?;
    tx.stores().lock(ids[0]).await?;
    if let Some(meet) = meet {
        meet.wait().await;
    }
    tx.stores().lock(ids[1]).await?;
    tx.stores().raise_epoch(ids[1]).await?;
    tx.commit().await
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_deadlock_is_a_conflict_and_a_second_try_succeeds(_: PgPoolOptions, options: PgConnectOptions) {
    // F21.
    let storage = storage(options, 4).await;
    let shop = Shop::open(&storage, 1).await;
    let (one, other) = (shop.draft(), shop.draft());
    let mut tx = storage.begin(Reach::Platform).await.expect("begin");
    for store in [&one, &other] {
        tx.stores().insert(store).await.expect("insert");
    }
    tx.commit().await.expect("commit");
    let meet = Barrier::new(2);

    let (first, second) = futures::join!(
        lock_both(&storage, [&one.id, &other.id], Some(&meet)),
        lock_both(&storage, [&other.id, &one.id], Some(&meet)),
    );

    let (lost, ids) = match (first, second) {
        (Err(lost), Ok(())) => (lost, [&one.id, &other.id]),
        (Ok(()), Err(lost)) => (lost, [&other.id, &one.id]),
        both => panic!("one of two must win: {both:?}"),
    };
    assert!(matches!(lost, StorageError::Conflict) && lost.is_conflict(), "{lost:?}");
    lock_both(&storage, ids, None).await.expect("begun again");
    let mut tx = storage.begin(Reach::Worker).await.expect("begin");
    for store in [&one, &other] {
        let epoch = tx.stores().get(&store.id).await.expect("read").expect("the store").epoch;
        assert_eq!(epoch.0, 1, "each party's write is there once");
    }
    drop(tx);
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn writers_that_keep_meeting_all_get_through_in_a_few_tries(_: PgPoolOptions, options: PgConnectOptions) {
    // F21: many writers of one row with versions; whoever loses reads again and tries again, with jitter.
    let storage = storage(options, 8).await;
    let shop = Shop::open(&storage, 1).await;
    let store = shop.draft();
    let mut tx = storage.begin(Reach::Platform).await.expect("begin");
    tx.stores().insert(&store).await.expect("insert");
    tx.commit().await.expect("commit");
    let write = async || {
        let mut tx = storage.begin(Reach::Worker).await?;
        let mut read = tx.stores().get(&store.id).await?.expect("the store");
        read.retry_count += 1;
        tx.stores().save(&mut read).await?;
        tx.commit().await
    };

    let attempts = futures::future::join_all((0..24_u64).map(async |writer| {
        for attempt in 1..=40_u64 {
            match write().await {
                Ok(()) => return attempt,
                Err(StorageError::Stale | StorageError::Conflict) => {
                    tokio::time::sleep(Duration::from_millis((writer * 7 + attempt * 13) % 29)).await;
                }
                Err(other) => panic!("{other:?}"),
            }
        }
        panic!("writer {writer} never got through");
    }))
    .await;

    let mut tx = storage.begin(Reach::Worker).await.expect("begin");
    let written = tx.stores().get(&store.id).await.expect("read").expect("the store");
    assert_eq!(u64::from(written.retry_count), 24, "no write is lost, none counts twice: {attempts:?}");
    assert!(attempts.iter().any(|attempts| *attempts > 1), "nobody met anybody");
    drop(tx);
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn whoever_has_waited_longest_for_an_organisation_writes_next(_: PgPoolOptions, options: PgConnectOptions) {
    // F26: each writer leaves a new version of the organisation's row, and somebody new comes whenever one is done.
    const WAITING: usize = 6;
    const ROUNDS: usize = 5;
    let storage = &storage(options.clone(), 2 * u32::try_from(WAITING).expect("few")).await;
    let shop = &Shop::open(storage, 1).await;
    let mut observer = options.connect().await.expect("connect");
    let served = &std::sync::Mutex::new(Vec::new());
    let next = &tokio::sync::Notify::new();
    // Holds the organisation until it is told to go on.
    let write = async |number: usize| {
        let mut tx = storage.begin(Reach::Tenant(shop.tenant)).await.expect("begin");
        tx.tenants().lock(shop.tenant).await.expect("lock").expect("the tenant");
        served.lock().expect("nobody panicked").push(number);
        next.notified().await;
        tx.tenants().set_last_store_created_at(shop.tenant, crate::shop::now()).await.expect("write");
        tx.commit().await.expect("commit");
    };
    let mut waits = async |count: usize| {
        until("all of them wait", async || {
            let waiting =
                "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
            sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut observer).await.expect("look")
                == i64::try_from(count).expect("few")
        })
        .await;
    };

    let mut writers: futures::stream::FuturesUnordered<_> = std::iter::empty().collect();
    let last = WAITING * ROUNDS;
    {
        use futures::StreamExt as _;
        for number in 0..=WAITING {
            writers.push(write(number));
            let queued = async { waits(number).await };
            // The writers go on while we look.
            tokio::select! {
                () = queued => {}
                Some(()) = writers.next() => panic!("nobody was told to go on"),
            }
        }
        for number in WAITING + 1..=last {
            next.notify_one();
            writers.next().await.expect("one is done");
            writers.push(write(number));
            let queued = async { waits(WAITING).await };
            tokio::select! {
                () = queued => {}
                Some(()) = writers.next() => panic!("nobody was told to go on"),
            }
        }
        for _ in 0..=WAITING {
            next.notify_one();
            writers.next().await.expect("one is done");
        }
    }

    assert_eq!(*served.lock().expect("nobody panicked"), (0..=last).collect::<Vec<_>>());
    storage.close().await;
}

/// How many statements the only session of a storage on this route knows by name.
async fn named_statements(options: &PgConnectOptions, route: Route) -> i64 {
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options.clone());
    let storage = PgStorage::from_pool(pool.clone(), PgSettings { max_connections: 1, route, ..patient() });
    for _ in 0..2 {
        let mut tx = storage.begin(Reach::Platform).await.expect("begin");
        tx.tenants().get(shopwright_domain::TenantId::from_random(1)).await.expect("read");
        tx.commit().await.expect("commit");
    }
    let named = sqlx::raw_sql("select count(*) from pg_prepared_statements where statement like '%tenants%'");
    let row = sqlx::Executor::fetch_one(&pool, named).await.expect("look");
    storage.close().await;
    sqlx::Row::get(&row, 0)
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn statements_have_names_only_where_no_pooler_stands_between(_: PgPoolOptions, options: PgConnectOptions) {
    assert_eq!(named_statements(&options, Route::Direct).await, 1);
    assert_eq!(named_statements(&options, Route::Pooled).await, 0);
}
