//! The fake keeps the contract, and what else tests rely on.

use futures::executor::block_on;

use super::*;
use crate::cluster::{Cluster, ClusterError};
use crate::releases::ReleaseAccess;
use crate::testing::releases_contract::{World, example_spec, releases_contract};
use crate::testing::{Fault, engines};

#[derive(Debug)]
struct FakeWorld {
    cluster: Arc<FakeCluster>,
    releases: FakeReleases,
    stores: Mutex<u32>,
}

impl FakeWorld {
    fn new() -> Self {
        let cluster = Arc::new(FakeCluster::new());
        Self { releases: FakeReleases::on(cluster.clone()), cluster, stores: Mutex::default() }
    }

    /// A store at epoch 1.
    fn fence(&self) -> Fence {
        Fence { store_id: block_on(self.new_store()), epoch: Epoch(1) }
    }

    fn install(&self, fence: &Fence) -> Result<Installed, ReleaseError> {
        block_on(self.releases.install(fence, &example_spec(&fence.store_id)))
    }
}

#[async_trait]
impl World for FakeWorld {
    fn releases(&self) -> &dyn Releases {
        &self.releases
    }

    async fn new_store(&self) -> StoreId {
        let store_id = {
            let mut stores = self.stores.lock().unwrap();
            *stores += 1;
            StoreId::from_random(*stores)
        };
        let fence = Fence { store_id: store_id.clone(), epoch: Epoch(1) };
        self.cluster.ensure_namespace(&fence, &engines::medusa()).await.unwrap();
        store_id
    }

    async fn raise_epoch(&self, fence: &Fence) {
        self.cluster.raise_epoch(fence).await.unwrap();
    }

    async fn remove_namespace(&self, store_id: &StoreId) {
        self.cluster.remove_namespace(store_id);
    }

    async fn revision(&self, store_id: &StoreId) -> Option<u32> {
        self.releases.installed().get(store_id).map(|release| release.revision)
    }

    async fn leave_dead_run(&self, fence: &Fence) {
        self.releases.leave_dead_run(&fence.store_id);
    }

    async fn remove_an_object(&self, store_id: &StoreId) {
        assert!(self.cluster.remove_object(store_id, &objects()[0]));
    }

    async fn is_whole(&self, store_id: &StoreId) -> bool {
        let fence = Fence { store_id: store_id.clone(), epoch: Epoch(1) };
        self.cluster.missing(&fence, &objects()).await.unwrap().is_empty()
    }
}

#[test]
fn the_fake_keeps_the_contract() {
    block_on(releases_contract(&FakeWorld::new()));
}

#[test]
fn a_lost_answer_leaves_the_release_behind() {
    let world = FakeWorld::new();
    let fence = world.fence();
    world.releases.faults.push("install", Fault::After(ReleaseError::Failed("lost".to_owned())));

    assert!(world.install(&fence).is_err());

    assert_eq!(world.releases.installed().len(), 1);
    assert_eq!(world.releases.install_calls(&fence.store_id), 1);
}

#[test]
fn a_run_that_dies_half_way_leaves_a_record_that_the_next_one_heals() {
    let world = FakeWorld::new();
    let fence = world.fence();
    world.releases.faults.push("install", Fault::Before(ReleaseError::Failed("killed".to_owned())));

    assert!(world.install(&fence).is_err());
    assert!(world.releases.installed().is_empty());
    assert_eq!(block_on(world.cluster.records(&fence)).unwrap().len(), 1);

    assert_eq!(world.install(&fence).unwrap().healed, ["revision 1: pending-install"]);
    assert_eq!(world.releases.installed().len(), 1);
}

#[test]
fn a_run_that_was_overtaken_half_way_changes_nothing_more() {
    let world = FakeWorld::new();
    let (old, new) = (world.fence(), Epoch(2));
    let (revision, _) = world.cluster.begin_install(&old).unwrap();
    let new = Fence { epoch: new, ..old.clone() };
    block_on(world.raise_epoch(&new));
    let installed = world.install(&new).unwrap();

    let spec = example_spec(&old.store_id);
    let late = FakeRelease { digests: world.releases.made_of(&spec), spec, revision, epoch: old.epoch };
    let finished = world.cluster.finish_install(&old, late, objects());

    assert!(matches!(finished, Err(ReleaseError::Cluster(ClusterError::StaleEpoch { .. }))), "{finished:?}");
    assert_eq!(world.releases.installed()[&old.store_id].epoch, new.epoch);
    assert_eq!(installed.healed, ["revision 1: pending-install"]);
}

#[test]
fn three_records_are_kept_and_one_is_deployed() {
    let world = FakeWorld::new();
    let fence = world.fence();
    for _ in 0..5 {
        world.install(&fence).unwrap();
    }

    let records = block_on(world.cluster.records(&fence)).unwrap();

    assert_eq!(records.iter().map(|record| record.revision).collect::<Vec<_>>(), [3, 4, 5]);
    let deployed = records.iter().filter(|it| String::from_utf8_lossy(&it.payload).contains("\"deployed\"")).count();
    assert_eq!(deployed, 1);
}

#[test]
fn digests_tell_what_was_changed() {
    let world = FakeWorld::new();
    let spec = example_spec(&world.fence().store_id);
    let digests = || block_on(world.releases.digests(&spec)).unwrap();
    let first = digests();

    world.releases.replace_charts();
    let second = digests();
    world.releases.replace_helm();
    let third = digests();

    assert!(first.chart != second.chart && first.values == second.values && first.helm == second.helm);
    assert!(second.chart == third.chart && second.helm != third.helm);
}

#[test]
fn objects_that_stay_are_named() {
    let world = FakeWorld::new();
    let fence = world.fence();
    world.install(&fence).unwrap();
    world.releases.leave_objects(true);

    let uninstalled = block_on(world.releases.uninstall(&fence)).unwrap();

    assert_eq!(uninstalled.left.len(), objects().len());
    assert!(block_on(world.cluster.records(&fence)).unwrap().is_empty());
}

#[test]
fn an_engine_is_available_without_a_note_until_the_test_says_otherwise() {
    let world = FakeWorld::new();
    assert_eq!(block_on(world.releases.engine_note(&engines::medusa_descriptor())).unwrap(), None);
    world.releases.annotate_engine(engines::woocommerce(), "no orders");
    world.releases.refuse_engine(engines::medusa(), "no image");

    assert_eq!(
        block_on(world.releases.engine_note(&engines::woocommerce_descriptor())).unwrap().as_deref(),
        Some("no orders")
    );
    assert!(matches!(block_on(world.releases.engine_note(&engines::medusa_descriptor())), Err(ReleaseError::Chart(_))));
}
