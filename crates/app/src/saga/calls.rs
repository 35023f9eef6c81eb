//! Every call to a cluster, by Kubernetes or by Helm, passes its circuit breaker here.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use shopwright_domain::ErrorCode;
use shopwright_domain::breaker::{Breaker, BreakerPolicy, BreakerState, Passage};
use shopwright_domain::saga::StepError;
use shopwright_ports::clock::Clock;
use shopwright_ports::cluster::Cluster;

/// One cluster's circuit breaker, shared by all operations of this process.
pub struct ClusterGuard {
    cluster: Arc<dyn Cluster>,
    clock: Arc<dyn Clock>,
    breaker: Mutex<Breaker>,
}

impl std::fmt::Debug for ClusterGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterGuard").field("state", &self.state()).finish_non_exhaustive()
    }
}

impl ClusterGuard {
    /// A closed breaker for `cluster`.
    pub fn new(cluster: Arc<dyn Cluster>, clock: Arc<dyn Clock>, policy: BreakerPolicy) -> Self {
        Self { cluster, clock, breaker: Mutex::new(Breaker::new(policy)) }
    }

    /// The cluster behind it. For calls of a step use [`ClusterGuard::call`].
    pub fn cluster(&self) -> &dyn Cluster {
        self.cluster.as_ref()
    }

    /// How it stands.
    pub fn state(&self) -> BreakerState {
        self.breaker().state()
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call, if the breaker lets it pass. After a pause the first one through sends a cheap probe ahead.
    pub async fn call<T, E: Into<StepError>>(&self, call: impl Future<Output = Result<T, E>>) -> Result<T, StepError> {
        self.admit().await?;
        let result = call.await.map_err(Into::into);
        match &result {
            Err(error) if error.code == ErrorCode::ClusterUnreachable => self.breaker().failed(self.now()),
            // Any other answer, a refusal included, is a sign of life.
            Ok(_) | Err(_) => self.breaker().succeeded(),
        }
        result
    }

    /// Time for the breaker: since some fixed moment, and deaf to a wall clock that jumps (RELIABILITY F7).
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH.checked_add(self.clock.monotonic()).unwrap_or(Timestamp::MAX)
    }

    async fn admit(&self) -> Result<(), StepError> {
        let now = self.now();
        let passage = self.breaker().pass(now);
        match passage {
            Ok(Passage::Free) => Ok(()),
            Ok(Passage::Probe) => match self.cluster.check().await {
                Err(error) if error.is_outage() => {
                    self.breaker().failed(self.now());
                    Err(error.into())
                }
                Ok(()) | Err(_) => {
                    self.breaker().succeeded();
                    Ok(())
                }
            },
            Err(refused) => {
                let error = StepError::new(ErrorCode::BreakerOpen, "the cluster did not answer several times in a row");
                Err(error.retry_after(refused.until.duration_since(now)))
            }
        }
    }
}
