//! Does the fence work? Known-bad dry runs must be refused, and by the right policy; a known-good one must be let through.
//!
//! A policy that was removed or never installed lets stale owners write, and nothing else would show it (RELIABILITY S51).

use k8s_openapi::api::core::v1::Namespace;
use serde_json::json;
use shopwright_domain::Epoch;
use shopwright_ports::cluster::ClusterError;

use crate::KubeCluster;
use crate::calls::{CallError, Calls, Identity};
use crate::names::{BASE_REFUSAL, CHECK_NAMESPACE, EPOCH, EPOCH_REFUSAL, FENCE_REFUSAL, SYSTEM_NAMESPACE};

/// Why stores must not be made in this cluster.
#[derive(Debug, thiserror::Error)]
pub enum FenceError {
    /// What must be refused is let through.
    #[error("the cluster lets through {0}: run `shopwright clusters prepare` with an administrator's kubeconfig")]
    Open(&'static str),
    /// What must be let through is refused: rights or policies are missing or old.
    #[error("the cluster refuses {what}: {why}; run `shopwright clusters prepare` with an administrator's kubeconfig")]
    Closed {
        /// What was tried.
        what: &'static str,
        /// The cluster's words.
        why: String,
    },
    /// It cannot be told now.
    #[error("the fence cannot be tried: {0}")]
    Unknown(#[source] ClusterError),
}

impl FenceError {
    /// Whether it may be gone a moment later: what was just installed is not in force yet, or the cluster did not answer.
    pub(crate) const fn may_pass(&self) -> bool {
        matches!(self, Self::Open(_) | Self::Closed { .. } | Self::Unknown(ClusterError::Throttled { .. }))
    }
}

/// Judges a dry run that must be refused with these words.
fn must_be_refused(what: &'static str, prefix: &str, outcome: Result<(), CallError>) -> Result<(), FenceError> {
    match outcome {
        Ok(()) => Err(FenceError::Open(what)),
        Err(CallError::Refused(refusal)) if refusal.code == 403 => {
            if refusal.message.contains(prefix) {
                Ok(())
            } else {
                Err(FenceError::Closed { what, why: refusal.message })
            }
        }
        Err(error) => Err(unknown(what, error)),
    }
}

fn unknown(what: &'static str, error: CallError) -> FenceError {
    match error {
        CallError::Refused(refusal) if matches!(refusal.code, 401 | 403 | 404) => {
            FenceError::Closed { what, why: refusal.message }
        }
        error => FenceError::Unknown(error.into()),
    }
}

impl Calls {
    /// Tries the worker's fence and the epochs' order.
    pub(crate) async fn verify_fence(&self) -> Result<(), FenceError> {
        let worker = |namespace, epoch| Identity::Worker { namespace, epoch: Epoch(epoch) };
        let what = "a worker of the namespace's own store and epoch";
        self.try_in(CHECK_NAMESPACE, worker(CHECK_NAMESPACE, 1)).await.map_err(|error| unknown(what, error))?;

        let stale = self.try_in(CHECK_NAMESPACE, worker(CHECK_NAMESPACE, 0)).await;
        must_be_refused("a worker of another epoch", FENCE_REFUSAL, stale)?;

        let foreign = self.try_in(CHECK_NAMESPACE, worker(SYSTEM_NAMESPACE, 1)).await;
        must_be_refused("a worker of another store", FENCE_REFUSAL, foreign)?;

        let back = json!({"metadata": {"annotations": {EPOCH: "0"}}});
        let back = self.merge::<Namespace>(CHECK_NAMESPACE, &back, true).await;
        must_be_refused("an epoch that goes back", EPOCH_REFUSAL, back)
    }
}

impl KubeCluster {
    /// Whether the cluster keeps stale owners out, and whether we are the account that is kept within stores' namespaces. Nothing is changed.
    ///
    /// # Errors
    /// [`FenceError`]; with any but [`FenceError::Unknown`] no store may be made here.
    pub async fn verify(&self) -> Result<(), FenceError> {
        self.calls.verify_fence().await?;
        let foreign = json!({"metadata": {"annotations": {"shopwright.dev/dry-run": "1"}}});
        let foreign = self.calls.merge::<Namespace>(SYSTEM_NAMESPACE, &foreign, true).await;
        must_be_refused(
            "a change of a namespace that is no store's by this account (use the one that `clusters prepare` makes)",
            BASE_REFUSAL,
            foreign,
        )
    }
}

#[cfg(test)]
mod tests;
