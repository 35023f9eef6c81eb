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
        Ok(self.access.of_worker(fence.epoch))
    }

    async fn records(&self, fence: &Fence) -> Result<Vec<ReleaseRecord>, ClusterError> {
        let namespace = fence.store_id.namespace();
        let params = ListParams::default()
            .labels(&format!("owner=helm,name={}", fence.store_id.release()))
            .fields("type=helm.sh/release.v1");
        match self.calls.list::<Secret>(Identity::Worker(fence.epoch), Some(namespace), &params).await {
            Ok(secrets) => {
                let mut records: Vec<_> = secrets.into_iter().map(record).collect();
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
        let worker = Identity::Worker(fence.epoch);
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

fn record(secret: Secret) -> ReleaseRecord {
    let labels = secret.metadata.labels.unwrap_or_default();
    ReleaseRecord {
        name: secret.metadata.name.unwrap_or_default(),
        // A label that was lost sorts first: it is the oldest or a damaged one.
        revision: labels.get("version").and_then(|version| version.parse().ok()).unwrap_or_default(),
        uid: secret.metadata.uid.unwrap_or_default(),
        resource_version: secret.metadata.resource_version.unwrap_or_default(),
        payload: secret.data.unwrap_or_default().remove("release").map(|bytes| bytes.0).unwrap_or_default(),
    }
}
