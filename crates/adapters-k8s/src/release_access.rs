//! What the helm adapter needs of the cluster: a kubeconfig that is fenced, helm's records, and whether the objects are there.

mod objects;

use k8s_openapi::api::core::v1::Secret;
use kube::core::params::{ListParams, Preconditions};
use secrecy::SecretString;
use shopwright_ports::cluster::{ClusterError, Fence};
use shopwright_ports::releases::{ObjectRef, ReleaseAccess, ReleaseRecord};

use crate::KubeCluster;
use crate::calls::Identity;

#[async_trait::async_trait]
impl ReleaseAccess for KubeCluster {
    async fn kubeconfig(&self, fence: &Fence) -> Result<SecretString, ClusterError> {
        Ok(self.access.of_worker(fence))
    }

    async fn records(&self, fence: &Fence) -> Result<Vec<ReleaseRecord>, ClusterError> {
        let namespace = fence.store_id.namespace();
        // Not by labels: a record that has lost them is hidden from helm, and in its way.
        let params = ListParams::default().fields("type=helm.sh/release.v1");
        match self.calls.list::<Secret>(Identity::worker(fence), Some(namespace), &params).await {
            Ok(secrets) => {
                let mut records: Vec<_> =
                    secrets.into_iter().filter_map(|secret| record(secret, fence.store_id.release())).collect();
                records.sort_by_key(|record| record.revision);
                Ok(records)
            }
            Err(error) => Err(self.why(&fence.store_id, error).await),
        }
    }

    async fn remove_record(&self, fence: &Fence, record: &ReleaseRecord) -> Result<(), ClusterError> {
        let preconditions =
            Preconditions { uid: Some(record.uid.clone()), resource_version: Some(record.resource_version.clone()) };
        let namespace = Some(fence.store_id.namespace());
        let worker = Identity::worker(fence);
        match self.calls.delete::<Secret>(worker, namespace, &record.name, preconditions).await {
            Ok(()) => Ok(()),
            // Gone, or another one by now.
            Err(error) if error.has_code(404) || error.has_code(409) => Ok(()),
            Err(error) => match self.why(&fence.store_id, error).await {
                ClusterError::NamespaceGone => Ok(()),
                error => Err(error),
            },
        }
    }

    async fn missing(&self, fence: &Fence, objects: &[ObjectRef]) -> Result<Vec<ObjectRef>, ClusterError> {
        self.missing_objects(fence, objects).await
    }
}

/// A record of this release. What it is called is fixed for its life; its labels are not.
fn record(secret: Secret, release: &str) -> Option<ReleaseRecord> {
    let name = secret.metadata.name?;
    let revision = name.strip_prefix("sh.helm.release.v1.")?.strip_prefix(release)?.strip_prefix(".v")?.parse().ok()?;
    let labels = secret.metadata.labels.unwrap_or_default();
    let has = |key: &str, value: &str| labels.get(key).is_some_and(|found| found == value);
    Some(ReleaseRecord {
        name,
        revision,
        uid: secret.metadata.uid.unwrap_or_default(),
        resource_version: secret.metadata.resource_version.unwrap_or_default(),
        visible: has("owner", "helm") && has("name", release),
        payload: secret.data.unwrap_or_default().remove("release").map(|bytes| bytes.0).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(name: &str, labels: &serde_json::Value) -> Option<(u32, bool)> {
        let secret = json!({"metadata": {"name": name, "labels": labels}, "data": {"release": "eA=="}});
        record(serde_json::from_value(secret).unwrap(), "store-1a2b3c4d").map(|it| (it.revision, it.visible))
    }

    /// RELIABILITY F45: labels say nothing but whether helm sees the record.
    #[test]
    fn a_record_is_known_by_its_name() {
        let name = "sh.helm.release.v1.store-1a2b3c4d.v12";
        let labels = json!({"owner": "helm", "name": "store-1a2b3c4d", "version": "3", "status": "deployed"});

        assert_eq!(read(name, &labels), Some((12, true)));
        assert_eq!(read(name, &json!({"name": "store-1a2b3c4d"})), Some((12, false)));
        for other in ["sh.helm.release.v1.store-1a2b3c4d.vx", "sh.helm.release.v1.another.v1", "store-credentials"] {
            assert_eq!(read(other, &labels), None, "{other}");
        }
    }
}
