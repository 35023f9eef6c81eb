//! Everything in a namespace that tells how a store is doing.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, PersistentVolumeClaim, Pod};
use kube::ResourceExt;
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
        let (jobs, pods) = without_scheduled(jobs, pods);
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

/// Leaves out what a schedule has begun: a run of an engine's chores in the middle of a set-up is not the set-up, and its failing is no reason
/// why the store does not come up.
fn without_scheduled(jobs: Vec<Job>, pods: Vec<Pod>) -> (Vec<Job>, Vec<Pod>) {
    let is_scheduled = |job: &Job| job.owner_references().iter().any(|owner| owner.kind == "CronJob");
    let (scheduled, jobs): (Vec<_>, Vec<_>) = jobs.into_iter().partition(is_scheduled);
    let chores: Vec<_> = scheduled.iter().filter_map(ResourceExt::uid).collect();
    let is_ours = |pod: &Pod| !pod.owner_references().iter().any(|owner| chores.contains(&owner.uid));
    (jobs, pods.into_iter().filter(is_ours).collect())
}

fn shared<K>(objects: Vec<K>) -> Vec<Arc<K>> {
    objects.into_iter().map(Arc::new).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn owned_by(name: &str, kind: &str, uid: &str) -> Value {
        let owner = json!({"apiVersion": "batch/v1", "kind": kind, "name": "owner", "uid": uid});
        json!({"metadata": {"name": name, "uid": name, "ownerReferences": [owner]}})
    }

    #[test]
    fn what_a_schedule_has_begun_is_not_the_set_up() {
        let setup = json!({"metadata": {"name": "setup-1", "uid": "setup-1"}});
        let jobs = vec![setup, owned_by("cron-29927826", "CronJob", "cron")];
        let pods = vec![
            owned_by("setup-1-x", "Job", "setup-1"),
            owned_by("cron-29927826-x", "Job", "cron-29927826"),
            owned_by("web-1", "ReplicaSet", "web"),
            json!({"metadata": {"name": "alone"}}),
        ];
        let jobs = jobs.into_iter().map(|job| from_value(job).unwrap()).collect();
        let pods = pods.into_iter().map(|pod| from_value(pod).unwrap()).collect();

        let (jobs, pods) = without_scheduled(jobs, pods);

        assert_eq!(jobs.iter().map(Job::name_any).collect::<Vec<_>>(), ["setup-1"]);
        assert_eq!(pods.iter().map(Pod::name_any).collect::<Vec<_>>(), ["setup-1-x", "web-1", "alone"]);
    }
}
