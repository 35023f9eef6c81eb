//! Cancelling a provision: at every step it leaves nothing in the cluster, once, and the store can be retried or deleted.
//! DECISIONS 10 and 11, RELIABILITY F4, F65.

#![expect(clippy::unwrap_used, reason = "what helps a test fails like one")]

mod support;

use shopwright_domain::operation::{Operation, OperationKind, OperationStatus};
use shopwright_domain::store::{Failure, Store, StoreState};
use shopwright_domain::{ErrorCode, OperationId, StoreId};
use shopwright_ports::cluster::{ClusterError, Rollout};
use shopwright_ports::releases::ReleaseError;
use shopwright_ports::stores_api::{RequestContext, StoreService, StoreServiceError};
use shopwright_ports::testing::Fault;
use support::Fixture;

const fn throttled() -> ClusterError {
    ClusterError::Throttled { retry_after: None }
}

/// The calls of a provision at which it can be made to wait, in their order.
const CALLS: [&str; 7] =
    ["ensure_namespace", "raise_epoch", "put_credentials", "begin_install", "install", "await_workloads", "probe"];

/// A provision that waits in the middle: `call` has failed, after its effect or before it.
async fn waiting_at(world: &Fixture, context: &RequestContext, call: &'static str, after: bool) -> Operation {
    let accepted = world.create(context, "teashop").await;
    if call.contains("install") {
        let error = ReleaseError::Cluster(throttled());
        world.releases.faults.push(call, if after { Fault::After(error) } else { Fault::Before(error) });
    } else if call == "probe" {
        world.storefront.answer(&accepted.store.host, 503);
    } else if call == "raise_epoch" {
        // Raised anew only by another claim than the one that made the namespace.
        world.cluster.faults.push("put_credentials", Fault::Before(throttled()));
        world.cluster.faults.push(call, if after { Fault::After(throttled()) } else { Fault::Before(throttled()) });
        world.run_due(&world.worker).await;
        world.clock.advance(jiff::SignedDuration::from_secs(11));
    } else {
        world.cluster.faults.push(call, if after { Fault::After(throttled()) } else { Fault::Before(throttled()) });
    }
    world.run_due(&world.worker).await;
    let operation = world.operation(accepted.operation.unwrap().id).await;
    assert_eq!(operation.status, OperationStatus::Waiting, "{call}");
    world.storefront.answer(&accepted.store.host, 200);
    operation
}

async fn cancelled(world: &Fixture, context: &RequestContext, id: OperationId) -> (Store, Operation) {
    let accepted = world.stores.cancel(context, id).await.unwrap();
    (accepted.store, accepted.operation.unwrap())
}

fn is_gone(world: &Fixture, id: &StoreId) -> bool {
    world.cluster.epoch(id).is_none() && !world.releases.installed().contains_key(id)
}

#[tokio::test]
async fn cancelling_at_every_step_leaves_nothing_and_retry_makes_the_store() {
    for call in CALLS {
        for after in [false, true] {
            let world = Fixture::new().await;
            let ada = world.merchant("ada").await;
            let provision = waiting_at(&world, &ada, call, after).await;
            let id = provision.store_id.clone();

            let (store, unwind) = cancelled(&world, &ada, provision.id).await;
            let ended = world.ended(unwind.id).await;

            assert_eq!(store.failure.map(|failure| failure.code), Some(ErrorCode::Cancelled), "{call}, after {after}");
            assert_eq!(ended.status, OperationStatus::Succeeded, "{call}, after {after}");
            assert_eq!(world.operation(provision.id).await.status, OperationStatus::Cancelled);
            assert_eq!(world.store(&id).await.state, StoreState::Failed);
            assert!(is_gone(&world, &id), "{call}, after {after}: something is left");
            world.stores.retry(&ada, &id).await.unwrap();
            assert_eq!(world.settle(&id).await.state, StoreState::Ready, "{call}, after {after}");
        }
    }
}

#[tokio::test]
async fn a_provision_that_nobody_has_taken_up_is_cancelled_too() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let provision = world.create(&ada, "teashop").await.operation.unwrap();

    let (_, unwind) = cancelled(&world, &ada, provision.id).await;

    assert_eq!(world.ended(unwind.id).await.status, OperationStatus::Succeeded);
    assert_eq!(world.cluster.creations(), 0);
}

#[tokio::test]
async fn a_provision_that_runs_is_stopped_and_what_its_worker_still_writes_is_refused() {
    // RELIABILITY F3: the worker hangs in a call, and the cancellation takes its lease away.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let accepted = world.create(&ada, "teashop").await;
    world.cluster.faults.push("put_credentials", Fault::Hang);
    world.run_for(&world.worker, 2).await;
    assert_eq!(world.operation(accepted.operation.as_ref().unwrap().id).await.status, OperationStatus::Running);

    let (_, unwind) = cancelled(&world, &ada, accepted.operation.unwrap().id).await;

    let other = world.restarted_worker();
    assert_eq!(world.ended_by(&other, unwind.id).await.status, OperationStatus::Succeeded);
    assert!(is_gone(&world, &accepted.store.id));
}

#[tokio::test]
async fn cancelling_twice_is_one_cancellation() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let provision = waiting_at(&world, &ada, "install", true).await;

    let (_, first) = cancelled(&world, &ada, provision.id).await;
    let (_, second) = cancelled(&world, &ada, provision.id).await;
    world.ended(first.id).await;
    let (_, third) = cancelled(&world, &ada, provision.id).await;

    assert_eq!((second.id, third.id), (first.id, first.id));
    assert_eq!(third.status, OperationStatus::Succeeded);
    assert_eq!(world.cluster.deletions(), 1);
}

#[tokio::test]
async fn a_retry_while_it_is_being_taken_back_takes_over() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let provision = waiting_at(&world, &ada, "await_workloads", false).await;
    let id = provision.store_id;
    world.cluster.block_removal(&id, Some("held"));
    let (_, unwind) = cancelled(&world, &ada, provision.id).await;
    world.run_due(&world.worker).await;
    assert_eq!(world.operation(unwind.id).await.status, OperationStatus::Stuck);

    world.stores.retry(&ada, &id).await.unwrap();
    world.cluster.block_removal(&id, None);

    assert_eq!(world.settle(&id).await.state, StoreState::Ready);
    assert_eq!(world.operation(unwind.id).await.status, OperationStatus::Cancelled);
    assert_eq!(world.cluster.creations(), 2, "what was being removed is made anew");
}

#[tokio::test]
async fn a_deletion_while_it_is_being_taken_back_takes_over() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let provision = waiting_at(&world, &ada, "await_workloads", false).await;
    let (_, unwind) = cancelled(&world, &ada, provision.id).await;

    world.stores.delete(&ada, &provision.store_id).await.unwrap();

    assert_eq!(world.settle(&provision.store_id).await.state, StoreState::Deleted);
    assert_eq!(world.operation(unwind.id).await.status, OperationStatus::Cancelled);
    assert_eq!(world.leftovers(&provision.store_id).await, Vec::<String>::new());
}

#[tokio::test]
async fn only_a_provision_that_is_not_finished_can_be_cancelled() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    let provision = world.stores.get(&ada, &store.id).await.unwrap().operation.unwrap();
    let deletion = world.stores.delete(&ada, &store.id).await.unwrap().operation.unwrap();
    let failing = world.create(&ada, "coffeeshop").await;
    world.cluster.set_rollout(&failing.store.id, Rollout::Failed(Failure::new(ErrorCode::SetupFailed, "no")));
    world.settle(&failing.store.id).await;

    for (id, expected) in [
        (provision.id, (OperationKind::Provision, OperationStatus::Succeeded)),
        (deletion.id, (OperationKind::Delete, world.operation(deletion.id).await.status)),
        (failing.operation.unwrap().id, (OperationKind::Provision, OperationStatus::Failed)),
    ] {
        let Err(StoreServiceError::NotCancellable { kind, status }) = world.stores.cancel(&ada, id).await else {
            panic!("{expected:?} was cancelled");
        };
        assert_eq!((kind, status), expected);
    }
}

#[tokio::test]
async fn a_stranger_cannot_cancel_and_learns_nothing() {
    let world = Fixture::new().await;
    let (ada, mallory) = (world.merchant("ada").await, world.merchant("mallory").await);
    let operator = world.administrator().await;
    let foreign = world.create(&ada, "teashop").await.operation.unwrap().id;
    let none = OperationId::from_random(1);

    for id in [foreign, none] {
        assert!(matches!(world.stores.cancel(&mallory, id).await, Err(StoreServiceError::Forbidden)));
    }
    assert!(matches!(world.stores.cancel(&operator, none).await, Err(StoreServiceError::NotFound(_))));
    assert!(world.stores.cancel(&operator, foreign).await.is_ok());
}

#[tokio::test]
async fn a_crash_at_every_transaction_of_an_unwind_leaves_nothing() {
    // RELIABILITY F1, F5, F15.
    for after in [false, true] {
        for nth in 0..10 {
            let world = Fixture::new().await;
            let ada = world.merchant("ada").await;
            let provision = waiting_at(&world, &ada, "await_workloads", false).await;
            let (_, unwind) = cancelled(&world, &ada, provision.id).await;
            world.fail_commit(nth, after);

            world.run_due(&world.worker).await;
            let ended = world.ended_by(&world.restarted_worker(), unwind.id).await;

            assert_eq!(ended.status, OperationStatus::Succeeded, "commit {nth}, after {after}");
            assert!(is_gone(&world, &provision.store_id), "commit {nth}, after {after}");
            assert_eq!(world.store(&provision.store_id).await.state, StoreState::Failed);
        }
    }
}
