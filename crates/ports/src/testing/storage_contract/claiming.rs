//! Claims: who gets what, and in which order.

use futures::future::join_all;
use jiff::SignedDuration;
use shopwright_domain::Epoch;
use shopwright_domain::operation::OperationStatus;

use super::world::{LONG, NONE, World, at, new_worker};
use crate::storage::{Reach, Storage};

/// An empty queue gives nothing.
pub async fn an_empty_queue_has_no_claim(storage: &dyn Storage) {
    let world = World::new(storage).await;
    world.store(0).await;

    assert_eq!(world.claim(new_worker(), LONG).await, None);
    assert_eq!(world.within(Reach::Worker).await.operations().next_due().await.expect("look"), None);
}

/// A claim makes the operation the worker's, under the store's next epoch, and hands over both rows.
pub async fn a_claim_raises_the_epoch_of_the_store(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let queued = world.queued(0).await;
    let worker = new_worker();

    let claim = world.claim(worker, LONG).await.expect("a claim");

    assert_eq!((claim.lease.operation_id, &claim.lease.store_id), (queued.id, &queued.store_id));
    assert_eq!((claim.lease.epoch, claim.lease.worker, claim.lease.tenant_id), (Epoch(1), worker, world.tenant.id));
    assert_eq!(claim.operation.status, OperationStatus::Running);
    assert_eq!((claim.operation.epoch, claim.operation.worker), (Epoch(1), Some(worker)));
    assert!(claim.operation.started_at.is_some());
    assert_eq!((claim.steps.as_slice(), claim.taken_over), (&[][..], None));
    assert_eq!(claim.operation, world.reread(queued.id).await);
    assert_eq!(claim.store, world.read(&queued.store_id).await);
    assert_eq!(claim.store.epoch, Epoch(1));
    world.settle().await;
}

/// What was claimed and not committed is still there for the next.
pub async fn a_claim_that_is_not_committed_is_none(storage: &dyn Storage) {
    let world = World::new(storage).await;
    world.queued(0).await;
    let mut tx = world.within(Reach::Worker).await;
    tx.operations().claim(new_worker(), LONG).await.expect("claim").expect("a claim");
    drop(tx);

    let claim = world.claim_soon(new_worker(), LONG).await;

    assert_eq!(claim.lease.epoch, Epoch(1));
    world.settle().await;
}

/// As long as its lease lasts, nobody else gets an operation.
pub async fn a_running_operation_is_not_claimed_again(storage: &dyn Storage) {
    let world = World::new(storage).await;
    world.queued(0).await;
    world.claim(new_worker(), LONG).await.expect("a claim");

    assert_eq!(world.claim(new_worker(), LONG).await, None);
    world.settle().await;
}

/// An operation whose lease ran out is claimed like any other, and the claim says whom it was taken from.
pub async fn an_expired_lease_is_taken_over(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let id = world.queued(0).await.id;
    let dead = new_worker();
    let first = world.claim(dead, NONE).await.expect("a claim");

    let second = world.claim(new_worker(), LONG).await.expect("the same again");

    assert_eq!(second.operation.id, id);
    assert_eq!(second.lease.epoch, Epoch(2));
    assert_eq!(second.operation.started_at, first.operation.started_at);
    let from = second.taken_over.expect("a take-over");
    assert_eq!((from.worker, from.epoch), (dead, Epoch(1)));
    assert!(from.idle >= SignedDuration::ZERO && from.idle < SignedDuration::from_secs(3600), "{:?}", from.idle);
    world.settle().await;
}

/// Of one tenant's operations the oldest is claimed first.
pub async fn the_oldest_operation_goes_first(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let (young, old, middle) = (world.queued(3).await, world.queued(1).await, world.queued(2).await);

    for expected in [old, middle, young] {
        assert_eq!(world.claim(new_worker(), LONG).await.expect("a claim").operation.id, expected.id);
    }
    world.settle().await;
}

/// A tenant with many operations does not hold up one with few.
pub async fn the_tenant_with_the_fewest_running_goes_first(storage: &dyn Storage) {
    let (many, few) = (World::new(storage).await, World::new(storage).await);
    let first = many.queued(0).await;
    let second = many.queued(1).await;
    let late = few.queued(9).await;

    for expected in [first, late, second] {
        assert_eq!(many.claim(new_worker(), LONG).await.expect("a claim").operation.id, expected.id);
    }
    many.settle().await;
    few.settle().await;
}

/// No more operations run on a cluster than it has permits, whoever asks; another cluster is not held up.
pub async fn permits_bound_what_runs_on_a_cluster(storage: &dyn Storage) {
    let (world, other) = (World::with_permits(storage, 2).await, World::with_permits(storage, 1).await);
    let mut leases = Vec::new();
    for created in 0..3 {
        world.queued(created).await;
    }
    for _ in 0..2 {
        leases.push(world.claim(new_worker(), LONG).await.expect("a claim").lease);
    }
    let without_permit = world.claim(new_worker(), LONG).await;
    let elsewhere = other.queued(9).await;
    let on_other_cluster = world.claim(new_worker(), LONG).await.expect("a claim");
    let mut tx = world.within(Reach::Worker).await;
    tx.operations().finish(&leases[0], OperationStatus::Succeeded, None, at(1)).await.expect("finish");
    tx.commit().await.expect("commit");
    let with_permit = world.claim(new_worker(), LONG).await;

    assert_eq!(without_permit, None);
    assert_eq!(on_other_cluster.operation.id, elsewhere.id);
    assert!(with_permit.is_some());
    world.settle().await;
    other.settle().await;
}

/// Who has died holds no permit.
pub async fn an_expired_lease_holds_no_permit(storage: &dyn Storage) {
    let world = World::with_permits(storage, 1).await;
    let first = world.queued(0).await;
    let second = world.queued(1).await;
    world.claim(new_worker(), NONE).await.expect("a claim");

    let taken_over = world.claim(new_worker(), LONG).await.expect("a claim");
    let without_permit = world.claim(new_worker(), LONG).await;

    assert_eq!(taken_over.operation.id, first.id);
    assert_eq!(without_permit, None, "{:?} waits for the permit", second.id);
    world.settle().await;
}

/// Claims at the same time never share an operation and never exceed the permits.
pub async fn claims_at_once_share_nothing(storage: &dyn Storage) {
    let world = World::with_permits(storage, 5).await;
    for created in 0..8 {
        world.queued(created).await;
    }

    let claims = join_all((0..20).map(|_| world.claim(new_worker(), LONG))).await;

    let mut claimed: Vec<_> = claims.into_iter().flatten().map(|claim| claim.operation.id).collect();
    while let Some(claim) = world.claim(new_worker(), LONG).await {
        claimed.push(claim.operation.id);
    }
    assert_eq!(claimed.len(), 5);
    claimed.sort();
    claimed.dedup();
    assert_eq!(claimed.len(), 5);
    world.settle().await;
}
