//! What the fake cluster holds, and the rules of its fence.

use std::collections::{BTreeMap, BTreeSet};

use shopwright_domain::operation::SetupStep;
use shopwright_domain::store::EngineName;
use shopwright_domain::{Epoch, StoreId};

use crate::cluster::{ClusterError, Fence, Removal, Rollout, StoreNamespace};
use crate::releases::{ObjectRef, ReleaseRecord};
use crate::testing::releases::FakeRelease;

#[derive(Debug)]
pub(super) struct Namespace {
    /// `None`: somebody else's.
    pub(super) engine: Option<EngineName>,
    pub(super) epoch: Epoch,
    /// Counts all namespaces that were ever made.
    pub(super) uid: usize,
    /// Raised by every change of the namespace itself.
    pub(super) version: u64,
    pub(super) credentials: BTreeMap<String, String>,
    /// Oldest first.
    pub(super) records: Vec<ReleaseRecord>,
    /// What the newest deployed record was made of.
    pub(super) release: Option<FakeRelease>,
    /// What charts have put into it.
    pub(super) objects: BTreeSet<ObjectRef>,
    /// For how many more looks it goes on terminating.
    pub(super) terminating: Option<u32>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) namespaces: BTreeMap<StoreId, Namespace>,
    pub(super) retained: BTreeMap<StoreId, Vec<String>>,
    pub(super) rollouts: BTreeMap<StoreId, Rollout>,
    pub(super) progress: BTreeMap<StoreId, Vec<SetupStep>>,
    pub(super) blocked: BTreeMap<StoreId, String>,
    pub(super) open_fence: Option<String>,
    pub(super) stays_pending: bool,
    pub(super) termination_calls: u32,
    pub(super) creations: usize,
    pub(super) deletions: usize,
}

impl Namespace {
    pub(super) const fn new(epoch: Epoch, engine: EngineName, uid: usize) -> Self {
        Self {
            engine: Some(engine),
            epoch,
            uid,
            version: 1,
            credentials: BTreeMap::new(),
            records: Vec::new(),
            release: None,
            objects: BTreeSet::new(),
            terminating: None,
        }
    }

    pub(super) const fn is_terminating(&self) -> bool {
        self.terminating.is_some()
    }

    pub(super) fn refuse_foreign(&self) -> Result<(), ClusterError> {
        match self.engine {
            Some(_) => Ok(()),
            None => Err(ClusterError::Foreign("it has no store's label".to_owned())),
        }
    }

    pub(super) fn refuse_older_than_known(&self, fence: &Fence) -> Result<(), ClusterError> {
        if fence.epoch < self.epoch { Err(ClusterError::StaleEpoch { known: Some(self.epoch) }) } else { Ok(()) }
    }

    pub(super) fn raise(&mut self, fence: &Fence) -> Result<(), ClusterError> {
        self.refuse_foreign()?;
        self.refuse_older_than_known(fence)?;
        if self.epoch != fence.epoch {
            self.epoch = fence.epoch;
            self.version += 1;
        }
        Ok(())
    }
}

impl State {
    /// The namespace, for a change inside it: only the very epoch that it carries may make one.
    pub(super) fn inside(&mut self, fence: &Fence) -> Result<&mut Namespace, ClusterError> {
        let namespace = self.namespaces.get_mut(&fence.store_id).ok_or(ClusterError::NamespaceGone)?;
        if namespace.engine.is_some() && namespace.epoch == fence.epoch {
            Ok(namespace)
        } else {
            Err(ClusterError::StaleEpoch { known: None })
        }
    }

    /// Every store's namespace.
    pub(super) fn list(&self) -> Vec<StoreNamespace> {
        let ours = self.namespaces.iter().filter(|(_, namespace)| namespace.engine.is_some());
        let listed = ours.map(|(store_id, namespace)| StoreNamespace {
            store_id: store_id.clone(),
            epoch: namespace.epoch,
            uid: format!("uid-{}", namespace.uid),
            version: namespace.version.to_string(),
            terminating: namespace.is_terminating(),
        });
        listed.collect()
    }

    /// Begins to remove the namespace, unless that was begun before.
    pub(super) fn terminate(&mut self, store_id: &StoreId) {
        let calls = self.termination_calls;
        if let Some(namespace) = self.namespaces.get_mut(store_id).filter(|namespace| !namespace.is_terminating()) {
            namespace.terminating = Some(calls);
            namespace.version += 1;
            self.deletions += 1;
        }
        self.reap(store_id);
    }

    /// One look at a removal; time passes by looking.
    pub(super) fn removal(&mut self, store_id: &StoreId) -> Removal {
        if let Some(reason) = self.blocked.get(store_id).filter(|_| self.namespaces.contains_key(store_id)) {
            return Removal::Blocked(reason.clone());
        }
        self.reap(store_id);
        match self.namespaces.get_mut(store_id) {
            None => Removal::Gone { retained: self.retained.get(store_id).cloned().unwrap_or_default() },
            Some(namespace) => {
                namespace.terminating = namespace.terminating.map(|calls| calls.saturating_sub(1));
                Removal::InProgress
            }
        }
    }

    /// Removes the namespace when it has terminated long enough and nothing holds it.
    pub(super) fn reap(&mut self, store_id: &StoreId) {
        let done = self.namespaces.get(store_id).is_some_and(|namespace| namespace.terminating == Some(0));
        if done && !self.blocked.contains_key(store_id) {
            self.namespaces.remove(store_id);
        }
    }
}
