//! The fake cluster as a helm adapter sees it.

use async_trait::async_trait;
use secrecy::SecretString;

use super::FakeCluster;
use crate::cluster::{ClusterError, Fence};
use crate::releases::{ObjectRef, ReleaseAccess, ReleaseRecord};

#[async_trait]
impl ReleaseAccess for FakeCluster {
    /// Not a kubeconfig that helm could use, but one that says whose it is.
    async fn kubeconfig(&self, fence: &Fence) -> Result<SecretString, ClusterError> {
        let effect = || Ok(format!("# {} as epoch {}\n", fence.store_id, fence.epoch).into());
        self.faults.around("kubeconfig", effect).await
    }

    async fn records(&self, fence: &Fence) -> Result<Vec<ReleaseRecord>, ClusterError> {
        let effect = || {
            let state = self.state();
            let namespace = state.namespaces.get(&fence.store_id).ok_or(ClusterError::NamespaceGone)?;
            Ok(namespace.records.clone())
        };
        self.faults.around("records", effect).await
    }

    async fn remove_record(&self, fence: &Fence, record: &ReleaseRecord) -> Result<(), ClusterError> {
        let effect = || {
            let mut state = self.state();
            if !state.namespaces.contains_key(&fence.store_id) {
                return Ok(());
            }
            let read = |known: &ReleaseRecord| {
                known.name == record.name
                    && known.uid == record.uid
                    && known.resource_version == record.resource_version
            };
            state.inside(fence)?.records.retain(|known| !read(known));
            Ok(())
        };
        self.faults.around("remove_record", effect).await
    }

    async fn missing(&self, fence: &Fence, objects: &[ObjectRef]) -> Result<Vec<ObjectRef>, ClusterError> {
        let effect = || {
            let state = self.state();
            let namespace = state.namespaces.get(&fence.store_id);
            let there = |object: &&ObjectRef| namespace.is_some_and(|namespace| namespace.objects.contains(*object));
            Ok(objects.iter().filter(|object| !there(object)).cloned().collect())
        };
        self.faults.around("missing", effect).await
    }
}
