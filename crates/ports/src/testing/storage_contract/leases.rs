//! Leases: what their holder can do, and what nobody else can.

use shopwright_domain::Epoch;
use shopwright_domain::error_code::ErrorCode;
use shopwright_domain::operation::{OperationStatus, SetupStep};
use shopwright_domain::store::Failure;

use super::world::{LONG, NONE, World, at, digests, far_future, new_worker, step_record};
use crate::storage::{Lease, Reach, Storage, StorageError};

/// Tries every fenced write under `lease`, each in a transaction of its own that is committed if it may be.
pub(super) async fn every_write_is_refused(world: &World<'_>, lease: &Lease) {
    let (before, store) = (world.reread(lease.operation_id).await, world.read(&lease.store_id).await);
    let step = step_record(0);
    let why = Failure::new(ErrorCode::ClusterUnreachable, "no route to host");
    let setup = [SetupStep { name: "late".to_owned(), millis: 1 }];
    for write in 0..8 {
        let mut tx = world.within(Reach::Worker).await;
        let operations = tx.operations();
        let refusal = match write {
            0 => operations.record_step(lease, &step).await,
            1 => operations.record_progress(lease, step.step, 7).await,
            2 => operations.park(lease, OperationStatus::Waiting, Some(far_future()), None).await,
            3 => operations.note_waiting(lease, Some(&why)).await,
            4 => operations.record_release(lease, &digests("late")).await,
            5 => operations.record_setup(lease, &setup).await,
            6 => operations.lift_epoch(lease, Epoch(99)).await.map(|_| ()),
            _ => operations.finish(lease, OperationStatus::Succeeded, None, at(1)).await,
        };
        assert!(matches!(refusal, Err(StorageError::LeaseLost)), "write {write}: {refusal:?}");
        tx.commit().await.expect("a lost lease leaves the transaction usable");
    }
    assert_eq!(world.reread(lease.operation_id).await, before);
    assert_eq!(world.read(&lease.store_id).await, store);
    assert_eq!(world.within(Reach::Worker).await.operations().steps(lease.operation_id).await.expect("read"), []);
    assert_eq!(world.renew(std::slice::from_ref(lease)).await, []);
}

/// After a take-over the worker that was thought dead can write nothing, even if it is the same worker.
pub async fn a_lease_that_was_taken_over_cannot_write(storage: &dyn Storage) {
    let world = World::new(storage).await;
    world.queued(0).await;
    let worker = new_worker();
    let lost = world.claim(worker, NONE).await.expect("a claim").lease;
    world.claim(worker, LONG).await.expect("the same again");

    every_write_is_refused(&world, &lost).await;
    world.settle().await;
}

/// A lease is its worker's: another one with the same epoch can write nothing.
pub async fn another_worker_cannot_use_a_lease(storage: &dyn Storage) {
    let world = World::new(storage).await;
    world.queued(0).await;
    let lease = world.claim(new_worker(), LONG).await.expect("a claim").lease;

    every_write_is_refused(&world, &Lease { worker: new_worker(), ..lease }).await;
    world.settle().await;
}

/// Raising the epoch of the store puts the holder of a lease out at once.
pub async fn raising_the_epoch_ends_the_lease(storage: &dyn Storage) {
    let world = World::new(storage).await;
    world.queued(0).await;
    let lease = world.claim(new_worker(), LONG).await.expect("a claim").lease;
    let mut tx = world.within(Reach::Worker).await;
    assert_eq!(tx.stores().raise_epoch(&lease.store_id).await.expect("raise"), Epoch(2));
    tx.commit().await.expect("commit");

    every_write_is_refused(&world, &lease).await;
    world.settle().await;
}

/// A later request ends the lease of the operation it takes the place of.
pub async fn a_superseded_operation_loses_its_lease(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let id = world.queued(0).await.id;
    let lease = world.claim(new_worker(), LONG).await.expect("a claim").lease;
    let mut tx = world.within(Reach::Worker).await;
    tx.operations().supersede(id, at(1)).await.expect("supersede");
    tx.commit().await.expect("commit");

    every_write_is_refused(&world, &lease).await;
    assert_eq!(world.reread(id).await.status, OperationStatus::Cancelled);
}

/// Who has given an operation back cannot write to it any more.
pub async fn a_parked_operation_has_no_lease(storage: &dyn Storage) {
    let world = World::new(storage).await;
    world.queued(0).await;
    let lease = world.claim(new_worker(), LONG).await.expect("a claim").lease;
    let mut tx = world.within(Reach::Worker).await;
    tx.operations().park(&lease, OperationStatus::Queued, None, None).await.expect("park");
    tx.commit().await.expect("commit");

    every_write_is_refused(&world, &lease).await;
    world.settle().await;
}

/// A lease that ran out is its worker's until somebody takes it: it can write, and renew.
pub async fn an_expired_lease_is_the_workers_until_it_is_taken(storage: &dyn Storage) {
    let world = World::new(storage).await;
    world.queued(0).await;
    let lease = world.claim(new_worker(), NONE).await.expect("a claim").lease;

    let mut tx = world.within(Reach::Worker).await;
    tx.operations().record_step(&lease, &step_record(0)).await.expect("record");
    tx.commit().await.expect("commit");
    let renewed = world.renew(std::slice::from_ref(&lease)).await;

    assert_eq!(renewed, [lease]);
    assert_eq!(world.claim(new_worker(), LONG).await, None, "the renewed lease holds");
    world.settle().await;
}

/// Renewing returns the leases that still are the worker's, and only those.
pub async fn renewing_tells_which_leases_are_lost(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let worker = new_worker();
    for created in 0..3 {
        world.queued(created).await;
    }
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(world.claim(worker, LONG).await.expect("a claim").lease);
    }
    let mut tx = world.within(Reach::Worker).await;
    tx.operations().supersede(held[1].operation_id, at(1)).await.expect("supersede");
    tx.commit().await.expect("commit");

    assert_eq!(world.renew(&held).await, [held[0].clone(), held[2].clone()]);
    assert_eq!(world.renew(&[]).await, []);
    world.settle().await;
}

/// Step and attempt are there for readers; a step's record is written over.
pub async fn progress_is_there_for_readers(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let id = world.queued(0).await.id;
    let lease = world.claim(new_worker(), LONG).await.expect("a claim").lease;
    let (mut step, other) = (step_record(1), step_record(0));
    let mut tx = world.within(Reach::Worker).await;
    tx.operations().record_progress(&lease, step.step, 3).await.expect("record");
    tx.operations().record_step(&lease, &step).await.expect("record");
    tx.operations().record_step(&lease, &other).await.expect("record");
    step.attempts = 3;
    tx.operations().record_step(&lease, &step).await.expect("record again");
    tx.commit().await.expect("commit");

    let operation = world.reread(id).await;
    assert_eq!((operation.step, operation.attempt), (Some(step.step), 3));
    assert_eq!(world.within(Reach::Worker).await.operations().steps(id).await.expect("read"), [other, step]);
    world.settle().await;
}

/// A finished operation says how it ended, is nobody's, and makes room for the next.
pub async fn a_finished_operation_makes_room_for_the_next(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let queued = world.queued(0).await;
    let lease = world.claim(new_worker(), LONG).await.expect("a claim").lease;
    let why = Failure::new(ErrorCode::SetupFailed, "the set-up said no");
    let mut tx = world.within(Reach::Worker).await;
    tx.operations().finish(&lease, OperationStatus::Failed, Some(&why), at(5)).await.expect("finish");
    tx.commit().await.expect("commit");

    let failed = world.reread(queued.id).await;
    assert_eq!((failed.status, failed.failure, failed.finished_at), (OperationStatus::Failed, Some(why), Some(at(5))));
    assert_eq!((failed.worker, failed.lease_expires_at), (None, None));
    let store = world.read(&queued.store_id).await;
    world.enqueue(&world.operation(&store, 1)).await.expect("the next operation");
    assert_eq!(world.claim(new_worker(), LONG).await.expect("a claim").lease.epoch, Epoch(2));
    world.settle().await;
}

/// Parking does not finish, and finishing does not park.
pub async fn an_operation_ends_only_as_it_can(storage: &dyn Storage) {
    let world = World::new(storage).await;
    world.queued(0).await;
    let lease = world.claim(new_worker(), LONG).await.expect("a claim").lease;

    for status in OperationStatus::ALL {
        let parks = matches!(status, OperationStatus::Queued | OperationStatus::Waiting | OperationStatus::Stuck);
        let parked = world.within(Reach::Worker).await.operations().park(&lease, status, None, None).await;
        assert_eq!(parked.is_ok(), parks, "{status}");

        let ends = matches!(status, OperationStatus::Succeeded | OperationStatus::Failed);
        let finished = world.within(Reach::Worker).await.operations().finish(&lease, status, None, at(1)).await;
        assert_eq!(finished.is_ok(), ends, "{status}");
    }
    world.settle().await;
}
