//! What a test tells the fake cluster, and what it may look at.

use std::collections::BTreeMap;

use crate::testing::engines;
use shopwright_domain::operation::SetupStep;
use shopwright_domain::store::EngineName;
use shopwright_domain::{Epoch, StoreId};

use super::FakeCluster;
use super::state::Namespace;
use crate::cluster::Rollout;
use crate::releases::ReleaseRecord;

impl FakeCluster {
    /// From now on the store's workloads do like this.
    pub fn set_rollout(&self, store_id: &StoreId, rollout: Rollout) {
        self.state().rollouts.insert(store_id.clone(), rollout);
    }

    /// From now on the store's set-up runs, and has done so much.
    pub fn set_progress(&self, store_id: &StoreId, steps: Vec<SetupStep>) {
        self.state().progress.insert(store_id.clone(), steps);
    }

    /// Takes back what [`FakeCluster::set_rollout`] said.
    pub fn clear_rollout(&self, store_id: &StoreId) {
        self.state().rollouts.remove(store_id);
    }

    /// From now on the cluster's fence is open, for this reason, or closed again.
    pub fn open_fence(&self, reason: Option<&str>) {
        self.state().open_fence = reason.map(str::to_owned);
    }

    /// Whether workloads without a script are ready at once (as at the start) or stay pending.
    pub fn auto_ready(&self, ready: bool) {
        self.state().stays_pending = !ready;
    }

    /// For how many looks (`await_gone`) a deleted namespace goes on terminating; 0, as at the start, means gone at once.
    pub fn set_termination_calls(&self, calls: u32) {
        self.state().termination_calls = calls;
    }

    /// From now on something keeps the store's namespace from going away, or nothing does.
    pub fn block_removal(&self, store_id: &StoreId, reason: Option<&str>) {
        let mut state = self.state();
        if let Some(reason) = reason {
            state.blocked.insert(store_id.clone(), reason.to_owned());
        } else {
            state.blocked.remove(store_id);
            state.reap(store_id);
        }
    }

    /// A volume whose reclaim policy keeps it when the store goes.
    pub fn retain_volume(&self, store_id: &StoreId, name: &str) {
        self.state().retained.entry(store_id.clone()).or_default().push(name.to_owned());
    }

    /// A namespace of the store's name that is somebody else's.
    pub fn add_foreign_namespace(&self, store_id: &StoreId) {
        let mut state = self.state();
        let mut namespace = Namespace::new(Epoch::default(), engines::medusa(), state.creations);
        namespace.engine = None;
        state.creations += 1;
        state.namespaces.insert(store_id.clone(), namespace);
    }

    /// Takes the namespace away, as by `kubectl delete namespace`.
    pub fn remove_namespace(&self, store_id: &StoreId) {
        self.state().namespaces.remove(store_id);
    }

    /// Puts a record of a release there, as helm would.
    pub fn put_record(&self, store_id: &StoreId, record: ReleaseRecord) {
        if let Some(namespace) = self.state().namespaces.get_mut(store_id) {
            namespace.records.retain(|known| known.name != record.name);
            namespace.records.push(record);
            namespace.records.sort_by_key(|known| known.revision);
        }
    }

    /// The stores that have a namespace, a terminating one included, with their epochs.
    pub fn namespaces(&self) -> BTreeMap<StoreId, Epoch> {
        self.state().namespaces.iter().map(|(id, namespace)| (id.clone(), namespace.epoch)).collect()
    }

    /// The epoch that the store's namespace carries, if there is one.
    pub fn epoch(&self, store_id: &StoreId) -> Option<Epoch> {
        self.state().namespaces.get(store_id).map(|namespace| namespace.epoch)
    }

    /// The engine that the store's namespace was made for.
    pub fn engine(&self, store_id: &StoreId) -> Option<EngineName> {
        self.state().namespaces.get(store_id).and_then(|namespace| namespace.engine.clone())
    }

    /// Key and value of each credential that was written, or `None` when none were.
    pub fn credentials(&self, store_id: &StoreId) -> Option<BTreeMap<String, String>> {
        let state = self.state();
        let credentials = &state.namespaces.get(store_id)?.credentials;
        (!credentials.is_empty()).then(|| credentials.clone())
    }

    /// How many namespaces were ever made.
    pub fn creations(&self) -> usize {
        self.state().creations
    }

    /// How many namespaces were ever asked to go.
    pub fn deletions(&self) -> usize {
        self.state().deletions
    }
}
