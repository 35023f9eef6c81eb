//! The Cluster port on Kubernetes, by kube-rs.
//!
//! [`KubeCluster`] is one cluster as the product's own service account sees it; [`prepare`] is what an administrator runs once before.
//! What always holds: nothing is repeated here (retry and breaker are the caller's), every request has a limit in time, everything inside
//! a store's namespace is done as the impersonated worker that carries the claim's epoch, and every change to a namespace itself names
//! the very version that was read.
//!
//! The watches run as tasks of the tokio runtime that [`KubeCluster::connect`] is called on, and end when the last clone is dropped.

mod calls;
mod credentials;
mod embed;
mod errors;
mod fence;
mod kubeconfig;
mod names;
mod namespace;
pub mod prepare;
mod release_access;
mod removal;
mod rollout;
#[cfg(test)]
mod scripted;
mod settings;
mod stack;
mod verify;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Request;
use shopwright_domain::StoreId;
use shopwright_domain::engine::Readiness;
use shopwright_domain::operation::SetupStep;
use shopwright_domain::store::EngineName;
use shopwright_ports::cluster::{Cluster, ClusterError, Fence, NamespaceState, Removal, Rollout, StoreNamespace};
use shopwright_ports::secrets::StoreCredentials;

use crate::calls::{CallError, Calls, Identity};
use crate::kubeconfig::Access;
pub use crate::names::FENCE_REFUSAL;
use crate::removal::Removals;
pub use crate::settings::{ConnectError, KubeSettings, KubeSource};
pub use crate::verify::FenceError;
use crate::watch::Watches;

/// One Kubernetes cluster. Clones share everything.
#[derive(Clone)]
pub struct KubeCluster {
    calls: Calls,
    access: Access,
    settings: Arc<KubeSettings>,
    server: Arc<str>,
    watches: Arc<Watches>,
    removals: Arc<Removals>,
}

impl std::fmt::Debug for KubeCluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KubeCluster")
            .field("server", &self.server)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl KubeCluster {
    /// Reads the settings' files and begins to watch. It does not wait for an answer: a cluster that is down at start is used when it is up.
    ///
    /// # Errors
    /// [`ConnectError`] for everything that waiting does not mend.
    pub async fn connect(settings: KubeSettings) -> Result<Self, ConnectError> {
        let connection = settings.connect().await?;
        Ok(Self {
            watches: Arc::new(Watches::start(&connection.calls.client(), &connection.throttle)),
            calls: connection.calls,
            access: connection.access,
            settings: Arc::new(settings),
            server: connection.server.into(),
            removals: Arc::default(),
        })
    }

    /// The cluster's address, for messages.
    pub fn server(&self) -> &str {
        &self.server
    }
}

#[async_trait]
impl Cluster for KubeCluster {
    async fn check(&self) -> Result<(), ClusterError> {
        // It looks at etcd, too.
        let request = Request::get("/readyz").body(Vec::new());
        let request = request.map_err(|error| ClusterError::Rejected(error.to_string()))?;
        Ok(self.calls.send_unread(Identity::Base, request).await?)
    }

    async fn verify_fence(&self) -> Result<(), ClusterError> {
        self.verify().await.map_err(|error| match error {
            FenceError::Unknown(error) => error,
            error @ (FenceError::Open(_) | FenceError::Closed { .. }) => ClusterError::Unfenced(error.to_string()),
        })
    }

    async fn list_namespaces(&self) -> Result<Vec<StoreNamespace>, ClusterError> {
        self.read_namespaces().await
    }

    async fn remove_stray(&self, stray: &StoreNamespace) -> Result<(), ClusterError> {
        self.remove_version(stray).await
    }

    async fn ensure_namespace(&self, fence: &Fence, engine: &EngineName) -> Result<(), ClusterError> {
        self.make_namespace(fence, engine).await
    }

    async fn raise_epoch(&self, fence: &Fence) -> Result<NamespaceState, ClusterError> {
        self.raise(fence).await
    }

    async fn put_credentials(&self, fence: &Fence, credentials: &StoreCredentials) -> Result<(), ClusterError> {
        self.write_credentials(fence, credentials).await
    }

    async fn await_workloads(
        &self,
        store_id: &StoreId,
        wanted: &Readiness,
        limit: Duration,
    ) -> Result<Rollout, ClusterError> {
        self.watch_rollout(store_id, wanted, limit).await
    }

    async fn setup_progress(&self, fence: &Fence) -> Vec<SetupStep> {
        self.read_setup_progress(fence).await
    }

    async fn delete_namespace(&self, fence: &Fence) -> Result<(), ClusterError> {
        self.remove_namespace(fence).await
    }

    async fn await_gone(&self, store_id: &StoreId, limit: Duration) -> Result<Removal, ClusterError> {
        self.watch_removal(store_id, limit).await
    }
}

impl KubeCluster {
    /// Turns a worker's failed request into its reason. Without a namespace the worker has no rights there, so the apiserver says
    /// "forbidden" before it looks for anything: absence is told apart here.
    async fn why(&self, store_id: &StoreId, error: CallError) -> ClusterError {
        let error = ClusterError::from(error);
        if !matches!(error, ClusterError::Denied(_) | ClusterError::StaleEpoch { .. }) {
            return error;
        }
        match self.read_namespace(store_id).await {
            Ok(None) => ClusterError::NamespaceGone,
            Ok(Some(found)) if found.terminating && matches!(error, ClusterError::Denied(_)) => {
                ClusterError::Terminating
            }
            Ok(Some(_)) | Err(_) => error,
        }
    }
}

#[cfg(test)]
use crate::stack::Throttle;

#[cfg(test)]
impl KubeCluster {
    /// A cluster behind a mocked apiserver, whose watches see nothing.
    fn mocked(calls: Calls) -> Self {
        let (nobody, _) = tower_test::mock::pair::<Request<kube::client::Body>, http::Response<kube::client::Body>>();
        Self {
            watches: Arc::new(Watches::start(&kube::Client::new(nobody, "default"), &Throttle::default())),
            calls,
            access: Access::in_cluster(&kube::Config::new(http::Uri::from_static("https://mocked.test"))),
            settings: Arc::new(KubeSettings::new(KubeSource::InCluster)),
            server: "https://mocked.test".into(),
            removals: Arc::default(),
        }
    }
}
