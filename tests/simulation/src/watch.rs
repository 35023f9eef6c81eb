//! What must hold at every step of every run, whatever goes wrong.

mod platform;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use shopwright_domain::store::StoreState;
use shopwright_domain::{Epoch, OperationId, StoreId, WorkerId};
use shopwright_ports::testing::{FakeCluster, FakeReleases, Snapshot};

/// The platform at the time of a commit.
#[derive(Debug)]
pub struct Platform<'a> {
    /// The cluster.
    pub cluster: &'a FakeCluster,
    /// Helm.
    pub releases: &'a FakeReleases,
    /// The namespaces that are there, with their epochs.
    pub namespaces: BTreeMap<StoreId, Epoch>,
}

#[derive(Debug, Default)]
struct Namespace {
    /// How many namespaces of this name there were.
    generations: u32,
    present: bool,
    since: u64,
    /// The highest epoch whose owner was told that its fence holds, in this generation.
    raised: Epoch,
}

/// Watches one run.
#[derive(Debug)]
pub struct Watch {
    quota: u32,
    rows: Snapshot,
    violation: Option<String>,
    namespaces: BTreeMap<StoreId, Namespace>,
    /// States as the audit trail tells them.
    told: BTreeMap<StoreId, StoreState>,
    /// Operations whose worker died, with the time.
    orphans: BTreeMap<OperationId, (WorkerId, u64)>,
    recoveries: Vec<u64>,
    /// Whose errors used up attempts, how often.
    refusals: BTreeMap<StoreId, u32>,
    /// Stores that may fail: something permanent was done to them.
    doomed: BTreeSet<StoreId>,
    /// Stores whose namespace was taken away by hand.
    robbed: BTreeSet<StoreId>,
    /// When the last deletion of each store was asked for.
    deleting_since: BTreeMap<StoreId, u64>,
    failures: BTreeMap<StoreId, String>,
}

impl Watch {
    /// Watches a run with this quota.
    pub fn new(quota: u32) -> Self {
        Self {
            quota,
            rows: Snapshot::default(),
            violation: None,
            namespaces: BTreeMap::new(),
            told: BTreeMap::new(),
            orphans: BTreeMap::new(),
            recoveries: Vec::new(),
            refusals: BTreeMap::new(),
            doomed: BTreeSet::new(),
            robbed: BTreeSet::new(),
            deleting_since: BTreeMap::new(),
            failures: BTreeMap::new(),
        }
    }

    /// What was broken first.
    pub fn violation(&self) -> Option<String> {
        self.violation.clone()
    }

    /// Notes what is broken.
    pub fn violate(&mut self, what: impl FnOnce() -> String) {
        if self.violation.is_none() {
            self.violation = Some(what());
        }
    }

    /// An error that uses up an attempt was given to a call for this store.
    pub fn refused(&mut self, store_id: &StoreId) {
        *self.refusals.entry(store_id.clone()).or_default() += 1;
    }

    /// Something permanent was done to the store: it may fail.
    pub fn doom(&mut self, store_id: &StoreId) {
        self.doomed.insert(store_id.clone());
    }

    /// The store's namespace was taken away by hand.
    pub fn rob(&mut self, store_id: &StoreId) {
        self.robbed.insert(store_id.clone());
    }

    /// A worker died; what it had must be resumed.
    pub fn died(&mut self, now: u64, worker: WorkerId, rows: Option<&Snapshot>) {
        let rows = rows.unwrap_or(&self.rows);
        for operation in &rows.operations {
            if operation.worker == Some(worker) && !operation.status.is_finished() {
                self.orphans.entry(operation.id).or_insert((worker, now));
            }
        }
    }

    /// How long each resumption took.
    pub fn recoveries(&self) -> &[u64] {
        &self.recoveries
    }

    /// The rows as they were at the last commit.
    pub const fn rows(&self) -> &Snapshot {
        &self.rows
    }
}
