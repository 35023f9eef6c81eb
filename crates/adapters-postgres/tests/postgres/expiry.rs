//! When a lease ends, and who gets the operation then.

use std::time::Duration;

use futures::future::join_all;
use shopwright_adapters_postgres::{MIGRATOR, PgSettings, PgStorage};
use shopwright_ports::storage::{Lease, Reach, Storage as _, StorageError};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgConnection, Row as _};

use crate::shop::{LEASE, Shop, claim, patient, storage, storage_with, until, worker};

/// How long the only lease still lasts, by the clock of the database.
async fn left(observer: &mut PgConnection) -> f64 {
    let left = "select extract(epoch from lease_expires_at - clock_timestamp())::float8 from operations";
    sqlx::query(left).fetch_one(observer).await.expect("look").get(0)
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_lease_ends_by_the_clock_of_the_database(_: PgPoolOptions, options: PgConnectOptions) {
    // F6, F7: no time of ours goes into a lease, so no clock of ours can make it longer or shorter.
    let storage = storage(options.clone(), 2).await;
    Shop::open(&storage, 10).await.queue(&storage).await;
    let mut observer = options.connect().await.expect("connect");
    let length = Duration::from_mins(10);

    let first = claim(&storage, 1, length).await.expect("claim").expect("an operation");
    let after_claim = left(&mut observer).await;
    assert!(after_claim > 540.0 && after_claim <= 600.0, "{after_claim}");

    // Renewing begins again from now, whatever was left.
    let renewed = storage.renew(std::slice::from_ref(&first.lease), Duration::from_mins(1)).await.expect("renew");
    assert_eq!(renewed, std::slice::from_ref(&first.lease));
    let after_renewal = left(&mut observer).await;
    assert!(after_renewal > 0.0 && after_renewal <= 60.0, "{after_renewal}");

    // A short lease is somebody else's as soon as the database says that it is over, and not before.
    storage.renew(std::slice::from_ref(&first.lease), Duration::from_secs(1)).await.expect("renew");
    until("the lease is taken over", async || {
        let before = left(&mut observer).await;
        let taken = claim(&storage, 2, LEASE).await.expect("claim");
        assert!(taken.is_none() || before <= 0.05, "taken {before} s before its end");
        taken.is_some()
    })
    .await;
    storage.close().await;
}

#[test]
fn no_clock_of_the_client_is_read() {
    // F7: what is not there cannot be wrong.
    let sources = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).expect("the sources");
    let mut read = 0;
    for source in sources {
        let path = source.expect("a source").path();
        let text = std::fs::read_to_string(&path).expect("a source");
        for clock in ["Timestamp::now", "SystemTime", "Zoned::now"] {
            assert!(!text.contains(clock), "{} asks {clock}", path.display());
        }
        read += 1;
    }
    assert!(read > 15, "only {read} sources");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_worker_that_comes_back_under_its_old_name_is_a_new_one(_: PgPoolOptions, options: PgConnectOptions) {
    // F8: the same host, the same application name; only the id of the start differs.
    let settings = || PgSettings { application_name: "worker-0".to_owned(), max_connections: 2, ..patient() };
    let first = storage_with(options.clone(), settings()).await;
    Shop::open(&first, 10).await.queue(&first).await;
    let held = claim(&first, 1, LEASE).await.expect("claim").expect("an operation").lease;
    first.close().await;

    let second = storage_with(options.clone(), settings()).await;
    assert_eq!(claim(&second, 2, LEASE).await.expect("claim"), None, "the lease of the first start still lasts");
    let as_second = Lease { worker: worker(2), ..held.clone() };
    assert_eq!(second.renew(std::slice::from_ref(&as_second), LEASE).await.expect("renew"), []);
    let write = park(&second, &as_second).await;
    assert!(matches!(write, Err(StorageError::LeaseLost)), "{write:?}");

    let observer = options.connect().await.expect("connect");
    expire(observer).await;
    let taken = claim(&second, 2, LEASE).await.expect("claim").expect("the same operation");
    let from = taken.taken_over.expect("a take-over");
    assert_eq!((from.worker, from.epoch, taken.lease.epoch), (worker(1), held.epoch, held.epoch.next()));
    let write = park(&second, &held).await;
    assert!(matches!(write, Err(StorageError::LeaseLost)), "{write:?}");
    second.close().await;
}

async fn park(storage: &PgStorage, lease: &Lease) -> Result<(), StorageError> {
    let mut tx = storage.begin(Reach::Worker).await?;
    tx.operations().park(lease, shopwright_domain::operation::OperationStatus::Queued, None, None).await?;
    tx.commit().await
}

/// Lets every lease end now.
async fn expire(mut observer: PgConnection) {
    let expire = "update operations set lease_expires_at = clock_timestamp() where status = 'running'";
    sqlx::query(expire).execute(&mut observer).await.expect("expire");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn of_all_who_come_when_a_lease_ends_one_takes_over(_: PgPoolOptions, options: PgConnectOptions) {
    // F10: the holder itself may also be back, and renew.
    let storage = storage(options, 8).await;
    Shop::open(&storage, 10).await.queue(&storage).await;
    let mut held = claim(&storage, 0, Duration::ZERO).await.expect("claim").expect("an operation").lease;
    let (mut taken_over, mut renewed_first) = (0, 0);

    for round in 1..=60 {
        let claims = join_all((0..6).map(|rival| claim(&storage, round * 10 + rival, Duration::ZERO)));
        let (claims, renewed) = if round % 3 == 0 {
            let (renewed, claims) = futures::join!(storage.renew(std::slice::from_ref(&held), LEASE), claims);
            (claims, !renewed.expect("renew").is_empty())
        } else {
            (claims.await, false)
        };
        let mut winners: Vec<_> =
            claims.into_iter().filter_map(|claim| claim.expect("claims meet, none fails")).collect();
        winners.sort_by_key(|claim| claim.lease.epoch);

        // A lease of no length ends at once: several may follow each other, each takes it from the one before.
        for winner in &winners {
            let from = winner.taken_over.as_ref().expect("a take-over");
            assert_eq!((from.worker, from.epoch), (held.worker, held.epoch), "round {round}");
            assert_eq!(winner.lease.epoch, held.epoch.next(), "round {round}");
            held = winner.lease.clone();
            taken_over += 1;
        }
        if renewed && winners.is_empty() {
            renewed_first += 1;
            storage.renew(std::slice::from_ref(&held), Duration::ZERO).await.expect("let it end again");
        }
    }
    assert!(taken_over >= 40, "{taken_over} take-overs, {renewed_first} renewals that came first");
    storage.close().await;
}
