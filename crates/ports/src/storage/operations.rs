//! The queue of operations, and their steps.
//!
//! A claim takes a lease for a limited time by the database's clock and raises the store's epoch. Everything that a worker writes
//! afterwards is conditioned on that epoch and on the worker: when it is not the row's any more, the write fails with
//! [`StorageError::LeaseLost`] and nothing is changed. An expired lease makes an operation claimable like any other: recovery is not a
//! special case.

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shopwright_domain::operation::{Operation, OperationKind, OperationStatus, ReleaseDigests, SetupStep};
use shopwright_domain::saga::{Step, StepRecord};
use shopwright_domain::store::{EngineName, Failure, Store, StoreState};
use shopwright_domain::{Epoch, OperationId, StoreId, TenantId, WorkerId};

use crate::storage::StorageError;

/// The right to work on an operation, as long as it lasts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The operation.
    pub operation_id: OperationId,
    /// Its store.
    pub store_id: StoreId,
    /// The store's tenant.
    pub tenant_id: TenantId,
    /// The epoch of the claim.
    pub epoch: Epoch,
    /// Whose lease it is.
    pub worker: WorkerId,
}

/// From whom an operation was taken because the lease ran out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakeOver {
    /// The worker that held it.
    pub worker: WorkerId,
    /// Under which epoch.
    pub epoch: Epoch,
    /// How long ago its lease ran out.
    pub idle: SignedDuration,
}

/// An operation that is now the worker's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The right to it.
    pub lease: Lease,
    /// The operation, running.
    pub operation: Operation,
    /// The store, with the raised epoch.
    pub store: Store,
    /// What became of its steps so far.
    pub steps: Vec<StepRecord>,
    /// Whether somebody died or stalled on it.
    pub taken_over: Option<TakeOver>,
    /// The database's time at the claim. Whoever works on the operation counts on from it by the monotonic clock: the wall clocks of
    /// processes may be wrong (RELIABILITY F7).
    pub claimed_at: Timestamp,
}

/// What there is of everything, for whoever runs the platform.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Census {
    /// Stores by state and engine. What is not in it is zero.
    pub stores: Vec<((StoreState, EngineName), u64)>,
    /// Operations that are not finished, by kind and status. What is not in it is zero.
    pub operations: Vec<((OperationKind, OperationStatus), u64)>,
    /// When the oldest operation was asked for that no worker has taken up yet.
    pub oldest_queued: Option<Timestamp>,
}

impl Census {
    /// How many operations of this kind have this status.
    pub fn operations(&self, kind: OperationKind, status: OperationStatus) -> u64 {
        self.operations.iter().find(|(what, _)| *what == (kind, status)).map_or(0, |(_, count)| *count)
    }
}

/// Which operations. `None` everywhere is all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OperationFilter {
    /// Of this tenant.
    pub tenant_id: Option<TenantId>,
    /// On this store.
    pub store_id: Option<StoreId>,
    /// In this status.
    pub status: Option<OperationStatus>,
    /// Of this kind.
    pub kind: Option<OperationKind>,
    /// Behind this one in the list: the time it was asked for, and its id.
    pub after: Option<(Timestamp, OperationId)>,
}

/// The queue of operations, and their steps.
#[async_trait]
pub trait OperationRepository: Send {
    /// Adds an operation and, for a retry, the steps that are already done. [`StorageError::NotUnique`] with
    /// [`super::Unique::UnfinishedOperation`] when the store has another that is not finished.
    async fn enqueue(&mut self, operation: &Operation, done: &[StepRecord]) -> Result<(), StorageError>;

    /// By id.
    async fn get(&mut self, id: OperationId) -> Result<Option<Operation>, StorageError>;

    /// The store's newest operation.
    async fn latest_of(&mut self, store_id: &StoreId) -> Result<Option<Operation>, StorageError>;

    /// At most `limit` operations, the newest first and then by id.
    async fn list(&mut self, filter: &OperationFilter, limit: u32) -> Result<Vec<Operation>, StorageError>;

    /// What became of an operation's steps; steps that never began have no record.
    async fn steps(&mut self, id: OperationId) -> Result<Vec<StepRecord>, StorageError>;

    /// Takes the next operation that is queued, or waits or is stuck and its wake time has come, or whose lease ran out; none that
    /// another transaction is just taking; none on a cluster whose permits are used up; none that was made for a later version of the
    /// sagas than [`shopwright_domain::operation::SAGA_VERSION`]. First the tenant with the fewest running operations, then the oldest.
    /// Raises the store's epoch. `None` when there is nothing to do. Within [`super::Reach::Worker`] only.
    async fn claim(&mut self, worker: WorkerId, lease: Duration) -> Result<Option<Claim>, StorageError>;

    /// When the next operation becomes claimable by time alone: a wake time or the end of a lease. `None` when nothing is scheduled.
    /// Within [`super::Reach::Worker`] only.
    async fn next_due(&mut self) -> Result<Option<Timestamp>, StorageError>;

    /// What there is of everything. For a worker alone, who sees all of it.
    async fn census(&mut self) -> Result<Census, StorageError>;

    /// Writes the record of one step. Fenced.
    async fn record_step(&mut self, lease: &Lease, record: &StepRecord) -> Result<(), StorageError>;

    /// Writes which step runs and how often it failed, for readers. Fenced.
    async fn record_progress(&mut self, lease: &Lease, step: Step, attempt: u32) -> Result<(), StorageError>;

    /// Writes what a running operation waits for inside its step, for readers; `None` when it waits no longer. Fenced.
    async fn note_waiting(&mut self, lease: &Lease, failure: Option<&Failure>) -> Result<(), StorageError>;

    /// Writes what an attempt to install is made of, before it begins. Fenced.
    async fn record_release(&mut self, lease: &Lease, release: &ReleaseDigests) -> Result<(), StorageError>;

    /// Writes what the engine's own set-up has done so far, for readers, over what is there. Fenced.
    async fn record_setup(&mut self, lease: &Lease, steps: &[SetupStep]) -> Result<(), StorageError>;

    /// Raises the epoch of the store and of the running operation to one above `known`, which the cluster has already seen: the database
    /// was restored from before that (DECISIONS 2). Returns the lease as it is now. Fenced. An epoch that is above `known` already stays.
    async fn lift_epoch(&mut self, lease: &Lease, known: Epoch) -> Result<Lease, StorageError>;

    /// Gives the operation back until `wake_at`, as `waiting` or `stuck`, or as `queued` when a worker shuts down. Fenced.
    async fn park(
        &mut self,
        lease: &Lease,
        status: OperationStatus,
        wake_at: Option<Timestamp>,
        failure: Option<&Failure>,
    ) -> Result<(), StorageError>;

    /// Ends the operation as `succeeded` or `failed`. Fenced.
    async fn finish(
        &mut self,
        lease: &Lease,
        status: OperationStatus,
        failure: Option<&Failure>,
        at: Timestamp,
    ) -> Result<(), StorageError>;

    /// Ends the operation as `cancelled` because a later request takes its place; also one that is running: its worker finds its lease lost.
    /// One that is finished stays as it is.
    async fn supersede(&mut self, id: OperationId, at: Timestamp) -> Result<(), StorageError>;
}
