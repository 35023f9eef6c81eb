//! The best reason for a rollout that is still pending when its time is up.

use shopwright_domain::engine::Readiness;
use shopwright_domain::error_code::ErrorCode;
use shopwright_ports::cluster::{ClusterError, Rollout};

use super::assess::assess;
use super::objects::StoreObjects;
use crate::KubeCluster;

impl KubeCluster {
    /// Pods that were never made, volumes that were never provided and probes leave no words but in events: they are read when nothing better
    /// is known.
    pub(super) async fn explain(&self, mut objects: StoreObjects, wanted: &Readiness) -> Result<Rollout, ClusterError> {
        let rollout = assess(&objects, wanted);
        let vague = matches!(&rollout, Rollout::Pending(failure)
            if matches!(failure.code, ErrorCode::RolloutTimeout | ErrorCode::VolumePending | ErrorCode::Unschedulable | ErrorCode::ProbeFailing));
        if !vague {
            return Ok(pending(rollout));
        }
        objects.events = self.read_warnings(&objects.store_id).await?;
        Ok(pending(assess(&objects, wanted)))
    }
}

/// A verdict that no fresh read has confirmed is none: the caller asks again.
fn pending(rollout: Rollout) -> Rollout {
    match rollout {
        Rollout::Failed(failure) | Rollout::Pending(failure) => Rollout::Pending(failure),
        Rollout::Ready(_) => Rollout::Pending(shopwright_domain::store::Failure::new(
            ErrorCode::RolloutTimeout,
            "the workloads have just become ready",
        )),
    }
}
