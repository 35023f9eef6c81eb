//! How clusters are doing: what is on them, counted, and what this process knows of them.

use shopwright_ports::health_api::FenceCondition;
use shopwright_ports::platform_api::{ClusterSight, ClusterView, Clusters, PlatformError};
use shopwright_ports::storage::{ClusterCensus, Reach};

use super::{Administration, OwnCluster};
use crate::saga::FenceState;
use crate::stores::engine_views;

impl OwnCluster {
    fn sight(&self) -> ClusterSight {
        let (fence, fence_detail) = match self.guard.fence() {
            FenceState::Unknown => (FenceCondition::Unknown, None),
            FenceState::Holds => (FenceCondition::Holds, None),
            FenceState::Open(detail) => (FenceCondition::Open, Some(detail)),
        };
        ClusterSight {
            breaker: self.guard.state(),
            breaker_last_failure: self.guard.last_failure(),
            fence,
            fence_detail,
            unknown_namespaces: self.sweeper.as_ref().map_or(0, |sweeper| sweeper.unknown()),
        }
    }
}

impl Administration {
    pub(super) async fn look_at_clusters(&self) -> Result<Clusters, PlatformError> {
        let census = {
            let mut tx = self.storage.begin(Reach::Platform).await?;
            tx.clusters().census().await?
        };
        let view = |census: ClusterCensus| {
            let own = self.clusters.iter().find(|own| own.name == census.cluster.name);
            ClusterView { sight: own.map(OwnCluster::sight), census }
        };
        let engines = engine_views(&self.engines, self.releases.as_ref()).await;
        let engines = engines.map_err(|error| PlatformError::Internal(error.to_string()))?;
        Ok(Clusters { clusters: census.into_iter().map(view).collect(), engines })
    }
}
