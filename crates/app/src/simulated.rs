//! A simulated platform: the same API, use cases and worker over the fakes, with the timings of real stores.
//!
//! For a first look on a machine without root and without a cluster. Everything it shows is marked as simulated.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shopwright_domain::engine::{EngineCatalogue, EngineDescriptor, Readiness};
use shopwright_domain::operation::SetupStep;
use shopwright_domain::store::{EngineName, Failure};
use shopwright_domain::{ErrorCode, StoreId};
use shopwright_ports::clock::Clock;
use shopwright_ports::cluster::{
    Cluster, ClusterError, Fence, NamespaceState, Removal, Rollout, SetupResult, StoreNamespace,
};
use shopwright_ports::secrets::StoreCredentials;
use shopwright_ports::testing::FakeCluster;

/// What owners of simulated stores are told.
pub const NOTE: &str = "simulated: no cluster is used and no shop runs";

/// A fake cluster that takes as long as a real one.
pub struct SimulatedCluster {
    inner: Arc<FakeCluster>,
    engines: Arc<EngineCatalogue>,
    clock: Arc<dyn Clock>,
    begun: Mutex<HashMap<StoreId, Start>>,
}

/// The start of a store.
struct Start {
    /// How long it takes.
    usual: SignedDuration,
    since: Timestamp,
    /// What its set-up does meanwhile.
    steps: Vec<String>,
}

impl std::fmt::Debug for SimulatedCluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimulatedCluster").finish_non_exhaustive()
    }
}

const CALL: Duration = Duration::from_millis(120);
const REMOVAL: Duration = Duration::from_secs(6);

impl SimulatedCluster {
    /// `inner`, as slow as a real one.
    pub fn new(inner: Arc<FakeCluster>, engines: Arc<EngineCatalogue>, clock: Arc<dyn Clock>) -> Self {
        Self { inner, engines, clock, begun: Mutex::default() }
    }

    fn remaining(&self, store_id: &StoreId) -> SignedDuration {
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun
            .get(store_id)
            .map_or(SignedDuration::ZERO, |start| start.usual - self.clock.now().duration_since(start.since))
    }

    /// Its set-up takes the time of its start, each step as much of it as any other.
    fn progress(&self, store_id: &StoreId) -> Vec<SetupStep> {
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(start) = begun.get(store_id).filter(|start| !start.steps.is_empty()) else { return Vec::new() };
        let each = (start.usual.as_millis() / i128::try_from(start.steps.len()).unwrap_or(1)).max(1);
        let done = (self.clock.now().duration_since(start.since).as_millis() / each).max(0);
        let millis = u64::try_from(each).unwrap_or_default();
        let done = start.steps.iter().take(usize::try_from(done).unwrap_or(usize::MAX));
        done.map(|name| SetupStep { name: name.clone(), millis }).collect()
    }
}

#[async_trait]
impl Cluster for SimulatedCluster {
    async fn check(&self) -> Result<(), ClusterError> {
        self.inner.check().await
    }

    async fn verify_fence(&self) -> Result<(), ClusterError> {
        self.inner.verify_fence().await
    }

    async fn list_namespaces(&self) -> Result<Vec<StoreNamespace>, ClusterError> {
        self.inner.list_namespaces().await
    }

    async fn remove_stray(&self, stray: &StoreNamespace) -> Result<(), ClusterError> {
        self.inner.remove_stray(stray).await
    }

    async fn ensure_namespace(&self, fence: &Fence, engine: &EngineName) -> Result<(), ClusterError> {
        self.clock.sleep(CALL).await;
        let known = self.engines.get(engine).ok();
        let usual = known.map_or(SignedDuration::ZERO, EngineDescriptor::usual_start);
        let steps = known.map_or_else(Vec::new, |engine| engine.setup_steps().to_vec());
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).entry(fence.store_id.clone()).or_insert(Start {
            usual,
            since: self.clock.now(),
            steps,
        });
        self.inner.ensure_namespace(fence, engine).await
    }

    async fn raise_epoch(&self, fence: &Fence) -> Result<NamespaceState, ClusterError> {
        self.inner.raise_epoch(fence).await
    }

    async fn put_credentials(&self, fence: &Fence, credentials: &StoreCredentials) -> Result<(), ClusterError> {
        self.clock.sleep(CALL).await;
        self.inner.put_credentials(fence, credentials).await
    }

    async fn await_workloads(
        &self,
        store_id: &StoreId,
        wanted: &Readiness,
        limit: Duration,
    ) -> Result<Rollout, ClusterError> {
        let remaining = Duration::try_from(self.remaining(store_id)).unwrap_or_default();
        self.clock.sleep(remaining.min(limit)).await;
        if self.remaining(store_id) > SignedDuration::ZERO {
            return Ok(Rollout::Pending(Failure::new(ErrorCode::RolloutTimeout, "the pods are not ready yet")));
        }
        let rollout = self.inner.await_workloads(store_id, wanted, limit).await?;
        Ok(match rollout {
            Rollout::Ready(result) if wanted.setup => {
                Rollout::Ready(SetupResult { steps: self.progress(store_id), ..result })
            }
            other => other,
        })
    }

    async fn setup_progress(&self, fence: &Fence) -> Vec<SetupStep> {
        self.progress(&fence.store_id)
    }

    async fn delete_namespace(&self, fence: &Fence) -> Result<(), ClusterError> {
        self.clock.sleep(CALL).await;
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).remove(&fence.store_id);
        self.inner.delete_namespace(fence).await
    }

    async fn await_gone(&self, store_id: &StoreId, limit: Duration) -> Result<Removal, ClusterError> {
        self.clock.sleep(REMOVAL.min(limit)).await;
        self.inner.await_gone(store_id, limit).await
    }
}
