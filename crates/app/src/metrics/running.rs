//! The metrics of a running program: what was counted, and what is looked up when somebody asks.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{Either, select};
use jiff::Timestamp;
use shopwright_domain::ClusterName;
use shopwright_ports::clock::Clock;
use shopwright_ports::metrics_api::{ExpositionFormat, MetricsService, MetricsSummary};
use shopwright_ports::storage::{Census, Reach, Storage, StorageError};

use super::{Recorder, process};
use crate::saga::{ClusterGuard, FenceState};
use crate::sweeper::Sweeper;
use crate::worker::Worker;

/// A database that takes longer is left out: a scraper waits ten seconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// Everything that is looked at.
pub struct RunningMetrics {
    /// What was counted.
    pub recorder: Arc<Recorder>,
    /// What there is, for whoever may see all of it.
    pub storage: Arc<dyn Storage>,
    /// The default cluster.
    pub cluster: Arc<ClusterGuard>,
    /// The worker in this process, if it has one.
    pub worker: Option<Arc<Worker>>,
    /// Its sweeper, if it has one.
    pub sweeper: Option<Arc<Sweeper>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// When the process began to serve.
    pub started_at: Timestamp,
}

impl std::fmt::Debug for RunningMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunningMetrics").field("started_at", &self.started_at).finish_non_exhaustive()
    }
}

impl RunningMetrics {
    fn uptime(&self) -> Duration {
        Duration::try_from(self.clock.now().duration_since(self.started_at)).unwrap_or_default()
    }

    async fn census(&self) -> Result<Census, StorageError> {
        let mut tx = self.storage.begin(Reach::Worker).await?;
        tx.operations().census().await
    }

    async fn look(&self) {
        let state = &self.recorder.state;
        match select(Box::pin(self.census()), self.clock.sleep(PATIENCE)).await {
            Either::Left((Ok(census), _)) => {
                let oldest = census.oldest_queued.map(|since| self.clock.now().duration_since(since));
                state.count(&census, oldest.and_then(|age| Duration::try_from(age).ok()).unwrap_or_default());
            }
            Either::Left((Err(_), _)) | Either::Right(_) => state.database_is_away(),
        }
        let unknown = self.sweeper.as_ref().map_or(0, |sweeper| sweeper.unknown());
        let fenced = matches!(self.cluster.fence(), FenceState::Holds);
        state.cluster(ClusterName::default_cluster().as_str(), self.cluster.state(), fenced, unknown);
        let running = self.worker.as_ref().map_or(0, |worker| worker.running());
        state.working(running, self.worker.as_ref().map_or(0, |worker| worker.max_running()));
        let started_at = Duration::try_from(self.started_at.duration_since(Timestamp::UNIX_EPOCH)).unwrap_or_default();
        state.process(&process::usage(), self.uptime(), started_at.as_secs_f64());
    }
}

#[async_trait]
impl MetricsService for RunningMetrics {
    async fn exposition(&self, format: ExpositionFormat) -> String {
        self.look().await;
        self.recorder.text(format)
    }

    fn summary(&self) -> MetricsSummary {
        let breaker = self.cluster.breaker();
        let breaker_last_failure = self.cluster.last_failure();
        MetricsSummary { uptime: self.uptime(), process: process::usage(), breaker, breaker_last_failure }
    }
}
