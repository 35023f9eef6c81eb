//! What every [`Releases`] does, the fake and the real Helm alike.
//!
//! A test brings a [`World`], in which stores have a place to live and a fence, and calls [`releases_contract`]. Every fact has a store
//! of its own, so that the facts do not lean on each other.

use crate::testing::engines;
use async_trait::async_trait;
use shopwright_domain::store::{HostSuffix, StoreHost};
use shopwright_domain::{Epoch, StoreId};

use crate::cluster::{ClusterError, Fence};
use crate::releases::{Installed, ReleaseError, ReleaseSpec, Releases};

/// The surroundings of a [`Releases`] under test.
#[async_trait]
pub trait World: Send + Sync {
    /// What is tested.
    fn releases(&self) -> &dyn Releases;

    /// A store that nobody had before, with an empty namespace at epoch 1 and what its chart needs.
    async fn new_store(&self) -> StoreId;

    /// Tells the cluster that the store is now held under this fence, and returns when lower epochs are refused.
    async fn raise_epoch(&self, fence: &Fence);

    /// The revision of the store's release as the cluster shows it, if it is there and deployed.
    async fn revision(&self, store_id: &StoreId) -> Option<u32>;

    /// Leaves behind what a run leaves that was killed in the middle: a pending record on top.
    async fn leave_dead_run(&self, fence: &Fence);

    /// Removes an object of the store's release, as somebody does by hand.
    async fn remove_an_object(&self, store_id: &StoreId);

    /// Whether every object of the store's release is there.
    async fn is_whole(&self, store_id: &StoreId) -> bool;

    /// Removes the store's namespace, and returns when it is gone.
    async fn remove_namespace(&self, store_id: &StoreId);
}

/// A Medusa store called `teashop`.
///
/// # Panics
/// Never: the name is a good one.
pub fn example_spec(store_id: &StoreId) -> ReleaseSpec {
    let Ok(name) = "teashop".parse() else { panic!("a store can be called teashop") };
    let host = StoreHost::preferred(&name, &HostSuffix::local());
    let public_url = format!("http://{}:8080", host.as_str());
    ReleaseSpec {
        store_id: store_id.clone(),
        engine: engines::medusa(),
        name,
        host,
        public_url,
        theme: None,
        size: None,
        setup_revision: 0,
        credentials_version: 1,
        origin: None,
    }
}

/// Checks all facts.
///
/// # Panics
/// With the fact that does not hold.
pub async fn releases_contract(world: &dyn World) {
    an_installed_release_is_deployed(world).await;
    installing_again_is_one_release_with_the_same_digest(world).await;
    another_spec_has_another_digest(world).await;
    what_a_dead_run_left_is_removed(world).await;
    an_object_that_was_lost_comes_back(world).await;
    uninstalling_what_is_absent_succeeds(world).await;
    an_uninstalled_release_is_gone_and_can_come_back(world).await;
    a_dead_run_does_not_keep_a_release_from_being_uninstalled(world).await;
    a_stale_epoch_changes_nothing(world).await;
    without_a_namespace_there_is_no_release(world).await;
    an_engine_with_a_chart_is_available(world).await;
}

fn at(store_id: &StoreId, epoch: i64) -> Fence {
    Fence { store_id: store_id.clone(), epoch: Epoch(epoch) }
}

async fn install(world: &dyn World, fence: &Fence) -> Installed {
    match world.releases().install(fence, &example_spec(&fence.store_id)).await {
        Ok(installed) => installed,
        Err(error) => panic!("{} could not be installed: {error}", fence.store_id),
    }
}

async fn uninstall(world: &dyn World, fence: &Fence) {
    match world.releases().uninstall(fence).await {
        Ok(uninstalled) => assert!(uninstalled.left.is_empty(), "{} leaves {:?}", fence.store_id, uninstalled.left),
        Err(error) => panic!("{} could not be uninstalled: {error}", fence.store_id),
    }
}

async fn an_installed_release_is_deployed(world: &dyn World) {
    let store_id = world.new_store().await;
    assert_eq!(world.revision(&store_id).await, None, "a new store has no release");

    let installed = install(world, &at(&store_id, 1)).await;

    assert_eq!(installed.revision, 1);
    let promised = world.releases().digests(&example_spec(&store_id)).await;
    assert_eq!(promised.ok().as_ref(), Some(&installed.digests), "what was announced was installed");
    for digest in [&installed.digests.chart, &installed.digests.values, &installed.digests.helm] {
        assert!(digest.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64), "{digest}");
    }
    assert!(installed.healed.is_empty(), "nothing was broken, yet healed: {:?}", installed.healed);
    assert_eq!(world.revision(&store_id).await, Some(1));
    assert!(world.is_whole(&store_id).await);
}

async fn installing_again_is_one_release_with_the_same_digest(world: &dyn World) {
    let store_id = world.new_store().await;
    let first = install(world, &at(&store_id, 1)).await;

    let second = install(world, &at(&store_id, 1)).await;

    assert!(second.revision >= first.revision);
    assert_eq!(second.digests, first.digests);
    assert_eq!(world.revision(&store_id).await, Some(second.revision));
}

async fn another_spec_has_another_digest(world: &dyn World) {
    let store_id = world.new_store().await;
    let first = install(world, &at(&store_id, 1)).await;
    let mut spec = example_spec(&store_id);
    spec.public_url.push_str("/moved");

    let second = world.releases().install(&at(&store_id, 1), &spec).await;

    let Ok(second) = second else { panic!("{store_id} could not be moved: {second:?}") };
    assert_ne!(second.digests.values, first.digests.values);
    assert_eq!((second.digests.chart, second.digests.helm), (first.digests.chart, first.digests.helm));
}

async fn an_object_that_was_lost_comes_back(world: &dyn World) {
    let store_id = world.new_store().await;
    install(world, &at(&store_id, 1)).await;
    world.remove_an_object(&store_id).await;
    assert!(!world.is_whole(&store_id).await);

    install(world, &at(&store_id, 1)).await;

    assert!(world.is_whole(&store_id).await);
}

async fn what_a_dead_run_left_is_removed(world: &dyn World) {
    let store_id = world.new_store().await;
    install(world, &at(&store_id, 1)).await;
    world.leave_dead_run(&at(&store_id, 1)).await;
    world.raise_epoch(&at(&store_id, 2)).await;

    let installed = install(world, &at(&store_id, 2)).await;

    assert_eq!(installed.healed.len(), 1, "one record was in the way: {:?}", installed.healed);
    assert_eq!(world.revision(&store_id).await, Some(installed.revision));
}

async fn uninstalling_what_is_absent_succeeds(world: &dyn World) {
    let store_id = world.new_store().await;

    uninstall(world, &at(&store_id, 1)).await;

    assert_eq!(world.revision(&store_id).await, None);
}

async fn an_uninstalled_release_is_gone_and_can_come_back(world: &dyn World) {
    let store_id = world.new_store().await;
    install(world, &at(&store_id, 1)).await;

    uninstall(world, &at(&store_id, 1)).await;
    assert_eq!(world.revision(&store_id).await, None);
    uninstall(world, &at(&store_id, 1)).await;

    let installed = install(world, &at(&store_id, 1)).await;
    assert_eq!(world.revision(&store_id).await, Some(installed.revision));
}

async fn a_dead_run_does_not_keep_a_release_from_being_uninstalled(world: &dyn World) {
    let store_id = world.new_store().await;
    install(world, &at(&store_id, 1)).await;
    world.leave_dead_run(&at(&store_id, 1)).await;
    world.raise_epoch(&at(&store_id, 2)).await;

    uninstall(world, &at(&store_id, 2)).await;

    assert_eq!(world.revision(&store_id).await, None);
}

async fn a_stale_epoch_changes_nothing(world: &dyn World) {
    let store_id = world.new_store().await;
    world.raise_epoch(&at(&store_id, 2)).await;

    let too_late = world.releases().install(&at(&store_id, 1), &example_spec(&store_id)).await;
    assert!(is_stale(too_late.as_ref().err()), "an install under epoch 1 ended with {too_late:?}");
    assert_eq!(world.revision(&store_id).await, None, "a stale install left a release");

    let installed = install(world, &at(&store_id, 2)).await;
    let too_late = world.releases().uninstall(&at(&store_id, 1)).await;
    assert!(is_stale(too_late.as_ref().err()), "an uninstall under epoch 1 ended with {too_late:?}");
    assert_eq!(world.revision(&store_id).await, Some(installed.revision), "a stale uninstall removed the release");
}

async fn without_a_namespace_there_is_no_release(world: &dyn World) {
    let store_id = world.new_store().await;
    install(world, &at(&store_id, 1)).await;
    world.remove_namespace(&store_id).await;

    assert_eq!(world.revision(&store_id).await, None, "the release outlives its namespace");
    let installed = world.releases().install(&at(&store_id, 1), &example_spec(&store_id)).await;
    let gone = matches!(installed, Err(ReleaseError::Cluster(ClusterError::NamespaceGone)));
    assert!(gone, "an install without a namespace ended with {installed:?}");
    uninstall(world, &at(&store_id, 1)).await;
}

fn is_stale(error: Option<&ReleaseError>) -> bool {
    matches!(error, Some(ReleaseError::Cluster(ClusterError::StaleEpoch { .. })))
}

async fn an_engine_with_a_chart_is_available(world: &dyn World) {
    let note = world.releases().engine_note(&engines::medusa_descriptor()).await;

    assert!(matches!(note, Ok(None)), "stores on Medusa can be made, without a word of warning: {note:?}");
}
