//! Driving port: the numbers of this process and of what it works on.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::breaker::BreakerSnapshot;

/// The two texts that scrapers read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpositionFormat {
    /// The classic one, version 0.0.4.
    Text,
    /// `OpenMetrics` 1.0.
    OpenMetrics,
}

/// What this process uses of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProcessUsage {
    /// Memory that is in use, in bytes.
    pub resident_bytes: u64,
    /// Address space, in bytes.
    pub virtual_bytes: u64,
    /// Time on a processor in the program itself.
    pub user: Duration,
    /// Time on a processor in the system for it.
    pub system: Duration,
    /// Files, sockets and the like that are open.
    pub open_files: u64,
    /// How many may be.
    pub max_files: u64,
    /// Threads.
    pub threads: u64,
}

/// What `/metrics/json` tells.
#[derive(Debug, Clone)]
pub struct MetricsSummary {
    /// Since the start.
    pub uptime: Duration,
    /// The machine.
    pub process: ProcessUsage,
    /// The circuit breaker of the default cluster.
    pub breaker: BreakerSnapshot,
    /// When it last failed.
    pub breaker_last_failure: Option<Timestamp>,
}

/// The numbers.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait MetricsService: Send + Sync {
    /// All of them, as text.
    async fn exposition(&self, format: ExpositionFormat) -> String;

    /// A few of them.
    fn summary(&self) -> MetricsSummary;
}
