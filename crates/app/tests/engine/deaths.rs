//! Workers that die, panic, or come back.

use std::sync::Arc;

use shopwright_domain::audit::AuditEventType;
use shopwright_domain::operation::OperationStatus;
use shopwright_domain::saga::Policy;
use shopwright_domain::store::StoreState;
use shopwright_domain::{ErrorCode, StoreId};
use shopwright_ports::clock::Clock as _;
use shopwright_ports::secrets::{SealError, Sealed, Sealer};
use shopwright_ports::stores_api::StoreService as _;
use shopwright_ports::testing::{FakeSealer, Fault};

use crate::support::Fixture;
use crate::{LEASE, events, seconds, step_of, text, with_code};

/// Panics over one store.
struct Panicking {
    inner: FakeSealer,
    over: StoreId,
}

impl Sealer for Panicking {
    fn seal(&self, context: &str, plain: &[u8]) -> Result<Sealed, SealError> {
        self.inner.seal(context, plain)
    }

    fn open(&self, context: &str, sealed: &Sealed) -> Result<Vec<u8>, SealError> {
        assert!(context != self.over.as_str(), "this store is poison");
        self.inner.open(context, sealed)
    }
}

/// A worker takes up what is due and dies some seconds later; its lease runs out.
async fn a_worker_dies(world: &Fixture) {
    world.run_for(&world.restarted_worker(), 3).await;
    world.clock.advance(seconds(LEASE + 1));
}

#[tokio::test]
async fn an_operation_that_ends_worker_after_worker_is_parked_and_others_go_on() {
    // RELIABILITY F11.
    let limit = Policy::default().max_crashes;
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let poison = world.create(&ada, "teashop").await.operation.unwrap();
    for _ in 0..limit {
        world.cluster.faults.push("put_credentials", Fault::Hang);
        a_worker_dies(&world).await;
    }
    let innocent = world.create(&ada, "coffeeshop").await.store.id;

    world.run_due(&world.restarted_worker()).await;

    let parked = world.operation(poison.id).await;
    assert_eq!(parked.status, OperationStatus::Stuck);
    assert_eq!(parked.failure.as_ref().map(|failure| failure.code), Some(ErrorCode::Poisoned));
    assert_eq!(step_of(&world, &parked).await.crashes, limit);
    assert_eq!(world.store(&innocent).await.state, StoreState::Ready);
    assert_eq!(events(&world, with_code(ErrorCode::Poisoned)).await.len(), 1);
    // It is tried again now and then, and the cause is gone.
    assert_eq!(world.settle_with(&world.restarted_worker(), &poison.store_id).await.state, StoreState::Ready);
}

#[tokio::test]
async fn deaths_while_it_only_waits_are_not_blamed_on_an_operation() {
    // RELIABILITY F1, F11: honest kills, many of them.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    world.cluster.auto_ready(false);
    let operation = world.create(&ada, "teashop").await.operation.unwrap();
    for _ in 0..30 {
        a_worker_dies(&world).await;
    }
    let waiting = world.operation(operation.id).await;
    assert_eq!(step_of(&world, &waiting).await.crashes, 0);

    world.cluster.auto_ready(true);

    let start = world.clock.now();
    assert_eq!(world.settle(&operation.store_id).await.state, StoreState::Ready);
    assert!(world.clock.now().duration_since(start) <= seconds(2 * LEASE), "resumed within two leases");
}

#[tokio::test]
async fn a_take_over_is_written_down_with_both_workers_both_epochs_and_the_idle_time() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    world.create(&ada, "teashop").await;
    world.cluster.faults.push("put_credentials", Fault::Hang);
    a_worker_dies(&world).await;

    let heir = world.restarted_worker();
    world.run_due(&heir).await;

    let recoveries = events(&world, |event| event.event_type == AuditEventType::Recovery).await;
    let [recovery] = recoveries.as_slice() else { panic!("{recoveries:?}") };
    assert_eq!(text(recovery, "worker"), heir.id().to_string());
    assert_ne!(text(recovery, "previousWorker"), text(recovery, "worker"));
    assert_eq!((text(recovery, "previousEpoch"), text(recovery, "epoch")), ("1".to_owned(), "2".to_owned()));
    assert_eq!((text(recovery, "step"), text(recovery, "crashes")), ("create_credentials".to_owned(), "1".to_owned()));
    assert!(text(recovery, "idleMs").parse::<i64>().unwrap() >= 1000);
}

#[tokio::test]
async fn a_panic_ends_its_run_alone_and_counts_like_a_death() {
    // RELIABILITY F11.
    let limit = Policy::default().max_crashes;
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let poison = world.create(&ada, "teashop").await.operation.unwrap();
    let innocent = world.create(&ada, "coffeeshop").await.store.id;
    let sealer = Arc::new(Panicking { inner: FakeSealer::default(), over: poison.store_id.clone() });
    let worker = world.worker_with(sealer);

    world.run_due(&worker).await;
    let waiting = world.operation(poison.id).await;
    assert_eq!((waiting.status, waiting.worker), (OperationStatus::Waiting, None), "the lease is given back");
    assert_eq!(step_of(&world, &waiting).await.crashes, 1);
    assert_eq!(world.store(&innocent).await.state, StoreState::Ready);

    for _ in 1..limit {
        world.clock.advance(seconds(31));
        world.run_due(&worker).await;
    }
    let parked = world.operation(poison.id).await;
    assert_eq!(parked.status, OperationStatus::Stuck);
    assert_eq!(parked.failure.map(|failure| failure.code), Some(ErrorCode::Poisoned));
    assert!(
        events(&world, |event| event.event_type == AuditEventType::Recovery).await.is_empty(),
        "nobody waited for a lease"
    );
}

/// A worker dies at its nth commit from now. Whether there was such a commit: if not, every one has had its turn.
async fn dies_at_commit(world: &Fixture, nth: usize) -> bool {
    world.storage.faults.pass("commit", nth);
    world.storage.faults.push("commit", Fault::Hang);
    world.run_for(&world.restarted_worker(), 3).await;
    world.clock.advance(seconds(LEASE + 1));
    world.storage.faults.remaining() == 0
}

#[tokio::test]
async fn a_death_at_every_transaction_of_a_provision_loses_nothing_and_doubles_nothing() {
    // RELIABILITY F1, F5.
    let mut deaths = 0;
    loop {
        let world = Fixture::new().await;
        let ada = world.merchant("ada").await;
        let id = world.create(&ada, "teashop").await.store.id;
        if !dies_at_commit(&world, deaths).await {
            break;
        }

        assert_eq!(world.settle_with(&world.restarted_worker(), &id).await.state, StoreState::Ready, "commit {deaths}");

        assert_eq!((world.cluster.creations(), world.releases.installed().len()), (1, 1), "commit {deaths}");
        deaths += 1;
    }
    assert!(deaths >= 13, "a claim, and begin and end of each step, are transactions: {deaths}");
}

#[tokio::test]
async fn a_death_at_every_transaction_of_a_deletion_leaves_nothing() {
    // RELIABILITY F1, F5.
    let mut deaths = 0;
    loop {
        let world = Fixture::new().await;
        let ada = world.merchant("ada").await;
        let store = world.ready_store(&ada, "teashop").await;
        world.stores.delete(&ada, &store.id).await.unwrap();
        if !dies_at_commit(&world, deaths).await {
            break;
        }

        let last = world.settle_with(&world.restarted_worker(), &store.id).await;

        assert_eq!(last.state, StoreState::Deleted, "commit {deaths}");
        assert_eq!(world.leftovers(&store.id).await, Vec::<String>::new(), "commit {deaths}");
        deaths += 1;
    }
    assert!(deaths >= 8, "{deaths}");
}
