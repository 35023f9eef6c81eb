//! The loop: ask the plan, do it, write it down.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use shopwright_domain::operation::{OperationKind, OperationStatus};
use shopwright_domain::saga::{
    DeleteStep, Directive, Policy, ProvisionStep, SagaLog, Step, StepError, UnwindStep, WaitReason, plan,
};
use shopwright_domain::store::{Failure, Store};
use shopwright_ports::clock::{Clock, Entropy};
use shopwright_ports::cluster::{Fence, NamespaceState};
use shopwright_ports::releases::Releases;
use shopwright_ports::secrets::Sealer;
use shopwright_ports::storage::{Claim, Lease, Storage, StorageError};
use shopwright_ports::storefront::Storefront;
use tokio_util::sync::CancellationToken;

use super::calls::ClusterGuard;
use super::effects::Effect;
use crate::stores::PublicUrls;

/// Runs claimed operations to their end, or to the point where they have to wait.
pub struct Executor {
    /// Where everything is written down.
    pub storage: Arc<dyn Storage>,
    /// The cluster, behind its circuit breaker.
    pub cluster: Arc<ClusterGuard>,
    /// Helm.
    pub releases: Arc<dyn Releases>,
    /// The shopper's view.
    pub storefront: Arc<dyn Storefront>,
    /// Opens the credentials that were sealed with the create.
    pub sealer: Arc<dyn Sealer>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Jitter.
    pub entropy: Arc<dyn Entropy>,
    /// How patient an operation is.
    pub policy: Policy,
    /// How shoppers reach hosts.
    pub urls: PublicUrls,
}

impl std::fmt::Debug for Executor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor").field("policy", &self.policy).finish_non_exhaustive()
    }
}

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

/// What the executor knows while it runs one claim.
pub(super) struct Run {
    pub(super) lease: Lease,
    pub(super) request_id: Option<shopwright_domain::RequestId>,
    pub(super) store: Store,
    pub(super) log: SagaLog,
    /// The database's time at the claim, and ours by the monotonic clock.
    pub(super) claimed_at: (Timestamp, Duration),
    /// Whether this claim's epoch is in the cluster: written before the first change, and only then (DECISIONS 6).
    pub(super) raised: bool,
}

impl Run {
    pub(super) fn fence(&self) -> Fence {
        Fence { store_id: self.lease.store_id.clone(), epoch: self.lease.epoch }
    }
}

impl Executor {
    /// Runs the claimed operation. `stop` asks to give it back between two steps; dropping the future is a crash, and as safe as one.
    pub async fn run(&self, claim: Claim, stop: &CancellationToken) -> RunEnd {
        let mut run = Run {
            lease: claim.lease,
            request_id: claim.operation.request_id.clone(),
            log: SagaLog::from_records(claim.operation.kind, claim.steps),
            store: claim.store,
            claimed_at: (claim.claimed_at, self.clock.monotonic()),
            raised: false,
        };
        let result = match self.record_claim(&mut run, claim.taken_over.as_ref()).await {
            Ok(()) => self.drive(&mut run, stop).await,
            Err(error) => Err(error),
        };
        match result {
            Ok(end) => end,
            Err(StorageError::LeaseLost) => RunEnd::LeaseLost,
            Err(error) => RunEnd::Abandoned(error),
        }
    }

    async fn drive(&self, run: &mut Run, stop: &CancellationToken) -> Result<RunEnd, StorageError> {
        loop {
            if stop.is_cancelled() {
                self.record_parked(run, OperationStatus::Queued, None, None).await?;
                return Ok(RunEnd::Parked);
            }
            match plan::next(&run.log, self.now(run), &self.policy) {
                Directive::Run { step } => {
                    if let Some(end) = self.run_step(run, step, stop).await? {
                        return Ok(end);
                    }
                }
                Directive::Wait { until, reason, failure } => {
                    self.park(run, until, reason, &failure).await?;
                    return Ok(RunEnd::Parked);
                }
                // The last step ends its operation in its own transaction; only a log whose last step was recorded elsewhere gets here.
                Directive::Complete => return self.record_completed(run).await,
                Directive::Fail { failure, .. } => return self.record_failed(run, &failure).await,
            }
        }
    }

    /// The database's time, carried on by the monotonic clock: a wall clock that jumps makes nothing overdue (RELIABILITY F7).
    pub(super) fn now(&self, run: &Run) -> Timestamp {
        let (claimed_at, then) = run.claimed_at;
        let since = self.clock.monotonic().saturating_sub(then);
        claimed_at.checked_add(since).unwrap_or(claimed_at)
    }

    /// Runs one step and records it. `Some` when that ended the operation.
    async fn run_step(
        &self,
        run: &mut Run,
        step: Step,
        ending: &CancellationToken,
    ) -> Result<Option<RunEnd>, StorageError> {
        run.log.start(step, self.now(run)).map_err(illegal)?;
        self.record_started(run, step).await?;
        if is_last(step) {
            return self.record_completed(run).await.map(Some);
        }
        let outcome = if only_waits(step) {
            tokio::select! {
                biased;
                outcome = self.act(run, step) => outcome,
                // Another worker can wait just as well.
                () = ending.cancelled() => {
                    self.record_parked(run, OperationStatus::Queued, None, None).await?;
                    return Ok(Some(RunEnd::Parked));
                }
            }
        } else {
            self.act(run, step).await
        };
        let now = self.now(run);
        match outcome {
            Ok(effect) => {
                run.log.succeed(step, now).map_err(illegal)?;
                self.record_succeeded(run, step, effect).await?;
            }
            Err(error) => {
                tracing::warn!(store_id = %run.store.id, operation_id = %run.lease.operation_id, %step, code = %error.code, detail = error.detail, "step failed");
                run.log.fail(step, error, now, &self.policy, self.entropy.unit()).map_err(illegal)?;
                self.record_failed_step(run, step).await?;
            }
        }
        Ok(None)
    }

    async fn act(&self, run: &mut Run, step: Step) -> Result<Effect, StepError> {
        match step {
            Step::Provision(step) => self.provision(run, step).await,
            Step::Delete(DeleteStep::UninstallRelease) | Step::Unwind(UnwindStep::UninstallRelease) => {
                self.uninstall_release(run).await
            }
            Step::Delete(DeleteStep::DeleteNamespace) | Step::Unwind(UnwindStep::DeleteNamespace) => {
                self.delete_namespace(run).await
            }
            Step::Delete(DeleteStep::VerifyGone) | Step::Unwind(UnwindStep::VerifyGone) => self.verify_gone(run).await,
            // The last step is a transaction and nothing else.
            Step::Delete(DeleteStep::Release) | Step::Unwind(UnwindStep::Settle) => Ok(Effect::default()),
        }
    }

    /// Makes sure that the cluster knows this claim's epoch before anything is changed under it.
    pub(super) async fn raise(&self, run: &mut Run) -> Result<NamespaceState, StepError> {
        if run.raised {
            return Ok(NamespaceState::Present);
        }
        let state = self.cluster.call(self.cluster.cluster().raise_epoch(&run.fence())).await?;
        run.raised = state == NamespaceState::Present;
        Ok(state)
    }

    async fn park(
        &self,
        run: &mut Run,
        until: Timestamp,
        reason: WaitReason,
        failure: &Failure,
    ) -> Result<(), StorageError> {
        let status = match reason {
            WaitReason::Backoff | WaitReason::Platform => OperationStatus::Waiting,
            WaitReason::Stuck => OperationStatus::Stuck,
        };
        self.record_parked(run, status, Some(until), Some(failure)).await
    }
}

/// Publish, Release and Settle have no effect outside the database: they *are* the transaction that ends the operation.
pub(super) fn is_last(step: Step) -> bool {
    step == last_step(step.kind())
}

/// Steps without an effect of their own: stopping in the middle of one leaves nothing behind.
const fn only_waits(step: Step) -> bool {
    matches!(
        step,
        Step::Provision(ProvisionStep::AwaitWorkloads | ProvisionStep::VerifyStorefront)
            | Step::Delete(DeleteStep::VerifyGone)
            | Step::Unwind(UnwindStep::VerifyGone)
    )
}

/// The last step of a saga.
pub(super) const fn last_step(kind: OperationKind) -> Step {
    match kind {
        OperationKind::Provision => Step::Provision(ProvisionStep::Publish),
        OperationKind::Delete => Step::Delete(DeleteStep::Release),
        OperationKind::Unwind => Step::Unwind(UnwindStep::Settle),
    }
}

/// A log that does not allow what the plan asked for is a fault of ours, reported with the words of both.
pub(super) fn illegal(error: impl std::fmt::Display) -> StorageError {
    StorageError::Internal { detail: error.to_string(), source: None }
}
