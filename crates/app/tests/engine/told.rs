//! What the engine waits for, and what it finds, is told.

use shopwright_domain::ErrorCode;
use shopwright_domain::audit::AuditEventType;
use shopwright_domain::operation::OperationStatus;
use shopwright_domain::store::{Failure, StoreState};
use shopwright_ports::clock::Clock as _;
use shopwright_ports::cluster::{ClusterError, Rollout};
use shopwright_ports::releases::ReleaseError;
use shopwright_ports::stores_api::StoreService as _;
use shopwright_ports::testing::Fault;

use crate::support::Fixture;
use crate::{events, seconds, text, with_code};

#[tokio::test]
async fn what_a_rollout_waits_for_is_told_while_it_waits_and_taken_back() {
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let operation = world.create(&ada, "teashop").await.operation.unwrap();
    let pending = Failure::new(ErrorCode::Unschedulable, "pod web-0: 0/1 nodes have room");
    world.cluster.set_rollout(&operation.store_id, Rollout::Pending(pending.clone()));
    let start = world.clock.now();

    let look = async {
        loop {
            let seen = world.operation(operation.id).await;
            if seen.failure.is_some() {
                assert_eq!((seen.status, seen.failure), (OperationStatus::Running, Some(pending.clone())));
                assert!(world.clock.now().duration_since(start) <= seconds(10));
                world.cluster.clear_rollout(&operation.store_id);
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    futures::join!(world.in_time(world.worker.run_due()), look).0.unwrap();

    let ended = world.operation(operation.id).await;
    assert_eq!((ended.status, ended.failure), (OperationStatus::Succeeded, None));
}

#[tokio::test]
async fn a_cluster_that_freezes_under_helm_is_told_before_helm_gives_up() {
    // RELIABILITY F37.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let operation = world.create(&ada, "teashop").await.operation.unwrap();
    world.releases.faults.push("install", Fault::Hang);
    let frozen = || ClusterError::Unreachable { detail: "no answer within 10 s".to_owned(), source: None };
    world.cluster.faults.push("check", Fault::Before(frozen()));

    world.run_for(&world.worker, 25).await;

    let seen = world.operation(operation.id).await;
    assert_eq!(seen.status, OperationStatus::Running);
    assert_eq!(seen.failure.map(|failure| failure.code), Some(ErrorCode::ClusterUnreachable));
}

#[tokio::test]
async fn a_reason_is_written_down_when_it_is_new_and_not_at_each_look() {
    // RELIABILITY F55.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let store = world.ready_store(&ada, "teashop").await;
    world.cluster.block_removal(&store.id, Some("configmap/x has finalizer example.com/hold"));
    world.stores.delete(&ada, &store.id).await.unwrap();
    for _ in 0..10 {
        world.run_due(&world.worker).await;
        world.clock.advance(seconds(31));
    }
    assert_eq!(events(&world, with_code(ErrorCode::DeleteBlocked)).await.len(), 1);

    for _ in 0..3 {
        world.cluster.faults.push("await_gone", Fault::Before(ClusterError::Denied("no".to_owned())));
        world.run_due(&world.worker).await;
        world.clock.advance(seconds(31));
    }
    world.run_due(&world.worker).await;

    assert_eq!(events(&world, with_code(ErrorCode::PermissionDenied)).await.len(), 1);
    assert_eq!(events(&world, with_code(ErrorCode::DeleteBlocked)).await.len(), 2, "it is the reason again");
}

#[tokio::test]
async fn an_attempt_that_installs_something_else_is_written_down() {
    // RELIABILITY F54.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let operation = world.create(&ada, "teashop").await.operation.unwrap();
    world.releases.faults.push("install", Fault::Before(ReleaseError::Failed("no".to_owned())));
    world.run_due(&world.worker).await;
    let first = world.operation(operation.id).await.release;
    assert!(first.is_some(), "it is on record before the run");

    world.releases.replace_charts();
    assert_eq!(world.settle(&operation.store_id).await.state, StoreState::Ready);

    let changed = events(&world, |event| event.metadata.contains_key("changed")).await;
    let [event] = changed.as_slice() else { panic!("{changed:?}") };
    assert_eq!((event.event_type, text(event, "changed").as_str()), (AuditEventType::Warning, "chart"));
    assert_ne!(world.operation(operation.id).await.release, first);
}
