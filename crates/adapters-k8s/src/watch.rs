//! One shared watch per kind and cluster, not per store. It says *when* to look; what counts is then read from the cluster itself, so a
//! watch that lags or was cut never decides anything.

mod follow;
mod health;
mod index;

use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Namespace, PersistentVolume, PersistentVolumeClaim, Pod};
use kube::api::Api;
use kube::runtime::watcher;
use kube::{Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use shopwright_domain::StoreId;
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::follow::Follower;
use self::health::Health;
use self::index::Index;
use crate::names::STORE_ID;
use crate::rollout::StoreObjects;
use crate::stack::Throttle;

pub(crate) struct Watches {
    namespaces: Arc<Index<Namespace>>,
    deployments: Arc<Index<Deployment>>,
    stateful_sets: Arc<Index<StatefulSet>>,
    jobs: Arc<Index<Job>>,
    pods: Arc<Index<Pod>>,
    claims: Arc<Index<PersistentVolumeClaim>>,
    volumes: Arc<Index<PersistentVolume>>,
    changes: watch::Sender<u64>,
    /// Dropping the set ends the tasks.
    _tasks: JoinSet<()>,
}

impl Watches {
    pub(crate) fn start(client: &Client, throttle: &Throttle) -> Self {
        let mut start = Start {
            client: client.clone(),
            changes: watch::Sender::new(0),
            health: Health::default(),
            throttle: throttle.clone(),
            tasks: JoinSet::new(),
        };
        Self {
            namespaces: start.follow(true, |namespace: &Namespace| namespace.name_any()),
            deployments: start.follow(true, of_namespace),
            stateful_sets: start.follow(true, of_namespace),
            jobs: start.follow(true, of_namespace),
            pods: start.follow(true, of_namespace),
            claims: start.follow(true, of_namespace),
            // Volumes carry no label of ours; the claim that they were made for says whose they are.
            volumes: start.follow(false, |volume: &PersistentVolume| claimed_by(volume).unwrap_or_default().to_owned()),
            changes: start.changes,
            _tasks: start.tasks,
        }
    }

    /// Subscribe before looking, so that no change falls between the look and the wait.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// What is known of the store's objects; `None` while a watch is not sure to be up to date.
    pub(crate) fn objects(&self, store_id: &StoreId) -> Option<StoreObjects> {
        let namespace = store_id.namespace();
        Some(StoreObjects {
            store_id: store_id.clone(),
            deployments: self.deployments.within(namespace)?,
            stateful_sets: self.stateful_sets.within(namespace)?,
            jobs: self.jobs.within(namespace)?,
            pods: self.pods.within(namespace)?,
            claims: self.claims.within(namespace)?,
            events: Vec::new(),
        })
    }

    /// Whether the namespace is known and stays; `None` while the watch is not sure.
    pub(crate) fn has_namespace(&self, store_id: &StoreId) -> Option<bool> {
        let known = self.namespaces.within(store_id.namespace())?;
        Some(known.iter().any(|namespace| namespace.metadata.deletion_timestamp.is_none()))
    }

    /// Whether anything of the store is left; `None` while a watch is not sure.
    pub(crate) fn has_remains(&self, store_id: &StoreId) -> Option<bool> {
        let namespaces = self.namespaces.within(store_id.namespace())?;
        let volumes = self.volumes.within(store_id.namespace())?;
        Some(!namespaces.is_empty() || volumes.iter().any(|volume| is_deleted_with_claim(volume)))
    }
}

/// The namespace of the claim that the volume was made for.
pub(crate) fn claimed_by(volume: &PersistentVolume) -> Option<&str> {
    volume.spec.as_ref()?.claim_ref.as_ref()?.namespace.as_deref()
}

/// Whether the volume goes when its claim goes (DECISIONS 16).
pub(crate) fn is_deleted_with_claim(volume: &PersistentVolume) -> bool {
    let policy = volume.spec.as_ref().and_then(|spec| spec.persistent_volume_reclaim_policy.as_deref());
    // Statically made volumes default to Retain.
    policy == Some("Delete")
}

fn of_namespace<K: ResourceExt>(object: &K) -> String {
    object.namespace().unwrap_or_default()
}

/// What all watches of a cluster share.
struct Start {
    client: Client,
    changes: watch::Sender<u64>,
    health: Health,
    throttle: Throttle,
    tasks: JoinSet<()>,
}

impl Start {
    fn follow<K>(&mut self, labelled: bool, namespace: fn(&K) -> String) -> Arc<Index<K>>
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug + Send + Sync + 'static,
    {
        let index = Arc::new(Index::new(namespace));
        let config = watcher::Config::default().any_semantic();
        let config = if labelled { config.labels(STORE_ID) } else { config };
        let follower = Follower {
            index: Arc::clone(&index),
            changes: self.changes.clone(),
            health: self.health.clone(),
            throttle: self.throttle.clone(),
        };
        self.tasks.spawn(follower.follow(Api::<K>::all(self.client.clone()), config));
        index
    }
}

#[cfg(test)]
mod tests;
