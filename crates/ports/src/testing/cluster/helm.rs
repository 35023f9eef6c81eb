//! What a helm does in the fake cluster: records, objects and the release that they make up, in the store's namespace and behind its fence.
//!
//! An installation and an uninstallation have two halves, as helm's have. A run that dies between them leaves what a real one leaves: a
//! pending or uninstalling record. The second half is refused when somebody else has taken over meanwhile.

use std::collections::BTreeMap;

use shopwright_domain::StoreId;

use super::FakeCluster;
use super::state::Namespace;
use crate::cluster::{ClusterError, Fence};
use crate::releases::{ObjectRef, ReleaseError, ReleaseRecord};
use crate::testing::releases::FakeRelease;

/// How many records are kept.
const HISTORY: usize = 3;

/// A status as helm writes it into a record.
fn payload(store_id: &StoreId, revision: u32, status: &str) -> Vec<u8> {
    format!(r#"{{"name":"{store_id}","info":{{"status":"{status}"}},"version":{revision},"manifest":""}}"#).into_bytes()
}

fn status(record: &ReleaseRecord) -> Option<String> {
    let text = std::str::from_utf8(&record.payload).ok()?;
    let (_, after) = text.split_once(r#""status":""#)?;
    after.split_once('"').map(|(status, _)| status.to_owned())
}

/// Why helm cannot go on from this record, if it cannot.
fn in_the_way(record: &ReleaseRecord) -> Option<String> {
    match status(record) {
        Some(status) if status.starts_with("pending-") || status == "uninstalling" => Some(status),
        Some(_) => None,
        None => Some("unreadable".to_owned()),
    }
}

impl Namespace {
    fn write(&mut self, store_id: &StoreId, revision: u32, status: &str) {
        let version = self.records.iter().filter_map(|known| known.resource_version.parse::<u64>().ok()).max();
        let name = format!("sh.helm.release.v1.{store_id}.v{revision}");
        let known = self.records.iter().position(|known| known.name == name).map(|at| self.records.remove(at));
        self.records.push(ReleaseRecord {
            uid: known.map_or_else(|| format!("{}/{revision}/{version:?}", self.uid), |known| known.uid),
            name,
            revision,
            resource_version: (version.unwrap_or(0) + 1).to_string(),
            visible: true,
            payload: payload(store_id, revision, status),
        });
        self.records.sort_by_key(|known| known.revision);
    }

    fn newest(&self) -> u32 {
        self.records.last().map_or(0, |record| record.revision)
    }

    fn has(&self, revision: u32, wanted: &str) -> bool {
        self.records
            .iter()
            .any(|record| record.revision == revision && status(record).is_some_and(|it| it.starts_with(wanted)))
    }
}

impl FakeCluster {
    /// Removes what dead runs left and writes a pending record; says its revision and what was removed.
    pub(in crate::testing) fn begin_install(&self, fence: &Fence) -> Result<(u32, Vec<String>), ReleaseError> {
        let mut state = self.state();
        let namespace = state.inside(fence)?;
        if namespace.is_terminating() {
            return Err(ClusterError::Terminating.into());
        }
        let mut healed = Vec::new();
        while let Some(reason) = namespace.records.last().and_then(in_the_way) {
            healed.push(format!("revision {}: {reason}", namespace.newest()));
            namespace.records.pop();
        }
        let revision = namespace.newest() + 1;
        let status = if revision == 1 { "pending-install" } else { "pending-upgrade" };
        namespace.write(&fence.store_id, revision, status);
        Ok((revision, healed))
    }

    /// Puts the objects there and writes the record as deployed.
    pub(in crate::testing) fn finish_install(
        &self,
        fence: &Fence,
        release: FakeRelease,
        objects: impl IntoIterator<Item = ObjectRef>,
    ) -> Result<(), ReleaseError> {
        let mut state = self.state();
        let namespace = state.inside(fence)?;
        if namespace.is_terminating() {
            return Err(ClusterError::Terminating.into());
        }
        if !namespace.has(release.revision, "pending-") {
            return Err(ReleaseError::Failed("the run's record is gone".to_owned()));
        }
        namespace.objects.extend(objects);
        for older in namespace.records.iter().map(|record| record.revision).collect::<Vec<_>>() {
            if namespace.has(older, "deployed") {
                namespace.write(&fence.store_id, older, "superseded");
            }
        }
        namespace.write(&fence.store_id, release.revision, "deployed");
        let surplus = namespace.records.len().saturating_sub(HISTORY);
        namespace.records.drain(..surplus);
        namespace.release = Some(release);
        Ok(())
    }

    /// Marks the release as going; `false` when there is nothing to uninstall.
    pub(in crate::testing) fn begin_uninstall(&self, fence: &Fence) -> Result<bool, ReleaseError> {
        let mut state = self.state();
        if state.namespaces.get(&fence.store_id).is_none_or(|namespace| namespace.records.is_empty()) {
            return Ok(false);
        }
        let namespace = state.inside(fence)?;
        namespace.write(&fence.store_id, namespace.newest(), "uninstalling");
        namespace.release = None;
        Ok(true)
    }

    /// Removes records and objects, those excepted that are told to stay; says which those are.
    pub(in crate::testing) fn finish_uninstall(
        &self,
        fence: &Fence,
        objects_stay: bool,
    ) -> Result<Vec<ObjectRef>, ReleaseError> {
        let mut state = self.state();
        if !state.namespaces.contains_key(&fence.store_id) {
            return Ok(Vec::new());
        }
        let namespace = state.inside(fence)?;
        namespace.records.clear();
        namespace.release = None;
        if !objects_stay {
            namespace.objects.clear();
        }
        Ok(namespace.objects.iter().cloned().collect())
    }

    /// What a run leaves that dies when it has written its first record.
    pub(in crate::testing) fn leave_pending(&self, store_id: &StoreId) {
        if let Some(namespace) = self.state().namespaces.get_mut(store_id) {
            namespace.write(store_id, namespace.newest() + 1, "pending-upgrade");
        }
    }

    /// Every release that is deployed.
    pub(in crate::testing) fn releases(&self) -> BTreeMap<StoreId, FakeRelease> {
        let state = self.state();
        let deployed = state.namespaces.iter().filter_map(|(id, it)| Some((id.clone(), it.release.clone()?)));
        deployed.collect()
    }

    /// Somebody deletes an object of the store by hand; whether it was there.
    pub fn remove_object(&self, store_id: &StoreId, object: &ObjectRef) -> bool {
        self.state().namespaces.get_mut(store_id).is_some_and(|namespace| namespace.objects.remove(object))
    }

    /// The objects that charts have put into the store's namespace.
    pub fn objects(&self, store_id: &StoreId) -> Vec<ObjectRef> {
        let state = self.state();
        state.namespaces.get(store_id).map(|it| it.objects.iter().cloned().collect()).unwrap_or_default()
    }
}
