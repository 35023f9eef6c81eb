//! Operations that a newer program made (RELIABILITY F13), and every kind of them.

use jiff::SignedDuration;
use shopwright_domain::operation::{Operation, OperationKind, OperationStatus, SAGA_VERSION};
use shopwright_domain::saga::StepRecord;
use shopwright_domain::{Epoch, WorkerId};

use super::leases::every_write_is_refused;
use super::world::{LONG, NONE, World, at, far_future, new_worker, step_record};
use crate::storage::{Reach, Storage};

/// Every way in which an operation can be claimable, as a newer program may have left it.
fn claimable(operation: &Operation) -> [Operation; 4] {
    let newer = Operation { saga_version: SAGA_VERSION + 1, ..operation.clone() };
    let parked = |status| Operation { status, wake_at: Some(at(0)), ..newer.clone() };
    let dead = Operation {
        status: OperationStatus::Running,
        epoch: Epoch(3),
        worker: Some(new_worker()),
        lease_expires_at: Some(at(0)),
        ..newer.clone()
    };
    [newer.clone(), parked(OperationStatus::Waiting), parked(OperationStatus::Stuck), dead]
}

/// What was made for a later version of the sagas is not claimed, however old, and holds up nobody; it can be read all the same.
pub async fn an_operation_of_a_later_version_is_left_alone(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let mut newer = Vec::new();
    for which in 0..4 {
        let store = world.store(0).await;
        let operation = claimable(&world.operation(&store, 0))[which].clone();
        world.enqueue(&operation).await.expect("enqueue");
        newer.push(operation);
    }
    let ours = world.queued(9).await;

    let claim = world.claim(new_worker(), LONG).await.expect("ours");
    let nothing = world.claim(new_worker(), LONG).await;

    assert_eq!((claim.operation.id, nothing), (ours.id, None));
    for operation in newer {
        assert_eq!(world.reread(operation.id).await, operation, "as it was");
    }
    world.settle().await;
}

/// Nobody wakes up for what only a newer program can do.
pub async fn a_later_version_makes_nothing_due(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let ends = at(1) + SignedDuration::from_secs(3_000_000_000);
    for operation in claimable(&world.operation(&world.store(0).await, 0)) {
        for wake_at in [at(0), far_future()] {
            let store = world.store(0).await;
            let operation = Operation {
                id: world.operation(&store, 0).id,
                store_id: store.id,
                wake_at: operation.wake_at.map(|_| wake_at),
                lease_expires_at: operation.lease_expires_at.map(|_| if wake_at == at(0) { at(0) } else { ends }),
                ..operation.clone()
            };
            world.enqueue(&operation).await.expect("enqueue");
        }
    }

    assert_eq!(world.within(Reach::Worker).await.operations().next_due().await.expect("look"), None);
    world.settle().await;
}

/// A newer program's work counts against the permits of the cluster like anybody's.
pub async fn a_later_versions_running_operation_holds_its_permit(storage: &dyn Storage) {
    let world = World::with_permits(storage, 1).await;
    let store = world.store(0).await;
    let running = Operation {
        saga_version: SAGA_VERSION + 1,
        status: OperationStatus::Running,
        worker: Some(WorkerId::from_random(1)),
        lease_expires_at: Some(far_future()),
        ..world.operation(&store, 0)
    };
    world.enqueue(&running).await.expect("enqueue");
    world.queued(1).await;

    assert_eq!(world.claim(new_worker(), LONG).await, None);
    world.settle().await;
}

/// Each kind of operation is claimed with its own steps, in their order, and finished.
pub async fn every_kind_of_operation_is_claimed_with_its_steps(storage: &dyn Storage) {
    let world = World::new(storage).await;
    for kind in OperationKind::ALL {
        let store = world.store(0).await;
        let operation =
            Operation { kind, step: kind.steps().first().copied(), created_at: at(0), ..world.operation(&store, 0) };
        let done: Vec<_> = kind.steps().iter().rev().map(|step| StepRecord { step: *step, ..step_record(0) }).collect();
        let mut tx = world.within(Reach::Worker).await;
        tx.operations().enqueue(&operation, &done).await.expect("enqueue");
        tx.commit().await.expect("commit");

        let claim = world.claim(new_worker(), LONG).await.expect("a claim");

        assert_eq!((claim.operation.id, claim.operation.kind), (operation.id, kind));
        assert_eq!(claim.steps.iter().map(|record| record.step).collect::<Vec<_>>(), kind.steps());
        let mut tx = world.within(Reach::Worker).await;
        tx.operations().finish(&claim.lease, OperationStatus::Succeeded, None, at(1)).await.expect("finish");
        tx.commit().await.expect("commit");
    }
}

/// A retry may come while what was cancelled is still being taken back: the unwind ends, its worker is out, the provision is next.
pub async fn an_unwind_that_runs_gives_way(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let store = world.store(0).await;
    let unwind = Operation { kind: OperationKind::Unwind, ..world.operation(&store, 0) };
    world.enqueue(&unwind).await.expect("enqueue");
    let lease = world.claim(new_worker(), NONE).await.expect("a claim").lease;
    let provision = world.operation(&store, 1);

    let mut tx = world.within(Reach::Worker).await;
    tx.operations().supersede(unwind.id, at(2)).await.expect("supersede");
    tx.stores().raise_epoch(&store.id).await.expect("raise");
    tx.operations().enqueue(&provision, &[]).await.expect("enqueue in its place");
    tx.commit().await.expect("commit");

    every_write_is_refused(&world, &lease).await;
    let ended = world.reread(unwind.id).await;
    assert_eq!((ended.status, ended.worker, ended.lease_expires_at), (OperationStatus::Cancelled, None, None));
    let claim = world.claim(new_worker(), LONG).await.expect("the provision");
    assert_eq!((claim.operation.id, claim.lease.epoch, claim.taken_over), (provision.id, Epoch(3), None));
    world.settle().await;
}
