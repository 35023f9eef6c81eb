//! Who gets which operation, and when the next one is due.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use shopwright_domain::operation::{Operation, OperationStatus, SAGA_VERSION};
use shopwright_domain::{ClusterName, TenantId, WorkerId};

use super::{Snapshot, lease_end};
use crate::storage::{Claim, Lease, TakeOver};

/// When an operation may be taken: a time in the past for one that waits for nothing, `None` for one that is finished.
fn due(operation: &Operation) -> Option<Timestamp> {
    match operation.status {
        OperationStatus::Queued => Some(Timestamp::MIN),
        OperationStatus::Waiting | OperationStatus::Stuck => Some(operation.wake_at.unwrap_or(Timestamp::MIN)),
        OperationStatus::Running => operation.lease_expires_at,
        OperationStatus::Succeeded | OperationStatus::Failed | OperationStatus::Cancelled => None,
    }
}

impl Snapshot {
    /// Whether an operation's cluster is known and not among the full ones.
    fn has_room(&self, operation: &Operation, full: &BTreeSet<ClusterName>) -> bool {
        // As a rule none is full and one is known: then no store has to be looked up.
        let one = full.is_empty() && self.clusters.len() == 1;
        one || self.store(&operation.store_id).is_some_and(|store| {
            !full.contains(&store.cluster) && self.clusters.iter().any(|row| row.name == store.cluster)
        })
    }

    pub(super) fn claim(&mut self, worker: WorkerId, lease: Duration, now: Timestamp) -> Option<Claim> {
        let mut running: BTreeMap<TenantId, u32> = BTreeMap::new();
        for operation in self.running(now) {
            *running.entry(operation.tenant_id).or_default() += 1;
        }
        let full = self.full(now);
        let running_of = |row: &Operation| running.get(&row.tenant_id).copied().unwrap_or(0);
        let (index, _) = self
            .operations
            .iter()
            .enumerate()
            .filter(|(_, row)| row.saga_version <= SAGA_VERSION)
            .filter(|(_, row)| due(row).is_some_and(|due| due <= now) && self.has_room(row, &full))
            .min_by_key(|(added, row)| (running_of(row), row.created_at, *added))?;

        let before = &self.operations[index];
        let taken_over = before.worker.zip(before.lease_expires_at).map(|(worker, end)| TakeOver {
            worker,
            epoch: before.epoch,
            idle: now.duration_since(end),
        });
        let store_id = before.store_id.clone();
        let store = self.stores.find_mut(|store| store.id == store_id)?;
        store.epoch = store.epoch.next();

        let operation = &mut self.operations[index];
        operation.status = OperationStatus::Running;
        operation.epoch = store.epoch;
        operation.worker = Some(worker);
        operation.lease_expires_at = Some(lease_end(now, lease));
        operation.wake_at = None;
        operation.failure = None;
        operation.started_at.get_or_insert(now);

        let (operation, store) = (operation.clone(), store.clone());
        let lease = Lease {
            operation_id: operation.id,
            store_id: store.id.clone(),
            tenant_id: store.tenant_id,
            epoch: store.epoch,
            worker,
        };
        Some(Claim { lease, steps: self.steps_of(operation.id), operation, store, taken_over, claimed_at: now })
    }

    /// A time that has passed counts only where there is a free permit: on a full cluster it is not time that is waited for.
    pub(super) fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let full = self.full(now);
        self.operations
            .iter()
            .filter(|row| row.status != OperationStatus::Queued && row.saga_version <= SAGA_VERSION)
            .filter_map(|row| due(row).filter(|due| *due > now || self.has_room(row, &full)))
            .min()
    }
}
