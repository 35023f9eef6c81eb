//! Who gets which operation, and when the next one is due.

use std::time::Duration;

use jiff::Timestamp;
use shopwright_domain::WorkerId;
use shopwright_domain::operation::{Operation, OperationStatus, SAGA_VERSION};

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
    fn has_room(&self, operation: &Operation, now: Timestamp) -> bool {
        self.store(&operation.store_id).is_some_and(|store| !self.is_full(&store.cluster, now))
    }

    pub(super) fn claim(&mut self, worker: WorkerId, lease: Duration, now: Timestamp) -> Option<Claim> {
        let running_of = |row: &Operation| self.running(now).filter(|other| other.tenant_id == row.tenant_id).count();
        let (index, _) = self
            .operations
            .iter()
            .enumerate()
            .filter(|(_, row)| row.saga_version <= SAGA_VERSION)
            .filter(|(_, row)| due(row).is_some_and(|due| due <= now) && self.has_room(row, now))
            .min_by_key(|(added, row)| (running_of(row), row.created_at, *added))?;

        let before = &self.operations[index];
        let taken_over = before.worker.zip(before.lease_expires_at).map(|(worker, end)| TakeOver {
            worker,
            epoch: before.epoch,
            idle: now.duration_since(end),
        });
        let store_id = before.store_id.clone();
        let store = self.stores.iter_mut().find(|store| store.id == store_id)?;
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
        self.operations
            .iter()
            .filter(|row| row.status != OperationStatus::Queued && row.saga_version <= SAGA_VERSION)
            .filter_map(|row| due(row).filter(|due| *due > now || self.has_room(row, now)))
            .min()
    }
}
