//! Driving port: how the process and what it depends on are doing.

use std::time::Duration;

use async_trait::async_trait;
use shopwright_domain::breaker::BreakerState;

/// One dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Whether it answers.
    pub healthy: bool,
    /// What is wrong, for operators; without addresses.
    pub message: Option<String>,
    /// How long the answer took.
    pub latency: Duration,
}

/// What is known of a cluster's fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FenceCondition {
    /// Nobody could look yet.
    Unknown,
    /// It was seen to hold.
    Holds,
    /// It is open: the cluster takes no work.
    Open,
}

impl FenceCondition {
    /// The condition as it is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Holds => "holds",
            Self::Open => "open",
        }
    }
}

/// What this process knows of the cluster without asking it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterCondition {
    /// Its circuit breaker in this process.
    pub breaker: BreakerState,
    /// Its fence.
    pub fence: FenceCondition,
    /// Namespaces that carry our labels and belong to no store of this database.
    pub unknown_namespaces: usize,
}

/// Everything that `/health` tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The database and its migrations: what readiness stands on.
    pub database: Check,
    /// The default cluster: never a reason to be unready (DECISIONS 32).
    pub kubernetes: Check,
    /// What the process knows of that cluster.
    pub cluster: ClusterCondition,
    /// Operations that run in this process.
    pub active_operations: usize,
    /// How many may.
    pub max_operations: usize,
    /// How long the process has been up.
    pub uptime: Duration,
    /// Whether everything is simulated and no cluster is touched.
    pub simulated: bool,
}

/// How the process is doing.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait HealthService: Send + Sync {
    /// All checks, each bounded by a few seconds.
    async fn health(&self) -> Health;

    /// Whether requests can be served.
    async fn ready(&self) -> bool;
}
