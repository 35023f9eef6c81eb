//! Databases that are away, busy, or restored from before.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use shopwright_domain::Epoch;
use shopwright_domain::audit::AuditEventType;
use shopwright_domain::store::StoreState;
use shopwright_ports::clock::Clock as _;
use shopwright_ports::cluster::{Cluster as _, ClusterError, Fence};
use shopwright_ports::storage::StorageError;
use shopwright_ports::testing::{Fault, engines};

use crate::support::Fixture;
use crate::{LEASE, events, run_until, seconds};

#[tokio::test]
async fn a_database_that_is_away_for_a_moment_costs_no_lease_and_no_blame() {
    // RELIABILITY F15, F26: the record of a step is lost in every way.
    let lost = || StorageError::Unavailable { detail: "connection lost".to_owned(), source: None };
    for fault in [Fault::Before(lost()), Fault::After(lost())] {
        let world = Fixture::new().await;
        let ada = world.merchant("ada").await;
        let id = world.create(&ada, "teashop").await.store.id;
        world.storage.faults.pass("commit", 4);
        world.storage.faults.push("commit", fault);
        let start = world.clock.now();

        world.run_due(&world.worker).await;

        assert_eq!(world.store(&id).await.state, StoreState::Ready, "the same worker goes on");
        assert!(world.clock.now().duration_since(start) < seconds(5));
        assert!(events(&world, |event| event.event_type == AuditEventType::Recovery).await.is_empty());
    }
}

/// A store whose pods do not become ready, until `enough` of the time since it was asked for.
async fn while_it_waits(world: &Fixture, mut enough: impl FnMut(SignedDuration) -> bool) -> SignedDuration {
    world.cluster.auto_ready(false);
    let ada = world.merchant("ada").await;
    world.create(&ada, "teashop").await;
    let start = world.clock.now();
    let since = || world.clock.now().duration_since(start);
    run_until(world, async || enough(since()).then(since)).await
}

#[tokio::test]
async fn whoever_cannot_renew_stops_three_tenths_of_a_lease_before_its_end() {
    // RELIABILITY F6, DECISIONS 6: a database that hangs, or that refuses, tells nobody that their time is up.
    let away = || Fault::Before(StorageError::Unavailable { detail: "connection refused".to_owned(), source: None });
    for fault in [|| Fault::Hang, away] {
        let world = Fixture::new().await;
        for _ in 0..100 {
            world.storage.faults.push("renew", fault());
        }
        let mut began = false;

        let stopped = while_it_waits(&world, |_| {
            began |= world.worker.running() == 1;
            began && world.worker.running() == 0
        });

        let stopped = stopped.await.as_secs_f64() / f64::from(u32::try_from(LEASE).unwrap());
        assert!((0.69..0.73).contains(&stopped), "after {stopped} of a lease");
    }
}

#[tokio::test]
async fn a_renewal_that_hangs_or_fails_costs_no_lease_when_the_next_one_is_answered() {
    // RELIABILITY F6.
    let refused = || StorageError::Unavailable { detail: "connection refused".to_owned(), source: None };
    for fault in [Fault::Hang, Fault::Before(refused()), Fault::After(refused())] {
        let world = Fixture::new().await;
        world.storage.faults.push("renew", fault);

        while_it_waits(&world, |since| since > seconds(3 * LEASE)).await;

        assert_eq!((world.storage.faults.remaining(), world.worker.running()), (0, 1));
        assert!(events(&world, |event| event.event_type == AuditEventType::Recovery).await.is_empty());
    }
}

#[tokio::test]
async fn records_that_meet_other_transactions_are_begun_again() {
    // RELIABILITY F21: deadlocks and serialisation failures at every transaction of a provision.
    for nth in 0..16 {
        let world = Fixture::new().await;
        let ada = world.merchant("ada").await;
        let id = world.create(&ada, "teashop").await.store.id;
        world.storage.faults.pass("commit", nth);
        for _ in 0..3 {
            world.storage.faults.push("commit", Fault::Before(StorageError::Conflict));
        }

        assert_eq!(world.settle(&id).await.state, StoreState::Ready, "commit {nth}");

        let moves = events(&world, |event| event.event_type == AuditEventType::StatusChange).await;
        assert_eq!(moves.len(), 2, "commit {nth}");
        assert_eq!(world.releases.install_calls(&id), 1, "commit {nth}: nothing was repeated but the record");
    }
}

#[tokio::test]
async fn a_herd_that_becomes_due_at_once_is_spread_and_a_new_store_does_not_wait_for_it() {
    // RELIABILITY F30.
    const HERD: usize = 100;
    let mut world = Fixture::new().await;
    world.stores.rules.plans.standard.stores = shopwright_domain::limits::StoreQuota(1000);
    let (ada, bob) = (world.merchant("ada").await, world.merchant("bob").await);
    for number in 0..HERD {
        world.create(&ada, &format!("shop-{number}")).await;
        world.cluster.faults.push("ensure_namespace", Fault::Before(ClusterError::Throttled { retry_after: None }));
    }
    world.run_due(&world.worker).await;
    assert_eq!(world.cluster.creations(), 0);
    world.clock.advance(seconds(31));
    let fresh = world.create(&bob, "bookshop").await.store.id;

    let mut begun = BTreeMap::from([(-1, 0)]);
    let start = world.clock.now();
    world.run_due(&world.worker).await;
    assert_eq!(world.store(&fresh).await.state, StoreState::Ready, "it was not behind them");
    for _ in 0..30 {
        let second = world.clock.now().duration_since(start).as_secs();
        begun.insert(second, world.cluster.creations());
        world.clock.advance(SignedDuration::from_millis(500));
        world.run_due(&world.worker).await;
    }

    // A second's worth may be saved up; the new store comes beside them.
    let counts: Vec<usize> = begun.values().copied().collect();
    assert!(counts[1] <= 20 + 20 + 1, "{begun:?}");
    assert!(counts[1..].windows(2).all(|pair| pair[1] - pair[0] <= 20), "{begun:?}");
    assert_eq!(world.cluster.creations(), HERD + 1);
}

#[tokio::test]
async fn a_database_that_was_restored_from_before_goes_on_above_what_the_cluster_has_seen() {
    // DECISIONS 2, RELIABILITY F28.
    for known in [1, 50] {
        let world = Fixture::new().await;
        let ada = world.merchant("ada").await;
        let id = world.create(&ada, "teashop").await.store.id;
        let before = Fence { store_id: id.clone(), epoch: Epoch(known) };
        world.cluster.ensure_namespace(&before, &engines::medusa()).await.unwrap();

        let store = world.settle(&id).await;

        assert_eq!((store.state, world.cluster.epoch(&id)), (StoreState::Ready, Some(store.epoch)));
        assert!(store.epoch.0 >= known);
        let lifted = events(&world, |event| event.metadata.contains_key("knownEpoch")).await;
        assert_eq!(lifted.len(), usize::from(known > 1));
    }
}

#[tokio::test]
async fn a_lease_whose_epoch_was_lifted_is_renewed_under_the_new_one() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let id = world.create(&ada, "teashop").await.store.id;
    let before = Fence { store_id: id.clone(), epoch: Epoch(50) };
    world.cluster.ensure_namespace(&before, &engines::medusa()).await.unwrap();
    world.cluster.auto_ready(false);
    let start = world.clock.now();

    let settled = run_until(&world, async || {
        if world.clock.now().duration_since(start) > seconds(5 * LEASE) {
            world.cluster.auto_ready(true);
        }
        Some(world.store(&id).await).filter(|store| store.state.is_settled())
    });

    let store = settled.await;
    assert_eq!((store.state, store.epoch), (StoreState::Ready, Epoch(51)), "one claim, lifted once");
}
