//! A cluster in memory: namespaces with their epochs, credentials, volumes, release records.
//!
//! It refuses a stale epoch as the real one's admission policy does. Workloads are ready as soon as somebody asks, unless a test says
//! otherwise; a deleted namespace is gone at once, unless it is told to take its time. Nothing is remembered of a namespace that is gone,
//! its epoch included: that is how a real cluster is, too (DECISIONS 7).

mod access;
mod helm;
mod script;
mod state;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use shopwright_domain::StoreId;
use shopwright_domain::engine::Readiness;
use shopwright_domain::error_code::ErrorCode;
use shopwright_domain::operation::SetupStep;
use shopwright_domain::store::{EngineName, Failure};

use self::state::{Namespace, State};
use crate::cluster::{Cluster, ClusterError, Fence, NamespaceState, Removal, Rollout, SetupResult, StoreNamespace};
use crate::secrets::StoreCredentials;
use crate::testing::Faults;

/// A [`Cluster`] and its [`ReleaseAccess`](crate::releases::ReleaseAccess), in memory.
#[derive(Debug, Default)]
pub struct FakeCluster {
    /// What the next calls meet instead, by method name: `check`, `verify_fence`, `list_namespaces`, `remove_stray`, `ensure_namespace`, `raise_epoch`, `put_credentials`,
    /// `await_workloads`, `delete_namespace`, `await_gone`, `kubeconfig`, `records`, `remove_record`, `missing`.
    pub faults: Faults<ClusterError>,
    state: Mutex<State>,
}

impl FakeCluster {
    /// An empty cluster that works.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Cluster for FakeCluster {
    async fn check(&self) -> Result<(), ClusterError> {
        self.faults.around("check", || Ok(())).await
    }

    async fn verify_fence(&self) -> Result<(), ClusterError> {
        let effect = || match self.state().open_fence.clone() {
            Some(reason) => Err(ClusterError::Unfenced(reason)),
            None => Ok(()),
        };
        self.faults.around("verify_fence", effect).await
    }

    async fn list_namespaces(&self) -> Result<Vec<StoreNamespace>, ClusterError> {
        let effect = || Ok(self.state().list());
        self.faults.around("list_namespaces", effect).await
    }

    async fn remove_stray(&self, stray: &StoreNamespace) -> Result<(), ClusterError> {
        let effect = || {
            let mut state = self.state();
            if state.list().contains(stray) && !stray.terminating {
                state.terminate(&stray.store_id);
            }
            Ok(())
        };
        self.faults.around("remove_stray", effect).await
    }

    async fn ensure_namespace(&self, fence: &Fence, engine: &EngineName) -> Result<(), ClusterError> {
        let effect = || {
            let mut state = self.state();
            if let Some(namespace) = state.namespaces.get_mut(&fence.store_id) {
                namespace.raise(fence)?;
                return if namespace.is_terminating() { Err(ClusterError::Terminating) } else { Ok(()) };
            }
            let namespace = Namespace::new(fence.epoch, engine.clone(), state.creations);
            state.namespaces.insert(fence.store_id.clone(), namespace);
            state.creations += 1;
            Ok(())
        };
        self.faults.around("ensure_namespace", effect).await
    }

    async fn raise_epoch(&self, fence: &Fence) -> Result<NamespaceState, ClusterError> {
        let effect = || match self.state().namespaces.get_mut(&fence.store_id) {
            None => Ok(NamespaceState::Absent),
            Some(namespace) => {
                namespace.raise(fence)?;
                Ok(if namespace.is_terminating() { NamespaceState::Terminating } else { NamespaceState::Present })
            }
        };
        self.faults.around("raise_epoch", effect).await
    }

    async fn put_credentials(&self, fence: &Fence, credentials: &StoreCredentials) -> Result<(), ClusterError> {
        let effect = || {
            let mut state = self.state();
            let namespace = state.inside(fence)?;
            if namespace.is_terminating() {
                return Err(ClusterError::Terminating);
            }
            namespace.credentials =
                credentials.entries().into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            Ok(())
        };
        self.faults.around("put_credentials", effect).await
    }

    async fn await_workloads(
        &self,
        store_id: &StoreId,
        _wanted: &Readiness,
        _limit: Duration,
    ) -> Result<Rollout, ClusterError> {
        let effect = || {
            let state = self.state();
            let namespace = state.namespaces.get(store_id).ok_or(ClusterError::NamespaceGone)?;
            if namespace.is_terminating() {
                return Err(ClusterError::Terminating);
            }
            Ok(match state.rollouts.get(store_id) {
                Some(rollout) => rollout.clone(),
                None if state.stays_pending => {
                    Rollout::Pending(Failure::new(ErrorCode::RolloutTimeout, "the pods are not ready yet"))
                }
                None => Rollout::Ready(SetupResult { version: Some("fake".to_owned()), ..SetupResult::default() }),
            })
        };
        self.faults.around("await_workloads", effect).await
    }

    async fn setup_progress(&self, fence: &Fence) -> Vec<SetupStep> {
        self.state().progress.get(&fence.store_id).cloned().unwrap_or_default()
    }

    async fn delete_namespace(&self, fence: &Fence) -> Result<(), ClusterError> {
        let effect = || {
            let mut state = self.state();
            let Some(namespace) = state.namespaces.get_mut(&fence.store_id) else { return Ok(()) };
            namespace.refuse_foreign()?;
            namespace.refuse_older_than_known(fence)?;
            state.terminate(&fence.store_id);
            Ok(())
        };
        self.faults.around("delete_namespace", effect).await
    }

    async fn await_gone(&self, store_id: &StoreId, _limit: Duration) -> Result<Removal, ClusterError> {
        let effect = || Ok(self.state().removal(store_id));
        self.faults.around("await_gone", effect).await
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use shopwright_domain::Epoch;

    use super::*;
    use crate::testing::{Fault, cluster_contract, engines};

    fn fence(number: u32, epoch: i64) -> Fence {
        Fence { store_id: StoreId::from_random(number), epoch: Epoch(epoch) }
    }

    #[test]
    fn the_fake_keeps_the_contract() {
        let cluster = FakeCluster::new();
        let mut next = 0;

        block_on(cluster_contract::all(&cluster, &mut || {
            next += 1;
            StoreId::from_random(next)
        }));
    }

    #[test]
    fn the_fake_keeps_the_contract_when_namespaces_take_their_time() {
        let cluster = FakeCluster::new();
        cluster.set_termination_calls(3);
        let mut next = 0;

        block_on(cluster_contract::all(&cluster, &mut || {
            next += 1;
            StoreId::from_random(next)
        }));
    }

    #[test]
    fn a_lost_answer_leaves_its_effect() {
        let cluster = FakeCluster::new();
        cluster.faults.push("ensure_namespace", Fault::After(ClusterError::StaleEpoch { known: None }));

        assert!(block_on(cluster.ensure_namespace(&fence(1, 1), &engines::medusa())).is_err());
        assert_eq!(cluster.epoch(&fence(1, 1).store_id), Some(Epoch(1)));
    }

    #[test]
    fn somebody_elses_namespace_is_never_touched() {
        let cluster = FakeCluster::new();
        let fence = fence(1, 1);
        cluster.add_foreign_namespace(&fence.store_id);

        assert!(matches!(
            block_on(cluster.ensure_namespace(&fence, &engines::medusa())),
            Err(ClusterError::Foreign(_))
        ));
        assert!(matches!(block_on(cluster.raise_epoch(&fence)), Err(ClusterError::Foreign(_))));
        assert!(matches!(block_on(cluster.delete_namespace(&fence)), Err(ClusterError::Foreign(_))));
        assert_eq!(cluster.deletions(), 0);
    }

    #[test]
    fn retained_volumes_outlive_their_namespace_and_are_named() {
        let cluster = FakeCluster::new();
        let fence = fence(1, 1);
        cluster.retain_volume(&fence.store_id, "pv-1");

        assert!(block_on(cluster.ensure_namespace(&fence, &engines::medusa())).is_ok());
        assert!(block_on(cluster.delete_namespace(&fence)).is_ok());

        let removal = block_on(cluster.await_gone(&fence.store_id, Duration::ZERO));
        assert!(matches!(removal, Ok(Removal::Gone { retained }) if retained == ["pv-1"]));
    }
}
