//! Operations: rows, wake times, one unfinished per store.

use jiff::SignedDuration;
use shopwright_domain::error_code::ErrorCode;
use shopwright_domain::operation::{Operation, OperationKind, OperationStatus, SAGA_VERSION};
use shopwright_domain::saga::{StepError, StepRecord, StepStatus};
use shopwright_domain::store::Failure;

use super::world::{LONG, NONE, World, at, digests, far_future, new_worker, step_record};
use crate::storage::{OperationFilter, Reach, Storage, StorageError, Unique};

/// An operation is what was written, every field.
pub async fn an_operation_reads_back(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let store = world.store(0).await;
    let operation = Operation {
        attempt: 2,
        saga_version: SAGA_VERSION + 7,
        release: Some(digests("first")),
        requested_by: Some(world.owner.id),
        request_id: Some("req_0123456789ab".parse().expect("a request id")),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
        tracestate: Some("vendor=opaque".into()),
        ..world.operation(&store, 0)
    };
    world.enqueue(&operation).await.expect("enqueue");

    assert_eq!(world.reread(operation.id).await, operation);
    assert_eq!(
        world.within(Reach::Worker).await.operations().latest_of(&store.id).await.expect("read"),
        Some(operation)
    );
    world.settle().await;
}

/// While one is not finished, a store takes no other operation.
pub async fn a_store_has_one_unfinished_operation(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let store = world.store(0).await;
    let first = world.operation(&store, 0);
    world.enqueue(&first).await.expect("enqueue");
    let second = world.operation(&store, 1);

    let refusal = world.enqueue(&second).await;
    let mut tx = world.within(Reach::Worker).await;
    tx.operations().supersede(first.id, at(2)).await.expect("supersede");
    tx.operations().enqueue(&second, &[]).await.expect("enqueue in place of the first");
    tx.commit().await.expect("commit");

    assert!(matches!(refusal, Err(StorageError::NotUnique(Unique::UnfinishedOperation))), "{refusal:?}");
    let first = world.reread(first.id).await;
    assert_eq!((first.status, first.finished_at), (OperationStatus::Cancelled, Some(at(2))));
    world.settle().await;
}

/// Of two operations from the same moment, the newest is the one that was added last.
pub async fn the_newest_operation_is_the_one_added_last(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let store = world.store(0).await;
    let mut last = None;
    for _ in 0..4 {
        let operation = Operation { kind: OperationKind::Delete, ..world.operation(&store, 0) };
        let mut tx = world.within(Reach::Worker).await;
        if let Some(id) = last {
            tx.operations().supersede(id, at(0)).await.expect("supersede");
        }
        tx.operations().enqueue(&operation, &[]).await.expect("enqueue");
        tx.commit().await.expect("commit");
        last = Some(operation.id);

        let newest = world.within(Reach::Worker).await.operations().latest_of(&store.id).await.expect("read");
        assert_eq!(newest.map(|newest| newest.id), last);
    }
    world.settle().await;
}

/// Operations come newest first, in pages that follow each other; each filter leaves out what it says.
pub async fn operations_are_listed_newest_first_and_filtered(storage: &dyn Storage) {
    let (world, other) = (World::new(storage).await, World::new(storage).await);
    let (first, second) = (world.queued(0).await, world.queued(1).await);
    let third = world.queued(1).await;
    other.queued(2).await;
    let mut tx = world.begin().await;
    tx.operations().supersede(first.id, at(3)).await.expect("supersede");
    tx.commit().await.expect("commit");
    let mut twins = [second.id, third.id];
    twins.sort();
    let mine = OperationFilter { tenant_id: Some(world.tenant.id), ..OperationFilter::default() };

    for (filter, expected) in [
        (mine.clone(), vec![twins[0], twins[1], first.id]),
        (OperationFilter { status: Some(OperationStatus::Cancelled), ..mine.clone() }, vec![first.id]),
        (OperationFilter { kind: Some(OperationKind::Delete), ..mine.clone() }, vec![]),
        (OperationFilter { store_id: Some(second.store_id.clone()), ..OperationFilter::default() }, vec![second.id]),
        (OperationFilter { after: Some((at(1), twins[0])), ..mine.clone() }, vec![twins[1], first.id]),
        (OperationFilter { after: Some((at(0), first.id)), ..mine.clone() }, vec![]),
    ] {
        let listed = world.begin().await.operations().list(&filter, 100).await.expect("list");
        assert_eq!(listed.iter().map(|operation| operation.id).collect::<Vec<_>>(), expected, "{filter:?}");
    }
    let page = world.begin().await.operations().list(&mine, 2).await.expect("list");
    assert_eq!(page.len(), 2);
    world.settle().await;
    other.settle().await;
}

/// What a retry brings with it is done, and the worker learns so with the claim, in the order of the steps.
pub async fn a_retry_brings_the_steps_that_are_done(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let store = world.store(0).await;
    let operation = world.operation(&store, 0);
    let failed = StepRecord {
        status: StepStatus::Failed,
        attempts: 3,
        waits: 1,
        crashes: 2,
        outage: SignedDuration::from_millis(1500),
        not_before: Some(far_future()),
        error: Some(StepError::new(ErrorCode::Throttled, "busy").retry_after(SignedDuration::from_secs(9))),
        ..step_record(2)
    };
    let done = [failed, step_record(0), step_record(1)];
    let mut tx = world.within(Reach::Worker).await;
    tx.operations().enqueue(&operation, &done).await.expect("enqueue");
    tx.commit().await.expect("commit");

    let claim = world.claim(new_worker(), LONG).await.expect("a claim");

    let expected = [done[1].clone(), done[2].clone(), done[0].clone()];
    assert_eq!(claim.steps, expected);
    assert_eq!(world.within(Reach::Worker).await.operations().steps(operation.id).await.expect("read"), expected);
    world.settle().await;
}

/// A parked operation shows why it waits, is nobody's, and stays where it is until its wake time.
pub async fn a_waiting_operation_stays_until_its_wake_time(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let why = Failure::new(ErrorCode::ClusterUnreachable, "no route to host");

    for status in [OperationStatus::Waiting, OperationStatus::Stuck] {
        let id = world.queued(0).await.id;
        let lease = world.claim(new_worker(), LONG).await.expect("a claim").lease;
        let mut tx = world.within(Reach::Worker).await;
        tx.operations().park(&lease, status, Some(far_future()), Some(&why)).await.expect("park");
        tx.commit().await.expect("commit");

        assert_eq!(world.claim(new_worker(), LONG).await, None);
        assert_eq!(world.within(Reach::Worker).await.operations().next_due().await.expect("look"), Some(far_future()));
        let parked = world.reread(id).await;
        assert_eq!((parked.status, parked.failure.as_ref()), (status, Some(&why)));
        assert_eq!((parked.worker, parked.lease_expires_at), (None, None));
    }
    world.settle().await;
}

/// Once its wake time has come an operation is claimed like any other, and nobody is said to have died on it.
pub async fn a_waiting_operation_is_claimed_after_its_wake_time(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let id = world.queued(0).await.id;

    for (status, wake_at) in [
        (OperationStatus::Waiting, Some(at(0))),
        (OperationStatus::Stuck, Some(at(0))),
        (OperationStatus::Waiting, None),
        (OperationStatus::Queued, None),
    ] {
        let lease = world.claim(new_worker(), LONG).await.expect("a claim").lease;
        let mut tx = world.within(Reach::Worker).await;
        tx.operations().park(&lease, status, wake_at, None).await.expect("park");
        tx.commit().await.expect("commit");

        let claim = world.claim(new_worker(), NONE).await.expect("a claim");

        assert_eq!((claim.operation.id, claim.taken_over), (id, None), "{status} {wake_at:?}");
        assert_eq!((claim.operation.wake_at, claim.operation.failure), (None, None));
    }
    world.settle().await;
}

/// What is due next is the earliest wake time or end of a lease; a queue without either has nothing due by time.
pub async fn the_next_due_time_is_the_earliest(storage: &dyn Storage) {
    let world = World::with_permits(storage, 2).await;
    world.queued(0).await;
    let due_when_queued = world.within(Reach::Worker).await.operations().next_due().await.expect("look");
    let lease = world.claim(new_worker(), LONG).await.expect("a claim").lease;
    let due_when_running = world.within(Reach::Worker).await.operations().next_due().await.expect("look");
    let ends = world.reread(lease.operation_id).await.lease_expires_at;
    let mut tx = world.within(Reach::Worker).await;
    tx.operations().park(&lease, OperationStatus::Waiting, Some(far_future()), None).await.expect("park");
    tx.commit().await.expect("commit");
    let due_when_waiting = world.within(Reach::Worker).await.operations().next_due().await.expect("look");

    assert_eq!(due_when_queued, None);
    assert_eq!(due_when_running, ends);
    assert_eq!(due_when_waiting, Some(far_future()));
    world.settle().await;
}

/// On a cluster without a free permit, a wake time that has passed is not what is waited for.
pub async fn a_wake_time_on_a_full_cluster_is_not_due(storage: &dyn Storage) {
    let world = World::with_permits(storage, 1).await;
    let waiting = world.queued(0).await;
    let lease = world.claim(new_worker(), LONG).await.expect("a claim").lease;
    let mut tx = world.within(Reach::Worker).await;
    tx.operations().park(&lease, OperationStatus::Waiting, Some(at(0)), None).await.expect("park");
    tx.commit().await.expect("commit");
    let due_with_room = world.within(Reach::Worker).await.operations().next_due().await.expect("look");
    let other = World::on_cluster(storage, world.cluster.clone()).await;
    // The other tenant runs nothing either, and its operation is older.
    let runs = other.queued(-1).await;
    let claim = world.claim(new_worker(), LONG).await.expect("a claim");

    let due_without = world.within(Reach::Worker).await.operations().next_due().await.expect("look");

    assert_eq!(claim.operation.id, runs.id);
    assert_eq!(due_with_room, Some(at(0)));
    assert_eq!(due_without, claim.operation.lease_expires_at, "{:?} waits for a permit", waiting.id);
    world.settle().await;
    other.settle().await;
}

/// Stores are counted by state and engine, operations that are not finished by kind and status; the oldest queued one is known.
pub async fn a_census_counts_what_is_there(storage: &dyn Storage) {
    let world = World::with_permits(storage, 1).await;
    let counts = async || {
        let census = world.within(Reach::Worker).await.operations().census().await.expect("count");
        let stores: u64 = census.stores.iter().map(|(_, count)| count).sum();
        let of = |status| census.operations(OperationKind::Provision, status);
        (stores, of(OperationStatus::Queued), of(OperationStatus::Running), census.oldest_queued)
    };
    // Other facts may have left theirs.
    let (stores, queued, running, _) = counts().await;
    let first = world.queued(-5).await;
    let claimed = world.claim(new_worker(), LONG).await.expect("a claim");
    let second = world.queued(-3).await;

    let now = counts().await;

    assert_eq!((now.0, now.1, now.2), (stores + 2, queued + 1, running + 1));
    assert_eq!(claimed.operation.id, first.id);
    assert!(now.3.is_some_and(|oldest| oldest <= second.created_at));
    world.settle().await;
}

/// An operation that a later request took the place of is not claimed; one that is finished cannot be superseded.
pub async fn a_superseded_operation_is_not_claimed(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let done = world.queued(0).await;
    let lease = world.claim(new_worker(), LONG).await.expect("a claim").lease;
    let mut tx = world.within(Reach::Worker).await;
    tx.operations().finish(&lease, OperationStatus::Succeeded, None, at(1)).await.expect("finish");
    tx.commit().await.expect("commit");
    let dropped = world.queued(0).await;
    let mut tx = world.within(Reach::Worker).await;
    tx.operations().supersede(dropped.id, at(2)).await.expect("supersede");
    tx.operations().supersede(done.id, at(2)).await.expect("nothing happens");
    tx.commit().await.expect("commit");

    assert_eq!(world.claim(new_worker(), LONG).await, None);
    let done = world.reread(done.id).await;
    assert_eq!((done.status, done.finished_at), (OperationStatus::Succeeded, Some(at(1))));
}
