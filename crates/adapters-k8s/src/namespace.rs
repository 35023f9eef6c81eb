//! The store's namespace: made, taken over, asked to go. All of it is done by Base, and every write names the version that was read, so
//! that two owners can never both succeed (DECISIONS 1).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::{RoleBinding, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::params::{ListParams, Preconditions};
use serde_json::{Value, json};
use shopwright_domain::store::EngineName;
use shopwright_domain::{Epoch, StoreId};
use shopwright_ports::cluster::{ClusterError, Fence, NamespaceState, StoreNamespace};

use crate::KubeCluster;
use crate::calls::Identity;
use crate::names::{CLUSTER, ENGINE, EPOCH, MANAGED_BY, MANAGER, POD_SECURITY, STORE_ID, STORE_WORKER, WORKER_GROUP};

/// How often a read is repeated because somebody else was faster. Whoever writes that often is at war with us.
const ROUNDS: usize = 8;

/// A namespace of the store, as it was read.
pub(crate) struct Found {
    uid: String,
    version: String,
    labels: BTreeMap<String, String>,
    pub(crate) epoch: Epoch,
    pub(crate) terminating: bool,
}

impl Found {
    /// # Errors
    /// [`ClusterError::Foreign`] unless the label says that it is this store's.
    fn of(store_id: &StoreId, metadata: &ObjectMeta) -> Result<Self, ClusterError> {
        let labels = metadata.labels.clone().unwrap_or_default();
        match labels.get(STORE_ID) {
            Some(owner) if owner == store_id.as_str() => {}
            Some(owner) => return Err(ClusterError::Foreign(format!("its label {STORE_ID} says {owner}"))),
            None => return Err(ClusterError::Foreign(format!("it has no label {STORE_ID}"))),
        }
        let annotation = metadata.annotations.as_ref().and_then(|annotations| annotations.get(EPOCH));
        Ok(Self {
            uid: metadata.uid.clone().unwrap_or_default(),
            version: metadata.resource_version.clone().unwrap_or_default(),
            epoch: Epoch(annotation.and_then(|text| text.parse().ok()).unwrap_or_default()),
            terminating: metadata.deletion_timestamp.is_some(),
            labels,
        })
    }

    fn preconditions(&self) -> Preconditions {
        Preconditions { uid: Some(self.uid.clone()), resource_version: Some(self.version.clone()) }
    }

    fn refuse_stale(&self, fence: &Fence) -> Result<(), ClusterError> {
        if fence.epoch < self.epoch { Err(ClusterError::StaleEpoch { known: Some(self.epoch) }) } else { Ok(()) }
    }

    /// The epoch that must no longer be let through once `fence` is raised: the one that was there, or the one before ours when ours is
    /// there already (an earlier try of the same claim may have ended between raising and looking).
    fn superseded(&self, fence: &Fence) -> Option<Epoch> {
        let older = if self.epoch < fence.epoch { self.epoch } else { Epoch(fence.epoch.0 - 1) };
        (older.0 > 0).then_some(older)
    }

    /// What must change for the namespace to be as it should be, or `None`.
    fn patch(&self, fence: &Fence, labels: Option<&BTreeMap<String, String>>) -> Option<Value> {
        let wrong_label = |(key, value): (&String, &String)| self.labels.get(key) != Some(value);
        let labels = labels.filter(|wanted| wanted.iter().any(wrong_label));
        if self.epoch == fence.epoch && labels.is_none() {
            return None;
        }
        let mut metadata = json!({
            "uid": self.uid,
            "resourceVersion": self.version,
            "annotations": {EPOCH: fence.epoch.to_string()},
        });
        if let Some(labels) = labels {
            metadata["labels"] = json!(labels);
        }
        Some(json!({"metadata": metadata}))
    }
}

impl KubeCluster {
    /// The store's namespace from the cluster's storage.
    pub(crate) async fn read_namespace(&self, store_id: &StoreId) -> Result<Option<Found>, ClusterError> {
        let namespace = self.calls.get::<Namespace>(None, store_id.namespace()).await?;
        namespace.map(|namespace| Found::of(store_id, &namespace.metadata)).transpose()
    }

    /// Every store's namespace from the cluster's storage: names, labels and annotations are all that is asked for.
    pub(crate) async fn read_namespaces(&self) -> Result<Vec<StoreNamespace>, ClusterError> {
        let ours = ListParams::default().labels(&format!("{STORE_ID},{MANAGED_BY}={MANAGER}"));
        let namespaces = self.calls.list_metadata::<Namespace>(None, &ours).await?;
        let listed = namespaces.iter().filter_map(|metadata| {
            let store_id = metadata.name.as_deref()?.parse().ok()?;
            // One whose label names another store is nobody's.
            let found = Found::of(&store_id, metadata).ok()?;
            let Found { uid, version, epoch, terminating, .. } = found;
            Some(StoreNamespace { store_id, epoch, uid, version, terminating })
        });
        Ok(listed.collect())
    }

    /// Removes the namespace if it is still the one that was listed.
    pub(crate) async fn remove_version(&self, stray: &StoreNamespace) -> Result<(), ClusterError> {
        let preconditions =
            Preconditions { uid: Some(stray.uid.clone()), resource_version: Some(stray.version.clone()) };
        let name = stray.store_id.namespace();
        match self.calls.delete::<Namespace>(Identity::Base, None, name, preconditions).await {
            Err(error) if !error.has_code(404) && !error.has_code(409) => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    pub(crate) async fn make_namespace(&self, fence: &Fence, engine: &EngineName) -> Result<(), ClusterError> {
        let labels = self.labels(&fence.store_id, engine);
        for _ in 0..ROUNDS {
            let superseded = match self.read_namespace(&fence.store_id).await? {
                None => {
                    let namespace = Namespace {
                        metadata: ObjectMeta {
                            name: Some(fence.store_id.namespace().to_owned()),
                            labels: Some(labels.clone()),
                            annotations: Some(BTreeMap::from([(EPOCH.to_owned(), fence.epoch.to_string())])),
                            ..ObjectMeta::default()
                        },
                        ..Namespace::default()
                    };
                    match self.calls.create(Identity::Base, None, &namespace, false).await {
                        Ok(()) => None,
                        // Somebody was faster, perhaps our own request whose answer was lost.
                        Err(error) if error.has_code(409) => continue,
                        Err(error) => return Err(error.into()),
                    }
                }
                Some(found) => {
                    found.refuse_stale(fence)?;
                    if found.terminating {
                        return Err(ClusterError::Terminating);
                    }
                    if !self.update(&found, fence, Some(&labels)).await? {
                        continue;
                    }
                    found.superseded(fence)
                }
            };
            self.give_rights(&fence.store_id).await?;
            return self.await_fence(fence, superseded).await;
        }
        Err(contested())
    }

    pub(crate) async fn raise(&self, fence: &Fence) -> Result<NamespaceState, ClusterError> {
        for _ in 0..ROUNDS {
            let Some(found) = self.read_namespace(&fence.store_id).await? else {
                return Ok(NamespaceState::Absent);
            };
            found.refuse_stale(fence)?;
            if !self.update(&found, fence, None).await? {
                continue;
            }
            if found.terminating {
                // Nothing can be made in it any more, not even for a look at the fence.
                return Ok(NamespaceState::Terminating);
            }
            // An owner that died right after it made the namespace has not given them.
            self.give_rights(&fence.store_id).await?;
            self.await_fence(fence, found.superseded(fence)).await?;
            return Ok(NamespaceState::Present);
        }
        Err(contested())
    }

    pub(crate) async fn remove_namespace(&self, fence: &Fence) -> Result<(), ClusterError> {
        for _ in 0..ROUNDS {
            let Some(found) = self.read_namespace(&fence.store_id).await? else { return Ok(()) };
            found.refuse_stale(fence)?;
            if found.terminating {
                return Ok(());
            }
            let name = fence.store_id.namespace();
            match self.calls.delete::<Namespace>(Identity::Base, None, name, found.preconditions()).await {
                Ok(()) => return Ok(()),
                Err(error) if error.has_code(404) => return Ok(()),
                Err(error) if error.has_code(409) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(contested())
    }

    /// Whether the write went to the version that was read; else it must be read again.
    async fn update(
        &self,
        found: &Found,
        fence: &Fence,
        labels: Option<&BTreeMap<String, String>>,
    ) -> Result<bool, ClusterError> {
        let Some(patch) = found.patch(fence, labels) else { return Ok(true) };
        match self.calls.merge::<Namespace>(fence.store_id.namespace(), &patch, false).await {
            Ok(()) => Ok(true),
            Err(error) if error.has_code(409) || error.has_code(404) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Binds the worker to its role in this namespace; only here may it read secrets.
    async fn give_rights(&self, store_id: &StoreId) -> Result<(), ClusterError> {
        let binding = RoleBinding {
            metadata: ObjectMeta {
                name: Some(STORE_WORKER.to_owned()),
                namespace: Some(store_id.namespace().to_owned()),
                labels: Some(BTreeMap::from([
                    (MANAGED_BY.to_owned(), MANAGER.to_owned()),
                    (STORE_ID.to_owned(), store_id.to_string()),
                ])),
                ..ObjectMeta::default()
            },
            role_ref: RoleRef {
                api_group: Some("rbac.authorization.k8s.io".to_owned()),
                kind: "ClusterRole".to_owned(),
                name: STORE_WORKER.to_owned(),
            },
            subjects: Some(vec![Subject {
                api_group: Some("rbac.authorization.k8s.io".to_owned()),
                kind: "Group".to_owned(),
                name: WORKER_GROUP.to_owned(),
                ..Subject::default()
            }]),
        };
        Ok(self.calls.apply(Identity::Base, Some(store_id.namespace()), STORE_WORKER, &binding).await?)
    }

    fn labels(&self, store_id: &StoreId, engine: &EngineName) -> BTreeMap<String, String> {
        let own = [
            (MANAGED_BY, MANAGER),
            (STORE_ID, store_id.as_str()),
            (ENGINE, engine.as_str()),
            (CLUSTER, self.settings.cluster.as_str()),
        ];
        own.into_iter().chain(POD_SECURITY).map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }
}

fn contested() -> ClusterError {
    ClusterError::Rejected("the namespace is being changed by somebody else all the time".to_owned())
}

#[cfg(test)]
mod tests;
