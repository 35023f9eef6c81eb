//! What a worker notes under its lease, and epochs that are lifted after a database was restored.

use jiff::SignedDuration;
use shopwright_domain::Epoch;
use shopwright_domain::error_code::ErrorCode;
use shopwright_domain::operation::{OperationStatus, SetupStep};
use shopwright_domain::saga::{StepRecord, StepStatus};
use shopwright_domain::store::Failure;

use super::leases::every_write_is_refused;
use super::world::{LONG, NONE, World, at, digests, new_worker, step_record};
use crate::storage::{Lease, Reach, Storage};

async fn lift(world: &World<'_>, lease: &Lease, known: Epoch) -> Lease {
    let mut tx = world.within(Reach::Worker).await;
    let lifted = tx.operations().lift_epoch(lease, known).await.expect("lift");
    tx.commit().await.expect("commit");
    lifted
}

/// A running operation says what it waits for, until it waits no longer or somebody else claims it; it stays its worker's.
pub async fn what_is_waited_for_is_there_for_readers(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let id = world.queued(0).await.id;
    let lease = world.claim(new_worker(), NONE).await.expect("a claim").lease;
    let running = world.reread(id).await;
    let why = Failure::new(ErrorCode::ClusterUnreachable, "no route to host");

    for noted in [Some(&why), None, Some(&why)] {
        let mut tx = world.within(Reach::Worker).await;
        tx.operations().note_waiting(&lease, noted).await.expect("note");
        tx.commit().await.expect("commit");

        let expected = shopwright_domain::operation::Operation { failure: noted.cloned(), ..running.clone() };
        assert_eq!(world.reread(id).await, expected);
    }
    let next = world.claim(new_worker(), LONG).await.expect("the same again");
    assert_eq!((next.operation.id, next.operation.failure), (id, None));
    world.settle().await;
}

/// What the last attempt to install is made of outlives its worker, a pause and the end of the operation.
pub async fn what_an_installation_is_made_of_is_kept(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let id = world.queued(0).await.id;
    let first = world.claim(new_worker(), NONE).await.expect("a claim").lease;
    let mut tx = world.within(Reach::Worker).await;
    tx.operations().record_release(&first, &digests("first")).await.expect("record");
    tx.commit().await.expect("commit");

    let second = world.claim(new_worker(), LONG).await.expect("the same again");
    assert_eq!(second.operation.release, Some(digests("first")));
    let mut tx = world.within(Reach::Worker).await;
    tx.operations().record_release(&second.lease, &digests("second")).await.expect("record");
    tx.operations().park(&second.lease, OperationStatus::Waiting, Some(at(0)), None).await.expect("park");
    tx.commit().await.expect("commit");

    let third = world.claim(new_worker(), LONG).await.expect("the same again");
    assert_eq!(third.operation.release, Some(digests("second")));
    let mut tx = world.within(Reach::Worker).await;
    tx.operations().finish(&third.lease, OperationStatus::Succeeded, None, at(5)).await.expect("finish");
    tx.commit().await.expect("commit");
    assert_eq!(world.reread(id).await.release, Some(digests("second")));
}

/// What an engine's own set-up has done is there for readers, the last word of it, and outlives its worker and the end of the operation.
pub async fn what_a_set_up_has_done_is_there_for_readers(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let id = world.queued(0).await.id;
    let lease = world.claim(new_worker(), NONE).await.expect("a claim").lease;
    let step = |name: &str, millis| SetupStep { name: name.to_owned(), millis };
    let told = [vec![step("database", 12)], vec![step("database", 9), step("record", u64::from(u32::MAX) + 1)]];

    for steps in &told {
        let mut tx = world.within(Reach::Worker).await;
        tx.operations().record_setup(&lease, steps).await.expect("record");
        tx.commit().await.expect("commit");
        assert_eq!(world.reread(id).await.setup, *steps);
    }
    let next = world.claim(new_worker(), LONG).await.expect("the same again");
    assert_eq!(next.operation.setup, told[1]);
    let mut tx = world.within(Reach::Worker).await;
    tx.operations().finish(&next.lease, OperationStatus::Succeeded, None, at(5)).await.expect("finish");
    tx.commit().await.expect("commit");
    assert_eq!(world.reread(id).await.setup, told[1]);
}

/// How often workers ended in the middle of a step is written with it, and written over.
pub async fn crashes_are_counted_with_their_step(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let id = world.queued(0).await.id;
    let lease = world.claim(new_worker(), NONE).await.expect("a claim").lease;

    for crashes in [3, 0, 1] {
        let step = StepRecord {
            crashes,
            status: StepStatus::Started,
            outage: SignedDuration::from_micros(1),
            ..step_record(0)
        };
        let mut tx = world.within(Reach::Worker).await;
        tx.operations().record_step(&lease, &step).await.expect("record");
        tx.commit().await.expect("commit");

        assert_eq!(world.within(Reach::Worker).await.operations().steps(id).await.expect("read"), [step]);
    }
    let next = world.claim(new_worker(), LONG).await.expect("the same again");
    assert_eq!(next.steps.iter().map(|step| step.crashes).collect::<Vec<_>>(), [1]);
    world.settle().await;
}

/// A cluster that has seen a higher epoch than the database knows was there before the database was restored: the next epoch is above both.
pub async fn a_lifted_epoch_is_above_what_the_cluster_has_seen(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let queued = world.queued(0).await;
    let lease = world.claim(new_worker(), NONE).await.expect("a claim").lease;
    let version = world.read(&queued.store_id).await.row_version;

    let lifted = lift(&world, &lease, Epoch(41)).await;

    assert_eq!(lifted, Lease { epoch: Epoch(42), ..lease });
    let store = world.read(&queued.store_id).await;
    assert_eq!((store.epoch, store.row_version), (Epoch(42), version), "lifting the epoch is no save");
    assert_eq!(world.reread(queued.id).await.epoch, Epoch(42));
    assert_eq!(world.claim(new_worker(), LONG).await.expect("the same again").lease.epoch, Epoch(43));
    world.settle().await;
}

/// With the lifted lease the worker writes and renews; with the one from before nothing can be done any more.
pub async fn a_lifted_lease_is_the_workers_and_the_old_one_is_nobodys(storage: &dyn Storage) {
    let world = World::new(storage).await;
    world.queued(0).await;
    let old = world.claim(new_worker(), NONE).await.expect("a claim").lease;

    let lifted = lift(&world, &old, Epoch(7)).await;

    every_write_is_refused(&world, &old).await;
    assert_eq!(world.renew(&[old, lifted.clone()]).await, std::slice::from_ref(&lifted));
    assert_eq!(world.claim(new_worker(), LONG).await, None, "the lifted lease holds");
    let mut tx = world.within(Reach::Worker).await;
    tx.operations().record_step(&lifted, &step_record(0)).await.expect("record");
    tx.operations().finish(&lifted, OperationStatus::Succeeded, None, at(1)).await.expect("finish");
    tx.commit().await.expect("commit");
}

/// The cluster has seen this epoch or an older one: nothing is changed.
pub async fn an_epoch_above_the_known_one_stays(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let queued = world.queued(0).await;
    let first = world.claim(new_worker(), NONE).await.expect("a claim").lease;
    let lease = lift(&world, &first, Epoch(4)).await;

    assert_eq!(lift(&world, &lease, Epoch(4)).await, lease);
    assert_eq!(lift(&world, &lease, Epoch(0)).await, lease);
    assert_eq!(world.read(&queued.store_id).await.epoch, Epoch(5));
    // Its own epoch in the cluster may be another worker's from before the restore.
    assert_eq!(lift(&world, &lease, Epoch(5)).await.epoch, Epoch(6));
    world.settle().await;
}

/// A lift counts with its transaction or not at all.
pub async fn a_lift_that_is_not_committed_is_none(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let queued = world.queued(0).await;
    let lease = world.claim(new_worker(), LONG).await.expect("a claim").lease;
    let mut tx = world.within(Reach::Worker).await;
    tx.operations().lift_epoch(&lease, Epoch(41)).await.expect("lift");
    drop(tx);

    assert_eq!(world.renew(std::slice::from_ref(&lease)).await, [lease]);
    assert_eq!(world.read(&queued.store_id).await.epoch, Epoch(1));
    world.settle().await;
}
