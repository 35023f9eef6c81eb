//! The cluster as an administrator sees it: for looking, and for what people do by hand.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, Node, PersistentVolume, PersistentVolumeClaim, Secret};
use k8s_openapi::api::networking::v1::Ingress;
use kube::api::{DeleteParams, ListParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::wait::await_condition;
use kube::{Api, Client, Config, ResourceExt};

/// What there is of stores in a cluster, by name.
pub type Inventory = BTreeSet<String>;

/// A cluster, seen by an administrator.
#[derive(Clone)]
pub struct TestCluster {
    client: Client,
}

impl std::fmt::Debug for TestCluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestCluster").finish_non_exhaustive()
    }
}

impl TestCluster {
    /// Connects.
    ///
    /// # Errors
    /// When the kubeconfig cannot be read.
    pub async fn connect(kubeconfig: &Path) -> anyhow::Result<Self> {
        shopwright_app::crypto::install_crypto();
        let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        Ok(Self { client: Client::try_from(config)? })
    }

    /// The administrator's client.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Every object that a store could leave behind.
    ///
    /// # Errors
    /// The cluster's own.
    pub async fn inventory(&self) -> anyhow::Result<Inventory> {
        let all = ListParams::default();
        let mut found = Inventory::new();
        for namespace in Api::<Namespace>::all(self.client()).list(&all).await? {
            found.insert(format!("namespace {} {}", namespace.name_any(), namespace.uid().unwrap_or_default()));
        }
        for volume in Api::<PersistentVolume>::all(self.client()).list(&all).await? {
            found.insert(format!("volume {}", volume.name_any()));
        }
        for claim in Api::<PersistentVolumeClaim>::all(self.client()).list(&all).await? {
            found.insert(format!("claim {}/{}", claim.namespace().unwrap_or_default(), claim.name_any()));
        }
        for ingress in Api::<Ingress>::all(self.client()).list(&all).await? {
            found.insert(format!("ingress {}/{}", ingress.namespace().unwrap_or_default(), ingress.name_any()));
        }
        for record in Api::<Secret>::all(self.client()).list(&ListParams::default().labels("owner=helm")).await? {
            found.insert(format!("record {}/{}", record.namespace().unwrap_or_default(), record.name_any()));
        }
        Ok(found)
    }

    /// The uid of a store's namespace.
    ///
    /// # Errors
    /// The cluster's own.
    pub async fn namespace_uid(&self, id: &str) -> anyhow::Result<Option<String>> {
        Ok(Api::<Namespace>::all(self.client()).get_opt(id).await?.and_then(|namespace| namespace.uid()))
    }

    /// Waits until the cluster takes a node for ready, or does not.
    ///
    /// # Errors
    /// When that is not so in time.
    pub async fn until_node_is(&self, name: &str, ready: bool) -> anyhow::Result<()> {
        let is_so = |node: Option<&Node>| {
            let conditions = node.and_then(|node| node.status.as_ref()?.conditions.as_ref()).into_iter().flatten();
            conditions.filter(|it| it.type_ == "Ready").any(|it| (it.status == "True") == ready)
        };
        let seen = await_condition(Api::<Node>::all(self.client()), name, is_so);
        tokio::time::timeout(Duration::from_mins(2), seen).await??;
        Ok(())
    }

    /// `kubectl delete namespace`, without waiting.
    ///
    /// # Errors
    /// The cluster's own.
    pub async fn delete_namespace(&self, id: &str) -> anyhow::Result<()> {
        Api::<Namespace>::all(self.client()).delete(id, &DeleteParams::default()).await?;
        Ok(())
    }

    /// One entry of the store's credentials, as the pods read it.
    ///
    /// # Errors
    /// The cluster's own, or when there is no such entry.
    pub async fn credential(&self, id: &str, key: &str) -> anyhow::Result<String> {
        let secret = Api::<Secret>::namespaced(self.client(), id).get("store-credentials").await?;
        let value = secret.data.and_then(|mut data| data.remove(key)).ok_or_else(|| anyhow::anyhow!("no {key}"))?;
        Ok(String::from_utf8(value.0)?)
    }

    /// How many helm records the store has.
    ///
    /// # Errors
    /// The cluster's own.
    pub async fn records(&self, id: &str) -> anyhow::Result<usize> {
        let list =
            Api::<Secret>::namespaced(self.client(), id).list(&ListParams::default().labels("owner=helm")).await?;
        Ok(list.items.len())
    }
}
