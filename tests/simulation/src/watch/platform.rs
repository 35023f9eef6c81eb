//! What must hold about the cluster after every change of it.

use std::collections::BTreeMap;

use shopwright_domain::store::StoreState;
use shopwright_domain::{Epoch, StoreId};
use shopwright_ports::cluster::{Fence, NamespaceState};
use shopwright_ports::testing::{FakeCluster, FakeReleases};

use super::{Namespace, Watch};

impl Watch {
    /// The namespaces after a change. Returns those that have gone.
    pub fn looked_at(&mut self, now: u64, namespaces: &BTreeMap<StoreId, Epoch>) -> Vec<StoreId> {
        for id in namespaces.keys() {
            let known = self.namespaces.entry(id.clone()).or_default();
            if !known.present {
                *known = Namespace {
                    generations: known.generations + 1,
                    present: true,
                    since: now,
                    raised: Epoch::default(),
                };
            }
        }
        let mut gone = Vec::new();
        for (id, known) in &mut self.namespaces {
            if known.present && !namespaces.contains_key(id) {
                known.present = false;
                known.since = now;
                gone.push(id.clone());
            }
        }
        gone
    }

    /// An owner was told that the fence holds for its epoch.
    pub fn raised(&mut self, fence: &Fence, state: NamespaceState) {
        if state != NamespaceState::Absent
            && let Some(known) = self.namespaces.get_mut(&fence.store_id)
        {
            known.raised = known.raised.max(fence.epoch);
        }
    }

    /// A change under this fence took effect: no later owner may have been told that its fence holds (P4).
    pub fn fenced(&mut self, call: &str, fence: &Fence) {
        if let Some(known) = self.namespaces.get(&fence.store_id)
            && known.present
            && known.raised > fence.epoch
        {
            let raised = known.raised;
            self.violate(|| {
                format!(
                    "{call} of epoch {} took effect on {} after epoch {raised} was raised",
                    fence.epoch, fence.store_id
                )
            });
        }
    }

    /// What must hold when everything has come to rest.
    pub fn at_rest(&mut self, cluster: &FakeCluster, releases: &FakeReleases) {
        let namespaces = cluster.namespaces();
        let installed = releases.installed();
        let rows = std::mem::take(&mut self.rows);
        for store in &rows.stores {
            let id = &store.id;
            let (namespace, release) = (namespaces.contains_key(id), installed.contains_key(id));
            match store.state {
                StoreState::Ready if !(namespace && release || self.robbed.contains(id)) => {
                    self.violate(|| format!("{id} is ready; namespace {namespace}, release {release}"));
                }
                StoreState::Deleted if namespace || release => {
                    self.violate(|| format!("{id} is deleted; namespace {namespace}, release {release}"));
                }
                StoreState::Requested | StoreState::Provisioning | StoreState::Deleting => {
                    self.violate(|| format!("{id} is still {}", store.state));
                }
                StoreState::Ready | StoreState::Failed | StoreState::Deleted => {}
            }
            let unwound = rows.operations.iter().rfind(|operation| operation.store_id == *id);
            if unwound.is_some_and(|last| last.kind == shopwright_domain::operation::OperationKind::Unwind)
                && (namespace || release)
            {
                self.violate(|| format!("{id} was cancelled; namespace {namespace}, release {release}"));
            }
            let generations = self.namespaces.get(id).map_or(0, |known| known.generations);
            let removals = u32::from(rows.operations.iter().any(|operation| {
                operation.store_id == *id && operation.kind != shopwright_domain::operation::OperationKind::Provision
            }));
            if removals == 0 && generations > 1 && !self.robbed.contains(id) {
                self.violate(|| format!("{id} had {generations} namespaces and was never removed"));
            }
        }
        for id in namespaces.keys().filter(|id| rows.store(id).is_none()) {
            self.violate(|| format!("namespace {id} belongs to no store"));
        }
        for operation in rows.operations.iter().filter(|operation| !operation.status.is_finished()) {
            self.violate(|| format!("{} of {} is still {}", operation.kind, operation.store_id, operation.status));
        }
        self.rows = rows;
    }
}
