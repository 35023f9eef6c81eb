//! How this process and what it depends on are doing.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{Either, select};
use jiff::Timestamp;
use shopwright_ports::clock::Clock;
use shopwright_ports::health_api::{Check, ClusterCondition, FenceCondition, Health, HealthService};
use shopwright_ports::storage::Storage;

use crate::saga::{ClusterGuard, FenceState};
use crate::sweeper::Sweeper;
use crate::worker::Worker;

/// A check that takes longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(3);

/// Answers the health endpoints.
pub struct HealthChecks {
    /// What readiness stands on.
    pub storage: Arc<dyn Storage>,
    /// The default cluster: shown, and never a reason to be unready. Asked behind its breaker: a health check is a request like others.
    pub cluster: Arc<ClusterGuard>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The worker in this process, if it has one.
    pub worker: Option<Arc<Worker>>,
    /// Its sweeper, if it has one.
    pub sweeper: Option<Arc<Sweeper>>,
    /// When the process started.
    pub started_at: Timestamp,
    /// Whether everything is simulated.
    pub simulated: bool,
}

impl std::fmt::Debug for HealthChecks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HealthChecks").field("started_at", &self.started_at).finish_non_exhaustive()
    }
}

impl HealthChecks {
    async fn check<E: std::fmt::Display>(&self, probe: impl Future<Output = Result<(), E>>) -> Check {
        let start = self.clock.monotonic();
        let message = match select(Box::pin(probe), self.clock.sleep(PATIENCE)).await {
            Either::Left((Ok(()), _)) => None,
            Either::Left((Err(error), _)) => Some(error.to_string()),
            Either::Right(((), _)) => Some(format!("no answer within {} s", PATIENCE.as_secs())),
        };
        let latency = self.clock.monotonic().saturating_sub(start);
        Check { healthy: message.is_none(), message, latency }
    }
}

#[async_trait]
impl HealthService for HealthChecks {
    async fn health(&self) -> Health {
        let cluster = async { self.cluster.check().await.map_err(|error| error.detail) };
        let (database, kubernetes) = futures::join!(self.check(self.storage.check()), self.check(cluster));
        let fence = match self.cluster.fence() {
            FenceState::Unknown => FenceCondition::Unknown,
            FenceState::Holds => FenceCondition::Holds,
            FenceState::Open(_) => FenceCondition::Open,
        };
        let cluster = ClusterCondition {
            breaker: self.cluster.state(),
            fence,
            unknown_namespaces: self.sweeper.as_ref().map_or(0, |sweeper| sweeper.unknown()),
        };
        Health {
            database,
            kubernetes,
            cluster,
            active_operations: self.worker.as_ref().map_or(0, |worker| worker.running()),
            max_operations: self.worker.as_ref().map_or(0, |worker| worker.max_running()),
            uptime: Duration::try_from(self.clock.now().duration_since(self.started_at)).unwrap_or_default(),
            simulated: self.simulated,
        }
    }

    async fn ready(&self) -> bool {
        self.check(self.storage.check()).await.healthy
    }
}
