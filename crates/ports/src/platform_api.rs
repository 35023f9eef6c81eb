//! Driving port: what platform administrators do for the platform as a whole, over all organisations.

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::UserId;
use shopwright_domain::breaker::BreakerState;

use crate::health_api::FenceCondition;
use crate::storage::{Account, ClusterCensus, StorageError, UserFilter, UserPlace};
use crate::stores_api::{EngineView, RequestContext};

/// A page of accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountPage {
    /// The accounts, the newest first.
    pub accounts: Vec<Account>,
    /// Where the next page begins; none on the last.
    pub next: Option<UserPlace>,
}

/// What the process that answers knows of a cluster without asking it. Another process may know something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSight {
    /// How its circuit breaker stands in this process.
    pub breaker: BreakerState,
    /// When a call from this process last failed.
    pub breaker_last_failure: Option<Timestamp>,
    /// What was last seen of its fence.
    pub fence: FenceCondition,
    /// What is wrong with the fence, for operators.
    pub fence_detail: Option<String>,
    /// Namespaces that carry our labels and belong to no store of this database.
    pub unknown_namespaces: usize,
}

impl ClusterSight {
    /// Whether operations get through to it now: its fence was seen to hold, and its breaker lets calls pass.
    pub fn takes_work(&self) -> bool {
        self.fence == FenceCondition::Holds && self.breaker != BreakerState::Open
    }
}

/// A cluster as whoever runs the platform sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterView {
    /// The cluster, and how much there is on it.
    pub census: ClusterCensus,
    /// What this process knows of it; none of a cluster that it does not work on.
    pub sight: Option<ClusterSight>,
}

/// All clusters, and what stores on them can be made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clusters {
    /// The clusters by name.
    pub clusters: Vec<ClusterView>,
    /// The engines; each is to be had on every cluster or on none.
    pub engines: Vec<EngineView>,
}

/// Why something about the platform is refused.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// The actor does not run the platform, or came with a token that does not say so.
    #[error("this is for administrators")]
    NotAdministrator,
    /// There is no such account.
    #[error("there is no such user")]
    NoSuchUser,
    /// Nobody closes the door behind themselves.
    #[error("you cannot deactivate your own account")]
    OwnAccount,
    /// Somebody must be able to run the platform.
    #[error("this is the last active platform administrator")]
    LastAdministrator,
    /// The database does not answer, or worse.
    #[error("storage")]
    Storage(#[from] StorageError),
    /// A fault of ours.
    #[error("{0}")]
    Internal(String),
}

/// The platform as a whole. Every call is for platform administrators alone.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait PlatformService: Send + Sync {
    /// A page of accounts of all organisations.
    async fn users(
        &self,
        context: &RequestContext,
        filter: UserFilter,
        limit: u32,
    ) -> Result<AccountPage, PlatformError>;

    /// Says whether an account may sign in; the account as it is then. Deactivating it ends its sessions and revokes its API tokens, in
    /// the same transaction: from its commit on they are refused by every process. What is so already stays so and is not written down.
    async fn set_active(&self, context: &RequestContext, id: UserId, active: bool) -> Result<Account, PlatformError>;

    /// Every cluster. None of them is asked.
    async fn clusters(&self, context: &RequestContext) -> Result<Clusters, PlatformError>;
}
