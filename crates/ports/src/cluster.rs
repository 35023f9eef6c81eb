//! A Kubernetes cluster, as far as a store's life needs it.
//!
//! Every call that changes something carries a [`Fence`]: the store and the epoch of the claim under which it is made. A cluster that
//! knows a later epoch of the store refuses it with [`ClusterError::StaleEpoch`]. All methods are idempotent.

use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use shopwright_domain::engine::Readiness;
use shopwright_domain::error_code::ErrorCode;
use shopwright_domain::operation::SetupStep;
use shopwright_domain::saga::StepError;
use shopwright_domain::store::{EngineName, Failure};
use shopwright_domain::{Epoch, StoreId};

use crate::Source;
use crate::secrets::StoreCredentials;

/// In whose name a change is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// The store; its namespace is the only one that may be touched.
    pub store_id: StoreId,
    /// The epoch of the claim.
    pub epoch: Epoch,
}

/// Whether the store has a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamespaceState {
    /// It has one, and its epoch is now the fence's.
    Present,
    /// It has none.
    Absent,
    /// It is going away.
    Terminating,
}

/// A namespace that carries our labels, as it was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreNamespace {
    /// The store that its label names; also its name.
    pub store_id: StoreId,
    /// The epoch that it carries.
    pub epoch: Epoch,
    /// Which object: another namespace of the same name has another one.
    pub uid: String,
    /// Which version of it.
    pub version: String,
    /// Whether it is going away.
    pub terminating: bool,
}

/// What the store's set-up Job wrote when it succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SetupResult {
    /// The engine's version.
    pub version: Option<String>,
    /// What the owner must know, for instance that the store cannot take orders.
    pub note: Option<String>,
    /// What it did, in its order.
    pub steps: Vec<SetupStep>,
}

/// How the workloads of a store are doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rollout {
    /// All are ready and the set-up has succeeded.
    Ready(SetupResult),
    /// Not yet, for the best reason that can be seen.
    Pending(Failure),
    /// They will not become ready without a change.
    Failed(Failure),
}

/// How the removal of a namespace is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// Namespace and volumes are gone. Volumes that their reclaim policy keeps are named.
    Gone {
        /// Persistent volumes that stay because they are to be retained.
        retained: Vec<String>,
    },
    /// It goes on.
    InProgress,
    /// Something does not go away: what, and why.
    Blocked(String),
}

/// Why a call did not work out.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No answer: connection, timeout or a 5xx. The only kind that a circuit breaker counts.
    #[error("the cluster does not answer: {detail}")]
    Unreachable {
        /// What was tried and how it ended, without addresses of credentials.
        detail: String,
        /// The driver's error.
        #[source]
        source: Option<Source>,
    },
    /// The cluster asks for fewer requests.
    #[error("the cluster asks for fewer requests")]
    Throttled {
        /// When to come back, if it said so.
        retry_after: Option<Duration>,
    },
    /// The product's service account may not do this.
    #[error("the service account lacks a right: {0}")]
    Denied(String),
    /// A later epoch holds the store, or this one is not known to the admission policy yet.
    #[error("the store's epoch in the cluster is not this claim's")]
    StaleEpoch {
        /// The later epoch, when the namespace itself said so.
        known: Option<Epoch>,
    },
    /// The cluster would not refuse a stale owner: its policies are missing or do not work. Nothing may be changed in it.
    #[error("the cluster's fence is open: {0}")]
    Unfenced(String),
    /// The namespace is going away.
    #[error("the namespace is terminating")]
    Terminating,
    /// The namespace is not there.
    #[error("the namespace is gone")]
    NamespaceGone,
    /// The namespace exists and is not this store's: its owner label says otherwise.
    #[error("the namespace belongs to somebody else: {0}")]
    Foreign(String),
    /// The namespace's quota refuses the object.
    #[error("quota: {0}")]
    Quota(String),
    /// An admission policy or webhook of the cluster, none of ours, does not want the object: in its own words, which name it.
    #[error("refused by a policy of the cluster: {0}")]
    Policy(String),
    /// The cluster refuses the object for what it is.
    #[error("refused: {0}")]
    Rejected(String),
}

impl ClusterError {
    /// Whether it is the cluster that is ill, rather than the request.
    pub const fn is_outage(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

impl From<ClusterError> for StepError {
    fn from(error: ClusterError) -> Self {
        let code = match &error {
            ClusterError::Unreachable { .. } => ErrorCode::ClusterUnreachable,
            ClusterError::Throttled { .. } => ErrorCode::Throttled,
            ClusterError::Denied(_) => ErrorCode::PermissionDenied,
            ClusterError::StaleEpoch { .. } => ErrorCode::StaleEpoch,
            ClusterError::Unfenced(_) => ErrorCode::ClusterUnfenced,
            ClusterError::Terminating => ErrorCode::NamespaceTerminating,
            ClusterError::NamespaceGone => ErrorCode::NamespaceLost,
            ClusterError::Quota(_) => ErrorCode::QuotaExceeded,
            ClusterError::Policy(_) => ErrorCode::PolicyDenied,
            ClusterError::Foreign(_) | ClusterError::Rejected(_) => ErrorCode::Internal,
        };
        let step_error = Self::new(code, error.to_string());
        match error {
            ClusterError::Throttled { retry_after: Some(delay) } => {
                step_error.retry_after(SignedDuration::try_from(delay).unwrap_or(SignedDuration::from_secs(30)))
            }
            _ => step_error,
        }
    }
}

/// One Kubernetes cluster.
#[async_trait]
pub trait Cluster: Send + Sync {
    /// Whether it answers; one cheap request.
    async fn check(&self) -> Result<(), ClusterError>;

    /// Whether the fence holds, tried with changes that must be refused; nothing is changed. [`ClusterError::Unfenced`] when one passes or
    /// a policy is missing: no operation may run on such a cluster (DECISIONS 5, RELIABILITY S51).
    async fn verify_fence(&self) -> Result<(), ClusterError>;

    /// Every namespace that carries our labels, by a read that is not stale.
    async fn list_namespaces(&self) -> Result<Vec<StoreNamespace>, ClusterError>;

    /// Asks for this very namespace to be removed: one of another uid or version is left alone, which is success.
    async fn remove_stray(&self, stray: &StoreNamespace) -> Result<(), ClusterError>;

    /// Makes the store's namespace as it should be: labels, Pod Security level, the fence's epoch, the worker's rights in it.
    /// An existing one of the same store is brought up to date; [`ClusterError::Terminating`] while an older one goes away.
    async fn ensure_namespace(&self, fence: &Fence, engine: &EngineName) -> Result<(), ClusterError>;

    /// Writes the fence's epoch to the namespace, if there is one, and returns once the fence holds: before the first change that a
    /// claim makes (DECISIONS 5, 6).
    async fn raise_epoch(&self, fence: &Fence) -> Result<NamespaceState, ClusterError>;

    /// Writes the credentials into the namespace's Secret, byte for byte.
    async fn put_credentials(&self, fence: &Fence, credentials: &StoreCredentials) -> Result<(), ClusterError>;

    /// Waits for the workloads of the store, at most `limit`, and says how they are doing. Returns early when they are ready or failed.
    /// `wanted` says what must be there at least, so that a release that is not complete yet is not taken for one that is ready.
    async fn await_workloads(
        &self,
        store_id: &StoreId,
        wanted: &Readiness,
        limit: Duration,
    ) -> Result<Rollout, ClusterError>;

    /// What the set-up that runs just now says to have done so far, in its order; nothing when none runs or it cannot be told. For readers
    /// alone: it decides nothing, takes some seconds at most, and says nothing about how the cluster is.
    async fn setup_progress(&self, fence: &Fence) -> Vec<SetupStep>;

    /// Asks for the namespace to be removed. An absent one is success.
    async fn delete_namespace(&self, fence: &Fence) -> Result<(), ClusterError>;

    /// Waits for namespace and volumes to be gone, at most `limit`, and says how that is doing. Returns early when they are gone.
    async fn await_gone(&self, store_id: &StoreId, limit: Duration) -> Result<Removal, ClusterError>;
}
