//! Locks that end with their transaction, and transactions that meet.

use std::path::Path;
use std::time::Duration;

use shopwright_adapters_postgres::{MIGRATOR, PgStorage};
use shopwright_domain::StoreId;
use shopwright_ports::storage::{Reach, Storage as _, StorageError};
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::sync::Barrier;

use crate::shop::{Shop, storage, until};

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
