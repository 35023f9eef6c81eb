//! Everything in a namespace that tells how a store is doing.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, PersistentVolumeClaim, Pod};
use kube::core::params::ListParams;
use shopwright_domain::StoreId;
use shopwright_ports::cluster::ClusterError;

use crate::KubeCluster;
use crate::calls::{CallError, Identity};
use crate::names::STORE_ID;

#[derive(Debug, Clone)]
pub(crate) struct StoreObjects {
    pub(crate) store_id: StoreId,
    pub(crate) deployments: Vec<Arc<Deployment>>,
    pub(crate) stateful_sets: Vec<Arc<StatefulSet>>,
    pub(crate) jobs: Vec<Arc<Job>>,
    pub(crate) pods: Vec<Arc<Pod>>,
    pub(crate) claims: Vec<Arc<PersistentVolumeClaim>>,
    /// What controllers complained about; only read when something does not come into being.
    pub(crate) events: Vec<Event>,
}

impl KubeCluster {
    /// Reads them from the cluster's storage.
    pub(super) async fn read_objects(&self, store_id: &StoreId) -> Result<StoreObjects, ClusterError> {
        let namespace = Some(store_id.namespace());
        let params = ListParams::default().labels(STORE_ID);
        let calls = &self.calls;
        let (deployments, stateful_sets, jobs, pods, claims) = tokio::try_join!(
            calls.list::<Deployment>(Identity::Base, namespace, &params),
            calls.list::<StatefulSet>(Identity::Base, namespace, &params),
            calls.list::<Job>(Identity::Base, namespace, &params),
            calls.list::<Pod>(Identity::Base, namespace, &params),
            calls.list::<PersistentVolumeClaim>(Identity::Base, namespace, &params),
        )?;
        Ok(StoreObjects {
            store_id: store_id.clone(),
            deployments: shared(deployments),
            stateful_sets: shared(stateful_sets),
            jobs: shared(jobs),
            pods: shared(pods),
            claims: shared(claims),
            events: Vec::new(),
        })
    }

    /// The namespace's warnings.
    pub(super) async fn read_warnings(&self, store_id: &StoreId) -> Result<Vec<Event>, CallError> {
        let params = ListParams::default().fields("type=Warning");
        self.calls.list::<Event>(Identity::Base, Some(store_id.namespace()), &params).await
    }
}

fn shared<K>(objects: Vec<K>) -> Vec<Arc<K>> {
    objects.into_iter().map(Arc::new).collect()
}
