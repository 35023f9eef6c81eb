//! The Secret that the charts read, written by the worker: a stale owner cannot overwrite what a later one wrote.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use shopwright_ports::cluster::{ClusterError, Fence};
use shopwright_ports::secrets::StoreCredentials;

use crate::KubeCluster;
use crate::calls::Identity;
use crate::names::{CREDENTIALS, INSTANCE, MANAGED_BY, MANAGER, STORE_ID};

impl KubeCluster {
    pub(crate) async fn write_credentials(
        &self,
        fence: &Fence,
        credentials: &StoreCredentials,
    ) -> Result<(), ClusterError> {
        let store_id = &fence.store_id;
        let labels = [(MANAGED_BY, MANAGER), (INSTANCE, store_id.as_str()), (STORE_ID, store_id.as_str())];
        let entries = credentials.entries().into_iter();
        let entries = entries.map(|(key, value)| (key.to_owned(), ByteString(value.as_bytes().to_vec())));
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some(CREDENTIALS.to_owned()),
                namespace: Some(store_id.namespace().to_owned()),
                labels: Some(BTreeMap::from(labels.map(|(key, value)| (key.to_owned(), value.to_owned())))),
                ..ObjectMeta::default()
            },
            // Not `stringData`: applied, it leaves behind what an earlier write had and this one has not.
            data: Some(entries.collect()),
            type_: Some("Opaque".to_owned()),
            ..Secret::default()
        };
        let worker = Identity::worker(fence);
        match self.calls.apply(worker, Some(store_id.namespace()), CREDENTIALS, &secret).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.why(store_id, error).await),
        }
    }
}
