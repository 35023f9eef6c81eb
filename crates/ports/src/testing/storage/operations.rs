//! The queue of operations, and their steps.

use std::cmp::Reverse;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::operation::{Operation, OperationStatus, ReleaseDigests, SetupStep};
use shopwright_domain::saga::{Step, StepRecord};
use shopwright_domain::store::Failure;
use shopwright_domain::{Epoch, OperationId, StoreId, WorkerId};

use super::Snapshot;
use super::transaction::FakeTransaction;
use crate::storage::{Census, Claim, Lease, OperationFilter, OperationRepository, Reach, StorageError, Unique};

fn put_step(rows: &mut Snapshot, id: OperationId, record: &StepRecord) {
    let Some((_, steps)) = rows.steps.find_mut(|(of, _)| *of == id) else {
        return rows.steps.push((id, vec![record.clone()]));
    };
    steps.retain(|known| known.step != record.step);
    steps.push(record.clone());
}

impl FakeTransaction {
    /// All rows, for a worker that looks for something to do.
    fn queue(&mut self) -> Result<&mut Snapshot, StorageError> {
        let allowed = self.reach == Reach::Worker;
        self.within_reach(allowed, "claiming operations")?;
        self.rows()
    }

    fn fenced(&mut self, lease: &Lease) -> Result<&mut Operation, StorageError> {
        let reach = self.reach;
        let operation = self.owned_rows()?.leased_mut(lease);
        operation.filter(|operation| reach.covers(operation.tenant_id)).ok_or(StorageError::LeaseLost)
    }
}

/// Counts one more of `what`.
pub(super) fn add<T: PartialEq>(counts: &mut Vec<(T, u64)>, what: T) {
    match counts.iter_mut().find(|(known, _)| *known == what) {
        Some((_, count)) => *count += 1,
        None => counts.push((what, 1)),
    }
}

fn not_allowed(what: &str, status: OperationStatus) -> StorageError {
    StorageError::Internal { detail: format!("an operation cannot be {what} as {status}"), source: None }
}

#[async_trait]
impl OperationRepository for FakeTransaction {
    async fn enqueue(&mut self, operation: &Operation, done: &[StepRecord]) -> Result<(), StorageError> {
        self.admit(operation.tenant_id)?;
        let rows = self.rows()?;
        let fresh = rows.operation(operation.id).is_none();
        let unfinished =
            rows.operations.iter().any(|row| row.store_id == operation.store_id && !row.status.is_finished());
        let theirs = rows.store(&operation.store_id).is_some_and(|store| store.tenant_id == operation.tenant_id);
        self.require(fresh, "a fresh operation id")?;
        if unfinished && !operation.status.is_finished() {
            return Err(self.not_unique(Unique::UnfinishedOperation));
        }
        self.require(theirs, "the tenant's store")?;
        let rows = self.rows()?;
        rows.operations.push(operation.clone());
        for record in done {
            put_step(rows, operation.id, record);
        }
        self.touched.operation(operation.id, None);
        Ok(())
    }

    async fn get(&mut self, id: OperationId) -> Result<Option<Operation>, StorageError> {
        let reach = self.reach;
        Ok(self.owned_rows()?.operation(id).filter(|row| reach.covers(row.tenant_id)).cloned())
    }

    async fn latest_of(&mut self, store_id: &StoreId) -> Result<Option<Operation>, StorageError> {
        let reach = self.reach;
        let is_it = |row: &&Operation| reach.covers(row.tenant_id) && row.store_id == *store_id;
        let of_store = self.owned_rows()?.operations.iter().filter(is_it);
        // Of two from the same microsecond the one that was added later.
        Ok(of_store.enumerate().max_by_key(|(added, row)| (row.created_at, *added)).map(|(_, row)| row.clone()))
    }

    async fn list(&mut self, filter: &OperationFilter, limit: u32) -> Result<Vec<Operation>, StorageError> {
        let key = |at: Timestamp, id: OperationId| (Reverse(at), id);
        let reach = self.reach;
        let wanted = |row: &&Operation| {
            reach.covers(row.tenant_id)
                && filter.tenant_id.is_none_or(|tenant| row.tenant_id == tenant)
                && filter.store_id.as_ref().is_none_or(|store| row.store_id == *store)
                && filter.status.is_none_or(|status| row.status == status)
                && filter.kind.is_none_or(|kind| row.kind == kind)
                && filter.after.is_none_or(|(at, id)| key(row.created_at, row.id) > key(at, id))
        };
        let mut operations: Vec<_> = self.owned_rows()?.operations.iter().filter(wanted).cloned().collect();
        operations.sort_by_key(|row| key(row.created_at, row.id));
        operations.truncate(limit as usize);
        Ok(operations)
    }

    async fn steps(&mut self, id: OperationId) -> Result<Vec<StepRecord>, StorageError> {
        let seen = self.get(id).await?.is_some();
        Ok(if seen { self.rows()?.steps_of(id) } else { Vec::new() })
    }

    async fn claim(&mut self, worker: WorkerId, lease: Duration) -> Result<Option<Claim>, StorageError> {
        let now = self.now();
        let faults = std::sync::Arc::clone(&self.faults);
        let rows = self.queue()?;
        faults.around("claim", || Ok(rows.claim(worker, lease, now))).await
    }

    async fn next_due(&mut self) -> Result<Option<Timestamp>, StorageError> {
        let now = self.now();
        Ok(self.queue()?.next_due(now))
    }

    async fn census(&mut self) -> Result<Census, StorageError> {
        let rows = self.queue()?;
        let mut census = Census::default();
        for store in &rows.stores {
            add(&mut census.stores, (store.state, store.engine.clone()));
        }
        for operation in rows.operations.iter().filter(|operation| !operation.status.is_finished()) {
            add(&mut census.operations, (operation.kind, operation.status));
        }
        let queued = rows.operations.iter().filter(|operation| operation.status == OperationStatus::Queued);
        census.oldest_queued = queued.map(|operation| operation.created_at).min();
        Ok(census)
    }

    async fn record_step(&mut self, lease: &Lease, record: &StepRecord) -> Result<(), StorageError> {
        self.fenced(lease)?;
        put_step(self.rows()?, lease.operation_id, record);
        self.touched.operation(lease.operation_id, Some(record.step));
        Ok(())
    }

    async fn record_progress(&mut self, lease: &Lease, step: Step, attempt: u32) -> Result<(), StorageError> {
        let operation = self.fenced(lease)?;
        operation.step = Some(step);
        operation.attempt = attempt;
        self.touched.operation(lease.operation_id, None);
        Ok(())
    }

    async fn note_waiting(&mut self, lease: &Lease, failure: Option<&Failure>) -> Result<(), StorageError> {
        self.fenced(lease)?.failure = failure.cloned();
        self.touched.operation(lease.operation_id, None);
        Ok(())
    }

    async fn record_release(&mut self, lease: &Lease, release: &ReleaseDigests) -> Result<(), StorageError> {
        self.fenced(lease)?.release = Some(release.clone());
        Ok(())
    }

    async fn record_setup(&mut self, lease: &Lease, steps: &[SetupStep]) -> Result<(), StorageError> {
        self.fenced(lease)?.setup = steps.to_vec();
        self.touched.operation(lease.operation_id, None);
        Ok(())
    }

    async fn lift_epoch(&mut self, lease: &Lease, known: Epoch) -> Result<Lease, StorageError> {
        self.fenced(lease)?;
        if lease.epoch > known {
            return Ok(lease.clone());
        }
        let epoch = known.next();
        self.fenced(lease)?.epoch = epoch;
        let rows = self.rows()?;
        let store = rows.stores.find_mut(|store| store.id == lease.store_id);
        store.ok_or(StorageError::LeaseLost)?.epoch = epoch;
        Ok(Lease { epoch, ..lease.clone() })
    }

    async fn park(
        &mut self,
        lease: &Lease,
        status: OperationStatus,
        wake_at: Option<Timestamp>,
        failure: Option<&Failure>,
    ) -> Result<(), StorageError> {
        if !matches!(status, OperationStatus::Queued | OperationStatus::Waiting | OperationStatus::Stuck) {
            return Err(not_allowed("parked", status));
        }
        let operation = self.fenced(lease)?;
        operation.status = status;
        operation.wake_at = wake_at;
        operation.failure = failure.cloned();
        operation.worker = None;
        operation.lease_expires_at = None;
        self.touched.operation(lease.operation_id, None);
        Ok(())
    }

    async fn finish(
        &mut self,
        lease: &Lease,
        status: OperationStatus,
        failure: Option<&Failure>,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        if !matches!(status, OperationStatus::Succeeded | OperationStatus::Failed) {
            return Err(not_allowed("finished", status));
        }
        let operation = self.fenced(lease)?;
        operation.status = status;
        operation.failure = failure.cloned();
        operation.worker = None;
        operation.lease_expires_at = None;
        operation.finished_at = Some(at);
        self.touched.operation(lease.operation_id, None);
        Ok(())
    }

    async fn supersede(&mut self, id: OperationId, at: Timestamp) -> Result<(), StorageError> {
        let reach = self.reach;
        let unfinished = |row: &Operation| reach.covers(row.tenant_id) && row.id == id && !row.status.is_finished();
        if let Some(operation) = self.owned_rows()?.operations.find_mut(unfinished) {
            operation.status = OperationStatus::Cancelled;
            operation.worker = None;
            operation.lease_expires_at = None;
            operation.wake_at = None;
            operation.finished_at = Some(at);
            self.touched.operation(id, None);
        }
        Ok(())
    }
}
