//! The loop: ask the plan, do it, write it down.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use shopwright_domain::ErrorCode;
use shopwright_domain::engine::{EngineCatalogue, EngineDescriptor};
use shopwright_domain::operation::{OperationKind, OperationStatus};
use shopwright_domain::plans::Plans;
use shopwright_domain::saga::{
    DeleteStep, Directive, Policy, ProvisionStep, RevertStep, RotateStep, Step, StepError, StepStatus, UnwindStep,
    UpgradeStep, WaitReason, plan,
};
use shopwright_domain::store::Failure;
use shopwright_ports::clock::{Clock, Entropy};
use shopwright_ports::releases::Releases;
use shopwright_ports::secrets::Sealer;
use shopwright_ports::storage::{Claim, Storage, StorageError};
use shopwright_ports::storefront::Storefront;
use shopwright_ports::telemetry::Telemetry;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::calls::ClusterGuard;
use super::effects::Effect;
use super::run::{Halt, Run, RunEnd};
use crate::stores::PublicUrls;
use crate::worker::Leases;

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
    /// Numbers and traces about what is done.
    pub telemetry: Telemetry,
    /// What is known of the engines.
    pub engines: Arc<EngineCatalogue>,
    /// What organisations' plans mean: how large their stores are.
    pub plans: Plans,
}

impl std::fmt::Debug for Executor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Executor {
    /// Runs the claimed operation. `stop` asks to give it back between two steps; dropping the future is a crash, and as safe as one. A
    /// panic ends this run alone, and counts like a worker that died (RELIABILITY F11).
    pub(crate) async fn run(&self, claim: Claim, stop: &CancellationToken, leases: &Leases) -> RunEnd {
        let (lease, kind, claimed_at) = (claim.lease.clone(), claim.operation.kind, claim.claimed_at);
        let asked_at = claim.operation.created_at;
        self.tell_claimed(&claim);
        let started = self.clock.monotonic();
        let run = async {
            let mut run = Run::new(claim.clone(), leases, started);
            self.record_claim(&mut run, claim.taken_over.as_ref()).await?;
            let end = self.drive(&mut run, stop).await?;
            self.tell_ended(&run, &end, asked_at);
            Ok(end)
        };
        let result = match AssertUnwindSafe(run).catch_unwind().await {
            Ok(result) => result,
            Err(_panic) => {
                let now = claimed_at.checked_add(self.clock.monotonic().saturating_sub(started)).unwrap_or(claimed_at);
                self.record_panic(&leases.current(&lease), kind, now).await.map(|()| RunEnd::Parked)
            }
        };
        match result {
            Ok(end) => end,
            Err(StorageError::LeaseLost) => RunEnd::LeaseLost,
            Err(error) => RunEnd::Abandoned(error),
        }
    }

    async fn drive(&self, run: &mut Run<'_>, stop: &CancellationToken) -> Result<RunEnd, StorageError> {
        if let Some(end) = self.keep_to_budget(run).await? {
            return Ok(end);
        }
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
                    let status = match reason {
                        WaitReason::Backoff | WaitReason::Platform => OperationStatus::Waiting,
                        WaitReason::Stuck => OperationStatus::Stuck,
                    };
                    self.record_parked(run, status, Some(until), Some(&failure)).await?;
                    return Ok(RunEnd::Parked);
                }
                // The last step ends its operation in its own transaction; only a log whose last step was recorded elsewhere gets here.
                Directive::Complete => return self.record_completed(run).await,
                Directive::Fail { failure, .. } => return self.record_failed(run, &failure).await,
            }
        }
    }

    /// What had to wait begins again at a bounded rate; what is begun for the first time, or taken over, at once (RELIABILITY F30).
    async fn keep_to_budget(&self, run: &Run<'_>) -> Result<Option<RunEnd>, StorageError> {
        let waited = run.log.records().iter().find(|record| record.status == StepStatus::Failed);
        let now = self.now(run);
        let Some(error) = waited.filter(|record| record.not_before.is_none_or(|until| until <= now)) else {
            return Ok(None);
        };
        let Err(delay) = self.cluster.begin_again(run.lease.operation_id) else { return Ok(None) };
        let failure = error.error.as_ref().map(|error| Failure::new(error.code, error.detail.clone()));
        let until = now.checked_add(delay).unwrap_or(now);
        self.record_parked(run, OperationStatus::Waiting, Some(until), failure.as_ref()).await?;
        Ok(Some(RunEnd::Parked))
    }

    /// The database's time, carried on by the monotonic clock: a wall clock that jumps makes nothing overdue (RELIABILITY F7).
    pub(super) fn now(&self, run: &Run<'_>) -> Timestamp {
        let (claimed_at, then) = run.claimed_at;
        let since = self.clock.monotonic().saturating_sub(then);
        claimed_at.checked_add(since).unwrap_or(claimed_at)
    }

    /// Runs one step in a span of its own, and tells how it went.
    async fn run_step(
        &self,
        run: &mut Run<'_>,
        step: Step,
        ending: &CancellationToken,
    ) -> Result<Option<RunEnd>, StorageError> {
        let (span, started) = (self.step_span(step), self.clock.monotonic());
        let result = self.try_step(run, step, ending).instrument(span.clone()).await;
        let duration = self.clock.monotonic().saturating_sub(started);
        self.tell_step(run, step, &span, duration);
        result
    }

    /// Runs one step and records it. `Some` when that ended the operation.
    async fn try_step(
        &self,
        run: &mut Run<'_>,
        step: Step,
        ending: &CancellationToken,
    ) -> Result<Option<RunEnd>, StorageError> {
        run.log.start(step, self.now(run)).map_err(illegal)?;
        if is_last(step) {
            return self.record_completed(run).await.map(Some);
        }
        self.record_started(run, step).await?;
        let outcome = if step.only_waits() {
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
            let lease = run.lease.clone();
            let (outcome, told) = self.attend(&lease, self.act(run, step)).await;
            run.told |= told;
            outcome
        };
        match outcome {
            Ok(effect) => {
                run.log.succeed(step, self.now(run)).map_err(illegal)?;
                self.record_succeeded(run, step, &effect).await?;
            }
            Err(Halt::Failed(error)) => self.step_failed(run, step, error).await?,
            Err(Halt::Storage(error)) => return Err(error),
        }
        Ok(None)
    }

    async fn step_failed(&self, run: &mut Run<'_>, step: Step, error: StepError) -> Result<(), StorageError> {
        tracing::warn!(store_id = %run.store.id, operation_id = %run.lease.operation_id, %step, code = %error.code, detail = error.detail, "step failed");
        let before = run.log.record(step).and_then(|record| record.error.as_ref()).map(|error| error.code);
        run.waits_for_another_reason = !before.is_some_and(|before| before.is_same_cause(error.code));
        run.log.fail(step, error, self.now(run), &self.policy, self.entropy.unit()).map_err(illegal)?;
        self.record_failed_step(run, step).await
    }

    async fn act(&self, run: &mut Run<'_>, step: Step) -> Result<Effect, Halt> {
        match step {
            // Boxed: each is large, and the room of all would be taken for every run.
            Step::Provision(step) => Box::pin(self.provision(run, step)).await,
            Step::Rotate(step) => Box::pin(self.rotate(run, step)).await,
            Step::Upgrade(step) => Box::pin(self.upgrade(run, step)).await,
            Step::Revert(step) => Box::pin(self.revert(run, step)).await,
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

    /// What is known of the store's engine. Somebody may have taken the descriptor away since the store was made.
    pub(super) fn engine(&self, run: &Run<'_>) -> Result<&EngineDescriptor, StepError> {
        let engine = self.engines.get(&run.store.engine);
        engine.map_err(|error| StepError::new(ErrorCode::EngineUnavailable, error.to_string()))
    }

    /// A pause of some milliseconds before a transaction that met another one is begun again, longer each time.
    pub(super) async fn step_aside(&self, tries: u32) {
        let pause = SignedDuration::from_millis(10 << tries.min(6)).mul_f64(0.5 + self.entropy.unit());
        self.clock.sleep(pause.try_into().unwrap_or_default()).await;
    }
}

/// Publish, Release, Settle, Promote and Adopt have no effect outside the database: they *are* the transaction that ends the operation.
pub(super) fn is_last(step: Step) -> bool {
    step == last_step(step.kind())
}

/// The last step of a saga.
pub(super) const fn last_step(kind: OperationKind) -> Step {
    match kind {
        OperationKind::Provision => Step::Provision(ProvisionStep::Publish),
        OperationKind::Delete => Step::Delete(DeleteStep::Release),
        OperationKind::Unwind => Step::Unwind(UnwindStep::Settle),
        OperationKind::Rotate => Step::Rotate(RotateStep::Promote),
        OperationKind::Upgrade => Step::Upgrade(UpgradeStep::Adopt),
        OperationKind::Revert => Step::Revert(RevertStep::Settle),
    }
}

/// A log that does not allow what the plan asked for is a fault of ours, reported with the words of both.
pub(super) fn illegal(error: impl std::fmt::Display) -> StorageError {
    StorageError::Internal { detail: error.to_string(), source: None }
}
