//! Shutdowns hand back what they cannot finish.

use shopwright_app::worker::Worker;
use shopwright_domain::audit::AuditEventType;
use shopwright_domain::operation::OperationStatus;
use shopwright_domain::store::StoreState;
use shopwright_ports::clock::Clock as _;
use shopwright_ports::testing::Fault;
use tokio_util::sync::CancellationToken;

use crate::support::Fixture;
use crate::{TURNS, events, seconds, tick};

/// Runs the worker until it has ended after a stop that comes as soon as `ready_to_stop`.
async fn stopped(world: &Fixture, worker: &Worker, ready_to_stop: impl Fn() -> bool) {
    let stop = CancellationToken::new();
    let driver = async {
        for _ in 0..TURNS {
            tick(world).await;
            if ready_to_stop() {
                stop.cancel();
            }
        }
        panic!("it does not stop");
    };
    tokio::select! {
        biased;
        () = worker.run(stop.clone()) => {}
        () = driver => unreachable!(),
    }
}

#[tokio::test]
async fn a_shutdown_hands_back_what_only_waits_at_once() {
    // RELIABILITY F9.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    world.cluster.auto_ready(false);
    let operation = world.create(&ada, "teashop").await.operation.unwrap();

    stopped(&world, &world.worker, || !world.releases.installed().is_empty()).await;

    let back = world.operation(operation.id).await;
    assert_eq!((back.status, back.worker), (OperationStatus::Queued, None));
    world.cluster.auto_ready(true);
    assert_eq!(world.run_due(&world.restarted_worker()).await, 1, "nobody waits for a lease");
    assert_eq!(world.store(&operation.store_id).await.state, StoreState::Ready);
    assert!(events(&world, |event| event.event_type == AuditEventType::Recovery).await.is_empty());
}

#[tokio::test]
async fn a_shutdown_that_a_step_outlasts_ends_all_the_same_and_hands_back() {
    // RELIABILITY F9.
    let world = Fixture::new().await;
    let ada = world.merchant("ada").await;
    let operation = world.create(&ada, "teashop").await.operation.unwrap();
    world.cluster.faults.push("put_credentials", Fault::Hang);
    let start = world.clock.now();

    stopped(&world, &world.worker, || world.cluster.creations() == 1).await;

    assert!(world.clock.now().duration_since(start) < seconds(30));
    let back = world.operation(operation.id).await;
    assert_eq!((back.status, back.worker), (OperationStatus::Queued, None));
    let heir = world.restarted_worker();
    world.run_due(&heir).await;
    let snapshot = world.storage.snapshot().await;
    assert!(snapshot.steps_of(operation.id).iter().all(|record| record.crashes == 0), "a shutdown is no crash");
    assert_eq!(world.store(&operation.store_id).await.state, StoreState::Ready);
}
