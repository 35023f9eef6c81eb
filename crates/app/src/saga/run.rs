//! One claim in the hands of this worker: what it knows, and why it stops.

use std::time::Duration;

use jiff::Timestamp;
use shopwright_domain::UserId;
use shopwright_domain::operation::{OperationStatus, ReleaseDigests, SetupStep};
use shopwright_domain::saga::{SagaLog, StepError};
use shopwright_domain::store::{Failure, Store};
use shopwright_ports::cluster::Fence;
use shopwright_ports::storage::{Claim, Lease, StorageError};
use shopwright_ports::telemetry::trace_id;
use tracing::Span;

use crate::worker::Leases;

/// How a run ended.
#[derive(Debug)]
pub enum RunEnd {
    /// The operation is succeeded or failed.
    Finished(OperationStatus),
    /// It was given back until its wake time, or because this worker shuts down.
    Parked,
    /// Somebody else has it now; nothing was written.
    LeaseLost,
    /// The database failed. The lease runs out by itself and somebody, perhaps this worker, takes the operation up again.
    Abandoned(StorageError),
}

/// Why a step's effect came to no end.
#[derive(Debug)]
pub(super) enum Halt {
    /// It did not work out: the plan says what follows.
    Failed(StepError),
    /// The database failed, or the lease is lost: nothing more may be done.
    Storage(StorageError),
}

impl From<StepError> for Halt {
    fn from(error: StepError) -> Self {
        Self::Failed(error)
    }
}

impl From<StorageError> for Halt {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// What the executor knows while it runs one claim.
pub(super) struct Run<'a> {
    pub(super) lease: Lease,
    /// Where the lease is renewed: it learns when the lease changes.
    pub(super) leases: &'a Leases,
    pub(super) request_id: Option<shopwright_domain::RequestId>,
    /// The trace of that request.
    pub(super) trace_id: Option<String>,
    /// The span of this claim.
    pub(super) span: Span,
    /// When the operation was asked for: later than that of every earlier operation of the store.
    pub(super) asked_at: Timestamp,
    /// Who asked for it.
    pub(super) requested_by: Option<UserId>,
    /// The W3C trace context of the request.
    pub(super) traceparent: Option<String>,
    pub(super) tracestate: Option<String>,
    pub(super) store: Store,
    pub(super) log: SagaLog,
    /// The database's time at the claim, and ours by the monotonic clock.
    pub(super) claimed_at: (Timestamp, Duration),
    /// Whether this claim's epoch is in the cluster: written before the first change, and only then (DECISIONS 6).
    pub(super) raised: bool,
    /// What the step under way waits for, as readers were told.
    pub(super) noted: Option<Failure>,
    /// Whether readers were told anything that is to be taken back when the step succeeds.
    pub(super) told: bool,
    /// What the last attempt to install was made of.
    pub(super) release: Option<ReleaseDigests>,
    /// What readers were told of the engine's own set-up.
    pub(super) setup: Vec<SetupStep>,
    /// Whether the reason for which it waits is another than before: that is worth an audit event, each back-off is not.
    pub(super) waits_for_another_reason: bool,
}

impl<'a> Run<'a> {
    /// The claim, begun now by the monotonic clock.
    pub(super) fn new(claim: Claim, leases: &'a Leases, monotonic: Duration) -> Self {
        Self {
            lease: claim.lease,
            leases,
            request_id: claim.operation.request_id,
            trace_id: trace_id(claim.operation.traceparent.as_deref()).map(str::to_owned),
            span: Span::current(),
            asked_at: claim.operation.created_at,
            requested_by: claim.operation.requested_by,
            traceparent: claim.operation.traceparent,
            tracestate: claim.operation.tracestate,
            log: SagaLog::from_records(claim.operation.kind, claim.steps),
            store: claim.store,
            claimed_at: (claim.claimed_at, monotonic),
            raised: false,
            noted: None,
            told: false,
            release: claim.operation.release,
            setup: claim.operation.setup,
            waits_for_another_reason: false,
        }
    }

    pub(super) fn fence(&self) -> Fence {
        Fence { store_id: self.lease.store_id.clone(), epoch: self.lease.epoch }
    }
}
