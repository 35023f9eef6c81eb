//! Waiting for a store's workloads. The shared watch wakes; the verdict "ready" or "failed" is always given on a fresh read.

mod assess;
mod explain;
mod objects;
mod pods;
mod progress;
mod setup;
mod workloads;

use std::time::Duration;

use shopwright_domain::StoreId;
use shopwright_domain::engine::Readiness;
use shopwright_ports::cluster::{ClusterError, Rollout};
use tokio::time::Instant;

use self::assess::assess;
pub(crate) use self::objects::StoreObjects;
use crate::KubeCluster;

/// The least time between two fresh reads of the same store: what a wait costs while a watch is interrupted, or tells of a rollout that a
/// fresh read does not confirm yet.
const READ_PAUSE: Duration = Duration::from_secs(1);

impl KubeCluster {
    pub(crate) async fn watch_rollout(
        &self,
        store_id: &StoreId,
        wanted: &Readiness,
        limit: Duration,
    ) -> Result<Rollout, ClusterError> {
        let deadline = Instant::now() + limit;
        let mut changes = self.watches.changes();
        self.require_namespace(store_id).await?;
        let mut next_read = Instant::now();
        loop {
            changes.borrow_and_update();
            let cached = self.watches.objects(store_id);
            let worth_reading =
                cached.as_ref().is_none_or(|cached| !matches!(assess(cached, wanted), Rollout::Pending(_)));
            if worth_reading && Instant::now() >= next_read {
                let rollout = assess(&self.read_objects(store_id).await?, wanted);
                if !matches!(rollout, Rollout::Pending(_)) {
                    return Ok(rollout);
                }
                next_read = Instant::now() + READ_PAUSE;
            }
            if self.watches.has_namespace(store_id) == Some(false) {
                // Perhaps the watch has not heard of it yet.
                self.require_namespace(store_id).await?;
            }
            if Instant::now() >= deadline {
                break;
            }
            let wake = if worth_reading { next_read.min(deadline) } else { deadline };
            // Either way it is time to look again. The sender lives as long as we do.
            let _ = tokio::time::timeout_at(wake, changes.changed()).await;
        }
        self.require_namespace(store_id).await?;
        // A watch that stalls without an error is noticed only after minutes; until then it would keep a ready store waiting.
        let objects = self.read_objects(store_id).await?;
        match assess(&objects, wanted) {
            Rollout::Pending(_) => self.explain(objects, wanted).await,
            verdict @ (Rollout::Ready(_) | Rollout::Failed(_)) => Ok(verdict),
        }
    }

    async fn require_namespace(&self, store_id: &StoreId) -> Result<(), ClusterError> {
        match self.read_namespace(store_id).await? {
            None => Err(ClusterError::NamespaceGone),
            Some(found) if found.terminating => Err(ClusterError::Terminating),
            Some(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
