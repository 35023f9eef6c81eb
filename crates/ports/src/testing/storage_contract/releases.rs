//! What releases were made of, and for how long that is kept.

use jiff::{SignedDuration, Timestamp};
use shopwright_domain::operation::{Operation, OperationStatus};
use uuid::Uuid;

use super::world::{LONG, World, at, digests, new_worker};
use crate::releases::ReleaseOrigin;
use crate::storage::{Lease, Reach, Storage};

/// A second of which no other fact, in whatever database, has kept anything.
fn long_ago(seconds: i64) -> Timestamp {
    at(seconds) - SignedDuration::from_hours(24 * 365 * 10)
}

/// What the release of [`digests`] with this name is made of.
fn origin(name: &str) -> ReleaseOrigin {
    let digest = digests(name).origin.unwrap_or_default();
    ReleaseOrigin { archive: digest.as_bytes().into(), digest }
}

/// Keeps an origin of its own, used last at `seconds`; returns its name.
async fn kept(world: &World<'_>, seconds: i64) -> String {
    let name = Uuid::new_v4().simple().to_string();
    let mut tx = world.within(Reach::Worker).await;
    tx.releases().put_origin(&origin(&name), long_ago(seconds)).await.expect("keep");
    tx.commit().await.expect("commit");
    name
}

async fn is_kept(world: &World<'_>, name: &str) -> bool {
    let read = world.within(Reach::Worker).await.releases().origin(&origin(name).digest).await.expect("read");
    assert!(read.as_ref().is_none_or(|read| *read == origin(name)));
    read.is_some()
}

async fn purge(world: &World<'_>, seconds: i64, limit: u32) -> u64 {
    let mut tx = world.within(Reach::Worker).await;
    let forgotten = tx.releases().purge_origins(long_ago(seconds), limit).await.expect("forget");
    tx.commit().await.expect("commit");
    forgotten
}

/// A running operation that installs from the origin of this name.
async fn installs(world: &World<'_>, name: &str) -> (Operation, Lease) {
    let queued = world.queued(0).await;
    let lease = world.claim(new_worker(), LONG).await.expect("a claim").lease;
    let mut tx = world.within(Reach::Worker).await;
    tx.operations().record_release(&lease, &digests(name)).await.expect("record");
    tx.commit().await.expect("commit");
    (queued, lease)
}

/// An origin reads back as it was kept first.
pub async fn an_origin_is_kept_once(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let name = kept(&world, 0).await;
    let mut tx = world.within(Reach::Worker).await;
    let other = ReleaseOrigin { archive: b"other".as_slice().into(), ..origin(&name) };
    tx.releases().put_origin(&other, long_ago(1)).await.expect("keep again");
    assert!(tx.releases().use_origin(&origin(&name).digest, long_ago(1)).await.expect("look"));
    assert!(!tx.releases().use_origin("sha256:nobody", long_ago(1)).await.expect("look"));
    tx.commit().await.expect("commit");

    assert!(is_kept(&world, &name).await);
    assert_eq!(purge(&world, 1, 10).await, 1, "a use within the hour is not noted");
}

/// Those go that were used last before that time, the oldest first, so many at once; one that was used since is kept.
pub async fn origins_that_nobody_uses_are_forgotten(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let oldest = kept(&world, 0).await;
    let older = kept(&world, 1).await;
    let old = kept(&world, 2).await;
    let fresh = kept(&world, 10_000).await;
    let mut tx = world.within(Reach::Worker).await;
    assert!(tx.releases().use_origin(&origin(&old).digest, long_ago(10_000)).await.expect("use"));
    tx.commit().await.expect("commit");

    assert_eq!(purge(&world, 0, 10).await, 0, "used at that time is not before it");
    assert_eq!(purge(&world, 9_000, 1).await, 1);
    assert!(!is_kept(&world, &oldest).await);
    assert!(is_kept(&world, &older).await);
    assert_eq!(purge(&world, 9_000, 10).await, 1);
    assert!(!is_kept(&world, &older).await);
    assert!(is_kept(&world, &old).await);
    assert!(is_kept(&world, &fresh).await);
    assert_eq!(purge(&world, 10_001, 10).await, 2);
}

/// What a store was last seen to work with, and what an operation under way installs from, is kept however old it is.
pub async fn an_origin_that_somebody_needs_is_not_forgotten(storage: &dyn Storage) {
    let world = World::new(storage).await;
    let name = kept(&world, 0).await;
    let (operation, lease) = installs(&world, &name).await;
    assert_eq!(purge(&world, 100, 10).await, 0, "an operation installs from it");

    let mut tx = world.within(Reach::Worker).await;
    tx.releases().keep(world.tenant.id, &operation.store_id, &digests(&name)).await.expect("keep");
    tx.operations().finish(&lease, OperationStatus::Succeeded, None, at(5)).await.expect("finish");
    tx.commit().await.expect("commit");
    assert_eq!(purge(&world, 100, 10).await, 0, "a store works with it");
    assert!(is_kept(&world, &name).await);

    let mut tx = world.within(Reach::Worker).await;
    tx.releases().forget(&operation.store_id).await.expect("forget");
    tx.commit().await.expect("commit");
    assert_eq!(purge(&world, 100, 10).await, 1);
    assert!(!is_kept(&world, &name).await);
    world.settle().await;
}

/// Whoever installs, installs: nobody else forgets what others need.
pub async fn only_a_worker_forgets_origins(storage: &dyn Storage) {
    let world = World::new(storage).await;

    let refused = world.begin().await.releases().purge_origins(long_ago(0), 10).await;

    assert!(refused.is_err(), "{refused:?}");
}
