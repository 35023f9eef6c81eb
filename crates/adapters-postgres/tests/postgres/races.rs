//! What many connections at once must not break.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use shopwright_adapters_postgres::{MIGRATOR, PgSettings, PgStorage};
use shopwright_domain::audit::{AuditEvent, AuditEventType};
use shopwright_domain::operation::OperationStatus;
use shopwright_domain::store::StoreHost;
use shopwright_domain::{OperationId, TenantId};
use shopwright_ports::storage::{AuditFilter, Claim, Page, Reach, Storage as _, StorageError, Transaction, Unique};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::shop::{LEASE, Shop, storage, worker};

async fn claim(storage: &PgStorage, number: u128) -> Result<Option<Claim>, StorageError> {
    crate::shop::claim(storage, number, LEASE).await
}

/// Runs `attempt` until it meets no other transaction.
async fn until_it_works<T>(mut attempt: impl AsyncFnMut() -> Result<T, StorageError>) -> T {
    loop {
        match attempt().await {
            Err(error) if error.is_conflict() => {}
            result => return result.expect("no error but a conflict"),
        }
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn fifty_workers_take_each_operation_once(_: PgPoolOptions, options: PgConnectOptions) {
    let storage = storage(options, 50).await;
    let shop = Shop::open(&storage, 1_000).await;
    let mut queued = Vec::new();
    for _ in 0..40 {
        queued.push(shop.queue(&storage).await);
    }

    let claims = join_all((0..50).map(|number| claim(&storage, number))).await;

    let mut times: BTreeMap<OperationId, u32> = BTreeMap::new();
    for claim in claims.into_iter().filter_map(|claim| claim.expect("a claim never fails")) {
        *times.entry(claim.operation.id).or_default() += 1;
    }
    // Whoever found every store locked had nothing to do; the next poll finds the rest.
    while let Some(claim) = claim(&storage, 99).await.expect("a claim") {
        *times.entry(claim.operation.id).or_default() += 1;
    }
    queued.sort();
    assert_eq!(times.keys().copied().collect::<Vec<_>>(), queued);
    assert!(times.values().all(|times| *times == 1), "{times:?}");
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn two_claims_at_once_share_one_permit(_: PgPoolOptions, options: PgConnectOptions) {
    let storage = storage(options, 4).await;
    let shop = Shop::open(&storage, 1).await;
    for _ in 0..2 {
        shop.queue(&storage).await;
    }

    for round in 0..50 {
        let mut held = Vec::new();
        for claim in join_all([claim(&storage, round), claim(&storage, round + 1_000)]).await {
            held.extend(claim.expect("a claim never fails"));
        }
        assert_eq!(held.len(), 1, "round {round}");
        let mut tx = storage.begin(Reach::Worker).await.expect("begin");
        tx.operations().park(&held[0].lease, OperationStatus::Queued, None, None).await.expect("park");
        tx.commit().await.expect("commit");
    }
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_claim_passes_by_a_store_that_somebody_else_has_locked(_: PgPoolOptions, options: PgConnectOptions) {
    let storage = storage(options, 4).await;
    let shop = Shop::open(&storage, 10).await;
    let (first, second) = (shop.queue(&storage).await, shop.queue(&storage).await);
    let mut tx = storage.begin(Reach::Worker).await.expect("begin");
    let store_id = tx.operations().get(first).await.expect("read").expect("the operation").store_id;
    tx.stores().lock(&store_id).await.expect("lock");

    let passed = claim(&storage, 1).await.expect("claim").expect("the second");
    let nothing = claim(&storage, 2).await.expect("claim");
    tx.commit().await.expect("commit");

    assert_eq!((passed.operation.id, nothing), (second, None));
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_take_over_and_a_last_write_never_both_succeed(_: PgPoolOptions, options: PgConnectOptions) {
    let storage = storage(options, 4).await;
    let shop = Shop::open(&storage, 10).await;
    shop.queue(&storage).await;

    let mut wins = [0, 0];
    for round in 0..50 {
        let mut tx = storage.begin(Reach::Worker).await.expect("begin");
        let lost = tx.operations().claim(worker(round), Duration::ZERO).await.expect("claim").expect("an operation");
        tx.commit().await.expect("commit");

        let write = async {
            let mut tx = storage.begin(Reach::Worker).await?;
            tx.operations().park(&lost.lease, OperationStatus::Queued, None, None).await?;
            tx.commit().await
        };
        let (written, taken) = futures::join!(write, claim(&storage, round + 1_000));

        let taken = taken.expect("a claim never fails");
        match written {
            // The write came first: who claims afterwards takes nothing over.
            Ok(()) => {
                assert!(taken.as_ref().is_none_or(|claim| claim.taken_over.is_none()), "round {round}");
                wins[0] += 1;
            }
            Err(StorageError::LeaseLost) => {
                assert!(taken.as_ref().is_some_and(|claim| claim.taken_over.is_some()), "round {round}");
                wins[1] += 1;
            }
            Err(other) => panic!("round {round}: {other:?}"),
        }
        if let Some(claim) = taken {
            let mut tx = storage.begin(Reach::Worker).await.expect("begin");
            tx.operations().park(&claim.lease, OperationStatus::Queued, None, None).await.expect("park");
            tx.commit().await.expect("commit");
        }
    }
    assert_eq!(wins[0] + wins[1], 50);
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn audit_numbers_have_no_gaps_under_load(_: PgPoolOptions, options: PgConnectOptions) {
    let storage = storage(options, 10).await;
    let shop = Shop::open(&storage, 1).await;
    let append = async |number: usize| {
        let mut tx = storage.begin(Reach::Worker).await?;
        tx.audit().append(&event(shop.tenant)).await?;
        // Every third one changes its mind.
        if number.is_multiple_of(3) { Ok(()) } else { tx.commit().await }
    };

    for result in join_all((0..60).map(append)).await {
        result.expect("appended");
    }

    let filter = AuditFilter { tenant_id: Some(shop.tenant), ..AuditFilter::default() };
    let mut tx = storage.begin(Reach::Worker).await.expect("begin");
    let (entries, total) = tx.audit().list(&filter, Page { limit: 100, offset: 0 }).await.expect("list");
    assert_eq!(total, 40);
    assert_eq!(entries.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), (1..=40).rev().collect::<Vec<_>>());
    drop(tx);
    storage.close().await;
}

fn event(tenant: TenantId) -> AuditEvent {
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_600_000_000);
    AuditEvent::new(tenant, AuditEventType::Info, "something", at)
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn of_many_stores_for_one_host_one_is_made(_: PgPoolOptions, options: PgConnectOptions) {
    let storage = storage(options, 10).await;
    let shop = Shop::open(&storage, 1).await;
    let host: StoreHost = "teashop.localhost".parse().expect("a host");
    let stores: Vec<_> = (0..10).map(|_| shop.draft()).collect();
    let insert = async |store: &shopwright_domain::store::Store| {
        let mut tx = storage.begin(Reach::Platform).await?;
        tx.stores().insert(&shopwright_domain::store::Store { host: host.clone(), ..store.clone() }).await?;
        tx.commit().await
    };

    let results = join_all(stores.iter().map(insert)).await;

    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for refusal in results.into_iter().filter_map(Result::err) {
        assert!(matches!(refusal, StorageError::NotUnique(Unique::StoreHost)), "{refusal:?}");
    }
    storage.close().await;
}

/// F66.
#[sqlx::test(migrator = "MIGRATOR")]
async fn the_quota_holds_when_everybody_counts_at_once(_: PgPoolOptions, options: PgConnectOptions) {
    let storage = storage(options, 10).await;
    let shop = Shop::open(&storage, 1).await;
    let create = async |_: usize| {
        until_it_works(async || {
            let mut tx = storage.begin(Reach::Platform).await?;
            tx.tenants().lock(shop.tenant).await?;
            if tx.stores().count_live(shop.tenant).await? < 3 {
                tx.stores().insert(&shop.draft()).await?;
            }
            tx.commit().await
        })
        .await;
    };

    join_all((0..20).map(create)).await;

    let mut tx = storage.begin(Reach::Worker).await.expect("begin");
    assert_eq!(tx.stores().count_live(shop.tenant).await.expect("count"), 3);
    drop(tx);
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_key_is_locked_by_one_transaction_at_a_time(_: PgPoolOptions, options: PgConnectOptions) {
    let storage = storage(options, 4).await;
    let shop = Shop::open(&storage, 1).await;
    let lock = async |tx: &mut Box<dyn Transaction>, key: &str| {
        tx.idempotency().try_lock(shop.tenant, "create", key).await.expect("an answer")
    };
    let mut first = storage.begin(Reach::Platform).await.expect("begin");
    let mut second = storage.begin(Reach::Platform).await.expect("begin");

    assert!(lock(&mut first, "key").await);
    assert!(!lock(&mut second, "key").await);
    assert!(lock(&mut second, "other").await);
    first.commit().await.expect("commit");
    assert!(lock(&mut second, "key").await);

    drop(second);
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_busy_pool_costs_no_lease(_: PgPoolOptions, options: PgConnectOptions) {
    let storage = storage(options, 1).await;
    let shop = Shop::open(&storage, 1).await;
    shop.queue(&storage).await;
    let lease = claim(&storage, 1).await.expect("claim").expect("an operation").lease;
    let busy = storage.begin(Reach::Worker).await.expect("the only connection");

    let renewed = storage.renew(std::slice::from_ref(&lease), LEASE).await.expect("renewed all the same");

    assert_eq!(renewed, [lease]);
    drop(busy);
    storage.close().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_lock_that_is_held_too_long_is_a_conflict(_: PgPoolOptions, options: PgConnectOptions) {
    let settings = PgSettings { lock_timeout: Duration::from_millis(50), ..PgSettings::default() };
    let pool = PgPoolOptions::new().max_connections(2).connect_with(options).await.expect("connect");
    let storage = PgStorage::from_pool(pool, settings);
    let shop = Shop::open(&storage, 1).await;
    let mut holder = storage.begin(Reach::Worker).await.expect("begin");
    holder.tenants().lock(shop.tenant).await.expect("lock");

    let mut other = storage.begin(Reach::Worker).await.expect("begin");
    let refusal = other.tenants().lock(shop.tenant).await;

    assert!(matches!(refusal, Err(StorageError::Conflict)), "{refusal:?}");
    drop((holder, other));
    storage.close().await;
}
