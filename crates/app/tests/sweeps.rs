//! Namespaces that should not be there. DECISIONS 7, RELIABILITY F3, F28.

#![expect(clippy::unwrap_used, reason = "what helps a test fails like one")]

mod support;

use std::sync::Arc;

use jiff::SignedDuration;
use shopwright_app::saga::ClusterGuard;
use shopwright_app::sweeper::{Sweeper, SweeperSettings};
use shopwright_domain::audit::AuditEventType;
use shopwright_domain::breaker::BreakerPolicy;
use shopwright_domain::operation::OperationStatus;
use shopwright_domain::store::StoreState;
use shopwright_domain::{ClusterName, Epoch, StoreId};
use shopwright_ports::cluster::{Cluster, ClusterError, Fence};
use shopwright_ports::stores_api::StoreService;
use shopwright_ports::testing::{Fault, SeededEntropy, engines};
use support::Fixture;
use tokio_util::sync::CancellationToken;

fn sweeper(world: &Fixture) -> Sweeper {
    let guard = ClusterGuard::new(world.cluster.clone(), world.clock.clone(), BreakerPolicy::default());
    Sweeper::new(
        Arc::new(world.storage.clone()),
        Arc::new(guard),
        ClusterName::default_cluster(),
        world.clock.clone(),
        Arc::new(SeededEntropy::new(3)),
        SweeperSettings::default(),
    )
}

/// A worker that slept through everything wakes up in the middle of its first step.
async fn sleeper_wakes(world: &Fixture, id: &StoreId, epoch: i64) {
    let fence = Fence { store_id: id.clone(), epoch: Epoch(epoch) };
    world.cluster.ensure_namespace(&fence, &engines::medusa()).await.unwrap();
}

fn later(world: &Fixture, seconds: i64) {
    world.clock.advance(SignedDuration::from_secs(seconds));
}

#[tokio::test]
async fn a_namespace_that_a_sleeper_makes_after_its_stores_deletion_goes_again_after_two_leases() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    world.stores.delete(&ada, &store.id).await.unwrap();
    assert_eq!(world.settle(&store.id).await.state, StoreState::Deleted);
    let sweeper = sweeper(&world);

    sleeper_wakes(&world, &store.id, 1).await;

    assert_eq!(sweeper.sweep().await.unwrap().removed, []);
    later(&world, 19);
    assert_eq!(sweeper.sweep().await.unwrap().removed, []);
    assert!(world.cluster.epoch(&store.id).is_some(), "two sightings that are too close prove nothing");
    later(&world, 1);
    assert_eq!(sweeper.sweep().await.unwrap().removed, std::slice::from_ref(&store.id));
    assert_eq!(world.leftovers(&store.id).await, Vec::<String>::new());
    let snapshot = world.storage.snapshot().await;
    let event = snapshot.audit.iter().map(|entry| &entry.event).find(|event| event.metadata.contains_key("uid"));
    assert_eq!(event.map(|event| event.event_type), Some(AuditEventType::Warning));
}

#[tokio::test]
async fn a_stray_is_looked_at_again_after_two_leases_and_is_gone_within_a_pause_and_these() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    world.stores.delete(&ada, &store.id).await.unwrap();
    world.settle(&store.id).await;
    sleeper_wakes(&world, &store.id, 1).await;
    let (sweeper, stop) = (Arc::new(sweeper(&world)), CancellationToken::new());
    let sweeping = tokio::spawn({
        let (sweeper, stop) = (Arc::clone(&sweeper), stop.clone());
        async move { sweeper.run(stop).await }
    });

    let mut waited = 0;
    while world.cluster.epoch(&store.id).is_some() {
        assert!(waited < 75 + 20, "still there after {waited} s");
        // Whatever is to be done at this time is done before the next one comes.
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        later(&world, 1);
        waited += 1;
    }

    assert!(waited > 45 + 20, "it was believed after {waited} s");
    stop.cancel();
    sweeping.await.unwrap();
}

#[tokio::test]
async fn the_same_after_a_cancelled_provision_was_taken_back_unless_it_is_retried() {
    for retried in [false, true] {
        let world = Fixture::new().await;
        let ada = world.merchant("ada").await;
        let provision = world.create(&ada, "teashop").await.operation.unwrap();
        let id = provision.store_id.clone();
        let unwind = world.stores.cancel(&ada, provision.id).await.unwrap().operation.unwrap();
        assert_eq!(world.ended(unwind.id).await.status, OperationStatus::Succeeded);
        let sweeper = sweeper(&world);
        sleeper_wakes(&world, &id, 1).await;
        sweeper.sweep().await.unwrap();
        later(&world, 30);

        if retried {
            world.stores.retry(&ada, &id).await.unwrap();
        }
        let swept = sweeper.sweep().await.unwrap();

        assert_eq!(swept.removed.len(), usize::from(!retried));
        if retried {
            assert_eq!(world.settle(&id).await.state, StoreState::Ready, "the retry takes it up");
        }
    }
}

#[tokio::test]
async fn a_store_keeps_its_namespace_however_low_its_epoch_is() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let ready = world.ready_store(&ada, "teashop").await;
    world.cluster.auto_ready(false);
    let failed = world.create(&ada, "coffeeshop").await.store.id;
    assert_eq!(world.settle(&failed).await.state, StoreState::Failed);
    // The row's epoch is ahead of the namespace's from a claim to its first change, also of a store that sells.
    let running = world.create(&ada, "bookshop").await.store.id;
    sleeper_wakes(&world, &running, 0).await;
    let sweeper = sweeper(&world);

    for _ in 0..5 {
        assert_eq!(sweeper.sweep().await.unwrap(), shopwright_app::sweeper::Swept::default());
        later(&world, 60);
    }

    for id in [&ready.id, &failed, &running] {
        assert!(world.cluster.epoch(id).is_some());
    }
}

#[tokio::test]
async fn a_namespace_that_nobody_knows_is_reported_and_left_alone() {
    // RELIABILITY F28.
    let world = Fixture::new().await;
    let stranger = StoreId::from_random(99);
    sleeper_wakes(&world, &stranger, 7).await;
    let sweeper = sweeper(&world);

    for _ in 0..3 {
        let swept = sweeper.sweep().await.unwrap();
        assert_eq!((swept.removed, swept.unknown), (vec![], vec![stranger.clone()]));
        later(&world, 600);
    }

    assert_eq!(sweeper.unknown(), 1);
    assert!(world.cluster.epoch(&stranger).is_some());
    assert!(world.storage.snapshot().await.audit.is_empty(), "there is no organisation to tell it to");
}

#[tokio::test]
async fn what_is_taken_up_between_the_look_and_the_removal_is_left_alone() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    world.stores.delete(&ada, &store.id).await.unwrap();
    world.settle(&store.id).await;
    sleeper_wakes(&world, &store.id, 1).await;
    let seen = world.cluster.list_namespaces().await.unwrap();

    // Somebody changes it meanwhile: another version, another uid.
    sleeper_wakes(&world, &store.id, 5).await;
    world.cluster.remove_stray(&seen[0]).await.unwrap();

    assert_eq!(world.cluster.epoch(&store.id), Some(Epoch(5)));
}

#[tokio::test]
async fn a_sweep_passes_the_breaker_and_the_fence_like_everything_else() {
    let world = Fixture::new().await;
    world.cluster.open_fence(Some("the binding is gone"));
    world.cluster.faults.push("list_namespaces", Fault::Before(ClusterError::Rejected("asked".to_owned())));

    assert!(sweeper(&world).sweep().await.is_err());

    assert_eq!(world.cluster.faults.remaining(), 1, "nothing was asked");
}

#[tokio::test]
async fn a_chart_that_no_store_is_brought_back_to_is_forgotten_a_day_after_its_last_use() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    let first = world.storage.snapshot().await.releases[&store.id].origin.clone();
    let sweeper = sweeper(&world);
    let kept = async || world.storage.snapshot().await.origins.into_keys().collect::<Vec<_>>();

    later(&world, 25 * 3600);
    assert_eq!(sweeper.forget_origins().await.unwrap(), 0, "the store works with it");

    world.releases.replace_charts();
    let upgrade = world.stores.upgrade(&ada, &store.id).await.unwrap().operation.unwrap();
    assert_eq!(world.ended(upgrade.id).await.status, OperationStatus::Succeeded);
    let second = world.storage.snapshot().await.releases[&store.id].origin.clone();
    assert_eq!(kept().await.len(), 2);
    assert_eq!(sweeper.forget_origins().await.unwrap(), 1, "nobody has installed from it for a day");
    assert_eq!(kept().await, second.iter().cloned().collect::<Vec<_>>());
    assert_ne!(first, second);

    world.stores.delete(&ada, &store.id).await.unwrap();
    assert_eq!(world.settle(&store.id).await.state, StoreState::Deleted);
    assert_eq!(sweeper.forget_origins().await.unwrap(), 0, "it was used just now");
    later(&world, 24 * 3600 + 1);
    assert_eq!(sweeper.forget_origins().await.unwrap(), 1);
    assert_eq!(kept().await, Vec::<String>::new());
}

#[tokio::test]
async fn charts_are_forgotten_by_whoever_sweeps_and_not_at_every_sweep() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    world.stores.delete(&ada, &store.id).await.unwrap();
    world.settle(&store.id).await;
    let (sweeper, stop) = (Arc::new(sweeper(&world)), CancellationToken::new());
    let sweeping = tokio::spawn({
        let (sweeper, stop) = (Arc::clone(&sweeper), stop.clone());
        async move { sweeper.run(stop).await }
    });
    let kept = async || world.storage.snapshot().await.origins.len();
    // How many minutes pass until it is gone.
    let minutes = async |most: u32| {
        for minute in 0..most {
            if kept().await == 0 {
                return Some(minute);
            }
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
            later(&world, 60);
        }
        None
    };

    // The first sweep looks, and finds a chart of today; the next look is an hour later.
    assert_eq!(minutes(5).await, None);
    later(&world, 24 * 3600);
    let took = minutes(70).await.unwrap();

    assert!(took < 5, "{took}");
    stop.cancel();
    sweeping.await.unwrap();
}
