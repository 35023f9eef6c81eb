//! The barrier after an epoch was raised: apiservers learn of it some milliseconds later, each by itself (DECISIONS 5).
//!
//! It asks by dry runs, as the old epoch and as the new one, until the old one is refused and the new one is let through.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use shopwright_domain::Epoch;
use shopwright_ports::cluster::{ClusterError, Fence};
use tokio::time::Instant;

use crate::KubeCluster;
use crate::calls::{CallError, Calls, Identity};

/// Between two looks: the first ones are quick, for the usual wait is a few milliseconds.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(5), Duration::from_millis(15), Duration::from_millis(50), Duration::from_millis(200)];
/// With several apiservers the fence must hold this often in a row, this far apart, for each look meets only one of them.
const ROUNDS: usize = 3;
const BETWEEN_ROUNDS: Duration = Duration::from_secs(1);

impl Calls {
    /// Whether this worker could make something in the namespace now. Nothing is made.
    pub(crate) async fn try_in(&self, namespace: &str, worker: Identity<'_>) -> Result<(), CallError> {
        let nothing = ConfigMap {
            metadata: ObjectMeta { name: Some("shopwright-dry-run".to_owned()), ..ObjectMeta::default() },
            ..ConfigMap::default()
        };
        self.create(worker, Some(namespace), &nothing, true).await
    }
}

impl KubeCluster {
    /// Returns once the fence's epoch is let through and `superseded` is not.
    ///
    /// # Errors
    /// [`ClusterError::StaleEpoch`] when a later owner raised meanwhile, or the fence does not hold in time.
    pub(crate) async fn await_fence(&self, fence: &Fence, superseded: Option<Epoch>) -> Result<(), ClusterError> {
        let deadline = Instant::now() + self.settings.fence_timeout;
        let rounds = if self.settings.several_apiservers { ROUNDS } else { 1 };
        let (mut held, mut pauses) = (0, PAUSES.into_iter());
        loop {
            let Some(not_yet) = self.look(fence, superseded).await? else {
                held += 1;
                if held == rounds {
                    return Ok(());
                }
                tokio::time::sleep(BETWEEN_ROUNDS).await;
                continue;
            };
            // An apiserver that has not heard of it yet: what the others said before proves nothing.
            held = 0;
            if Instant::now() >= deadline {
                return Err(not_yet);
            }
            let Some(pause) = pauses.next() else {
                self.refuse_superseded(fence).await?;
                tokio::time::sleep(PAUSES[PAUSES.len() - 1]).await;
                continue;
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// One look: `None` when the fence holds, else why not yet.
    async fn look(&self, fence: &Fence, superseded: Option<Epoch>) -> Result<Option<ClusterError>, ClusterError> {
        let namespace = fence.store_id.namespace();
        if let Some(superseded) = superseded {
            let superseded = Identity::Worker { namespace, epoch: superseded };
            match self.calls.try_in(namespace, superseded).await.map_err(ClusterError::from) {
                Err(ClusterError::StaleEpoch { .. }) => {}
                // Let through; or the role binding is not known to the apiserver yet.
                Ok(()) => return Ok(Some(ClusterError::StaleEpoch { known: None })),
                Err(error @ ClusterError::Denied(_)) => return Ok(Some(error)),
                Err(error) => return Err(error),
            }
        }
        match self.calls.try_in(namespace, Identity::worker(fence)).await.map_err(ClusterError::from) {
            Ok(()) => Ok(None),
            Err(error @ (ClusterError::StaleEpoch { .. } | ClusterError::Denied(_))) => Ok(Some(error)),
            Err(error) => Err(error),
        }
    }

    /// Waiting on makes no sense once a later epoch is there.
    async fn refuse_superseded(&self, fence: &Fence) -> Result<(), ClusterError> {
        match self.read_namespace(&fence.store_id).await? {
            None => Err(ClusterError::NamespaceGone),
            Some(found) if found.epoch > fence.epoch => Err(ClusterError::StaleEpoch { known: Some(found.epoch) }),
            Some(found) if found.terminating => Err(ClusterError::Terminating),
            Some(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
