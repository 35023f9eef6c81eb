//! The fence: without it nothing is done.

use shopwright_domain::audit::AuditEventType;
use shopwright_domain::operation::OperationStatus;
use shopwright_domain::store::StoreState;
use shopwright_domain::{Epoch, ErrorCode};
use shopwright_ports::clock::Clock as _;
use shopwright_ports::stores_api::StoreService as _;
use shopwright_ports::testing::Fault;

use crate::support::Fixture;
use crate::{events, run_until, seconds, text, with_code};

#[tokio::test]
async fn a_cluster_without_its_fence_takes_no_work_and_goes_on_when_it_is_prepared() {
    // DECISIONS 5, RELIABILITY S51.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    world.cluster.open_fence(Some("the binding is gone"));
    let operation = world.create(&ada, "teashop").await.operation.unwrap();

    for _ in 0..10 {
        world.run_due(&world.worker).await;
        world.clock.advance(seconds(31));
    }

    let waiting = world.operation(operation.id).await;
    assert_eq!((waiting.status, waiting.attempt), (OperationStatus::Waiting, 0));
    assert_eq!(waiting.failure.as_ref().map(|failure| failure.code), Some(ErrorCode::ClusterUnfenced));
    assert_eq!((world.cluster.creations(), world.releases.install_calls(&operation.store_id)), (0, 0));
    assert_eq!(events(&world, with_code(ErrorCode::ClusterUnfenced)).await.len(), 1, "once, not at each back-off");
    world.cluster.open_fence(None);
    let start = world.clock.now();
    assert_eq!(world.settle(&operation.store_id).await.state, StoreState::Ready);
    assert!(world.clock.now().duration_since(start) <= seconds(30));
}

#[tokio::test]
async fn a_policy_that_is_removed_under_a_running_store_stops_every_further_change() {
    // RELIABILITY S51: what holds for a minute is looked at again.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    world.cluster.open_fence(Some("the policy is gone"));
    world.clock.advance(seconds(60));

    world.stores.delete(&ada, &store.id).await.unwrap();
    world.run_due(&world.worker).await;

    assert_eq!((world.releases.uninstall_calls(&store.id), world.cluster.deletions()), (0, 0));
    world.cluster.open_fence(None);
    assert_eq!(world.settle(&store.id).await.state, StoreState::Deleted);
}

#[tokio::test]
async fn a_worker_that_is_fenced_out_says_who_holds_the_store_now() {
    // RELIABILITY F3, F6.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let provision = world.create(&ada, "teashop").await.operation.unwrap();
    world.cluster.faults.push("put_credentials", Fault::Hang);
    let mut deletion = None;
    let told = run_until(&world, async || {
        let hanging = world.operation(provision.id).await.status == OperationStatus::Running;
        if deletion.is_none() && hanging && world.cluster.creations() == 1 {
            deletion = world.stores.delete(&ada, &provision.store_id).await.unwrap().operation;
        }
        let lost = events(&world, |event| event.message.contains("lease lost")).await;
        lost.first().cloned().zip(deletion.as_ref().map(|operation| operation.id))
    });
    let (event, deletion) = told.await;

    assert_eq!(event.event_type, AuditEventType::Warning);
    assert_eq!((event.operation_id, event.epoch), (Some(provision.id), Some(Epoch(1))));
    assert_eq!(text(&event, "worker"), world.worker.id().to_string());
    assert_eq!(text(&event, "currentOperation"), deletion.to_string());
    assert!(text(&event, "currentEpoch").parse::<i64>().unwrap() > 1);
}
