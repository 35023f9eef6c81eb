//! A fake Helm: it keeps releases, revisions and the records of dead runs, and obeys the fence as a real cluster does.
//!
//! It knows the epochs that it was called with and those that it was told ([`FakeReleases::raise_epoch`]); it refuses lower ones. It
//! knows no namespaces: whoever deletes one tells it by [`FakeReleases::forget`].

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use shopwright_domain::store::Engine;
use shopwright_domain::{Epoch, StoreId};

use crate::cluster::{ClusterError, Fence};
use crate::releases::{Installed, ReleaseError, ReleaseSpec, Releases};
use crate::testing::Faults;

/// A release that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeRelease {
    /// What it was made of at last.
    pub spec: ReleaseSpec,
    /// Counts the installations, from 1.
    pub revision: u32,
    /// The same for the same spec.
    pub digest: String,
    /// Under which claim it was installed at last.
    pub epoch: Epoch,
}

#[derive(Debug, Default)]
struct State {
    releases: BTreeMap<StoreId, FakeRelease>,
    dead_runs: BTreeMap<StoreId, Vec<String>>,
    epochs: BTreeMap<StoreId, Epoch>,
    notes: BTreeMap<Engine, Result<String, String>>,
    installs: BTreeMap<StoreId, usize>,
    uninstalls: BTreeMap<StoreId, usize>,
}

impl State {
    fn fence(&mut self, fence: &Fence) -> Result<(), ReleaseError> {
        let known = self.epochs.entry(fence.store_id.clone()).or_insert(fence.epoch);
        if fence.epoch < *known {
            return Err(ClusterError::StaleEpoch { known: None }.into());
        }
        *known = fence.epoch;
        Ok(())
    }
}

/// Installs at once, unless told otherwise.
#[derive(Debug, Default)]
pub struct FakeReleases {
    /// What the next calls of `install`, `uninstall` and `engine_note` meet instead.
    pub faults: Faults<ReleaseError>,
    state: Mutex<State>,
}

impl FakeReleases {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All releases that are there.
    pub fn installed(&self) -> BTreeMap<StoreId, FakeRelease> {
        self.state().releases.clone()
    }

    /// How often `install` was called for the store, whatever came of it.
    pub fn install_calls(&self, store_id: &StoreId) -> usize {
        self.state().installs.get(store_id).copied().unwrap_or(0)
    }

    /// How often `uninstall` was called for the store, whatever came of it.
    pub fn uninstall_calls(&self, store_id: &StoreId) -> usize {
        self.state().uninstalls.get(store_id).copied().unwrap_or(0)
    }

    /// From now on calls with a lower epoch are refused, as if the cluster had been told by somebody else.
    pub fn raise_epoch(&self, fence: &Fence) {
        let mut state = self.state();
        let known = state.epochs.entry(fence.store_id.clone()).or_insert(fence.epoch);
        *known = fence.epoch.max(*known);
    }

    /// A run dies and leaves a pending record: the next `install` removes it and says so.
    pub fn leave_dead_run(&self, store_id: &StoreId) {
        let mut state = self.state();
        let revision = state.releases.get(store_id).map_or(0, |release| release.revision) + 1;
        let record = format!("revision {revision}: pending");
        state.dead_runs.entry(store_id.clone()).or_default().push(record);
    }

    /// The namespace went away, and with it the release. Its epoch is still known.
    pub fn forget(&self, store_id: &StoreId) {
        let mut state = self.state();
        state.releases.remove(store_id);
        state.dead_runs.remove(store_id);
    }

    /// Stores of this engine can be made, and their owners must know `note`.
    pub fn annotate_engine(&self, engine: Engine, note: &str) {
        self.state().notes.insert(engine, Ok(note.to_owned()));
    }

    /// Stores of this engine cannot be made, for `reason`.
    pub fn refuse_engine(&self, engine: Engine, reason: &str) {
        self.state().notes.insert(engine, Err(reason.to_owned()));
    }
}

#[async_trait]
impl Releases for FakeReleases {
    async fn install(&self, fence: &Fence, spec: &ReleaseSpec) -> Result<Installed, ReleaseError> {
        *self.state().installs.entry(fence.store_id.clone()).or_default() += 1;
        self.faults
            .around("install", || {
                let mut state = self.state();
                state.fence(fence)?;
                let healed = state.dead_runs.remove(&fence.store_id).unwrap_or_default();
                let revision = state.releases.get(&fence.store_id).map_or(0, |release| release.revision) + 1;
                let digest = format!("{spec:?}");
                let release = FakeRelease { spec: spec.clone(), revision, digest: digest.clone(), epoch: fence.epoch };
                state.releases.insert(fence.store_id.clone(), release);
                Ok(Installed { revision, digest, healed })
            })
            .await
    }

    async fn uninstall(&self, fence: &Fence) -> Result<(), ReleaseError> {
        *self.state().uninstalls.entry(fence.store_id.clone()).or_default() += 1;
        self.faults
            .around("uninstall", || {
                let mut state = self.state();
                state.fence(fence)?;
                state.releases.remove(&fence.store_id);
                state.dead_runs.remove(&fence.store_id);
                Ok(())
            })
            .await
    }

    async fn engine_note(&self, engine: Engine) -> Result<Option<String>, ReleaseError> {
        self.faults
            .around("engine_note", || {
                let note = self.state().notes.get(&engine).cloned();
                note.transpose().map_err(ReleaseError::Chart)
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::testing::Fault;
    use crate::testing::releases_contract::{World, example_spec, releases_contract};

    #[derive(Debug, Default)]
    struct FakeWorld {
        releases: FakeReleases,
        stores: Mutex<u32>,
    }

    #[async_trait]
    impl World for FakeWorld {
        fn releases(&self) -> &dyn Releases {
            &self.releases
        }

        async fn new_store(&self) -> StoreId {
            let mut stores = self.stores.lock().unwrap();
            *stores += 1;
            StoreId::from_random(*stores)
        }

        async fn raise_epoch(&self, fence: &Fence) {
            self.releases.raise_epoch(fence);
        }

        async fn revision(&self, store_id: &StoreId) -> Option<u32> {
            self.releases.installed().get(store_id).map(|release| release.revision)
        }

        async fn leave_dead_run(&self, fence: &Fence) {
            self.releases.leave_dead_run(&fence.store_id);
        }
    }

    #[test]
    fn the_fake_keeps_the_contract() {
        block_on(releases_contract(&FakeWorld::default()));
    }

    #[test]
    fn a_lost_answer_leaves_the_release_behind() {
        let releases = FakeReleases::default();
        let fence = Fence { store_id: StoreId::from_random(1), epoch: Epoch(1) };
        releases.faults.push("install", Fault::After(ReleaseError::Failed("lost".to_owned())));

        let result = block_on(releases.install(&fence, &example_spec(&fence.store_id)));

        assert!(result.is_err());
        assert_eq!(releases.installed().len(), 1);
        assert_eq!(releases.install_calls(&fence.store_id), 1);
    }

    #[test]
    fn an_engine_is_available_without_a_note_until_the_test_says_otherwise() {
        let releases = FakeReleases::default();
        releases.annotate_engine(Engine::WooCommerce, "no orders");
        releases.refuse_engine(Engine::Medusa, "no image");

        assert_eq!(block_on(FakeReleases::default().engine_note(Engine::Medusa)).unwrap(), None);
        assert_eq!(block_on(releases.engine_note(Engine::WooCommerce)).unwrap().as_deref(), Some("no orders"));
        assert!(matches!(block_on(releases.engine_note(Engine::Medusa)), Err(ReleaseError::Chart(_))));
    }
}
