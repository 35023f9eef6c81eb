//! Driving port: how the process and what it depends on are doing.

use std::time::Duration;

use async_trait::async_trait;

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

/// Everything that `/health` tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The database and its migrations: what readiness stands on.
    pub database: Check,
    /// The default cluster: never a reason to be unready (DECISIONS 32).
    pub kubernetes: Check,
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
