//! Waiting for what was installed, and the look of a shopper. Every saga that installs ends with these two.

use std::time::Duration;

use jiff::SignedDuration;
use shopwright_domain::ErrorCode;
use shopwright_domain::audit::AuditEventType;
use shopwright_domain::operation::SetupStep;
use shopwright_domain::saga::{StepError, StepRecord};
use shopwright_domain::store::Failure;
use shopwright_ports::cluster::{Rollout, SetupResult};
use shopwright_ports::storage::{Reach, StorageError};

use super::effects::{Effect, Note};
use super::executor::Executor;
use super::run::{Halt, Run};

/// How long one look at the workloads lasts before the deadline is checked again.
const LOOK: Duration = Duration::from_secs(5);
/// A start that takes longer than this is told to readers even when it is nobody's fault.
const SLOW: SignedDuration = SignedDuration::from_secs(15);
/// How long a storefront that does not answer is asked within one attempt, and how often.
const PROBE_PATIENCE: SignedDuration = SignedDuration::from_secs(20);
const PROBE_PAUSE: Duration = Duration::from_millis(500);

impl Executor {
    /// Waits while the lease is held: the workloads are watched, not polled. A reason that a retry may mend ends the attempt once it has
    /// lasted; slowness alone ends with the step's deadline.
    pub(super) async fn await_workloads(&self, run: &mut Run<'_>) -> Result<Effect, Halt> {
        let wanted = self.engine(run)?.readiness().clone();
        let mut seen: Option<(ErrorCode, jiff::Timestamp)> = None;
        loop {
            let rollout =
                self.cluster.call(self.cluster.cluster().await_workloads(&run.store.id, &wanted, LOOK)).await?;
            let failure = match rollout {
                Rollout::Ready(result) => {
                    self.tell_setup(run, &result.steps).await?;
                    return Ok(set_up(result));
                }
                Rollout::Failed(failure) => return Err(failed(failure).into()),
                Rollout::Pending(failure) => failure,
            };
            let now = self.now(run);
            let since = match seen {
                Some((code, since)) if code == failure.code => since,
                Some(_) | None => {
                    tracing::info!(store_id = %run.store.id, code = %failure.code, detail = failure.detail, "the workloads are not ready yet");
                    now
                }
            };
            seen = Some((failure.code, since));
            let lasting = has_a_cause(failure.code) && now.duration_since(since) >= self.policy.cause_grace;
            let deadline = |record: &StepRecord| record.spent(now) >= self.policy.deadline(record.step);
            let overdue = run.log.current().is_some_and(deadline);
            if lasting || overdue {
                return Err(failed(failure).into());
            }
            let tell = !is_slowness(failure.code) || now.duration_since(since) >= SLOW;
            self.note(run, tell.then_some(failure)).await?;
            if wanted.setup {
                self.follow_setup(run).await?;
            }
            // A look that came back at once found nothing to wait for.
            self.clock.sleep(PROBE_PAUSE).await;
        }
    }

    /// Tells readers how far the set-up has come. Past the guard: what is seen or not seen here says nothing about the cluster.
    async fn follow_setup(&self, run: &mut Run<'_>) -> Result<(), StorageError> {
        let steps = self.cluster.cluster().setup_progress(&run.fence()).await;
        self.tell_setup(run, &steps).await
    }

    /// Written when it changes, not at each look. A set-up that says nothing leaves what was told before.
    async fn tell_setup(&self, run: &mut Run<'_>, steps: &[SetupStep]) -> Result<(), StorageError> {
        if steps.is_empty() || run.setup == steps {
            return Ok(());
        }
        let mut tx = self.storage.begin(Reach::Worker).await?;
        tx.operations().record_setup(&run.lease, steps).await?;
        tx.commit().await?;
        run.setup = steps.to_vec();
        Ok(())
    }

    /// Asks the way a shopper does, for what they ask first: the pods' own readiness says that the store is set up, this says that it can
    /// be reached and answers. The ingress needs a moment to learn of a new host, so one attempt asks for a while.
    pub(super) async fn verify_storefront(&self, run: &mut Run<'_>) -> Result<Effect, Halt> {
        let start = self.now(run);
        let path = self.engine(run)?.storefront_path().to_owned();
        loop {
            match self.storefront.probe(&run.store.host, &path).await {
                Ok(()) => return Ok(Effect::default()),
                Err(error) if self.now(run).duration_since(start) >= PROBE_PATIENCE => {
                    // When the cluster cannot be reached either, it is an outage and not this store's fault (RELIABILITY F32).
                    self.cluster.check().await?;
                    return Err(StepError::new(ErrorCode::StorefrontUnreachable, error.to_string()).into());
                }
                Err(error) => {
                    if self.now(run).duration_since(start) >= PROBE_PATIENCE / 4 {
                        let failure = Failure::new(ErrorCode::StorefrontUnreachable, error.to_string());
                        self.note(run, Some(failure)).await?;
                    }
                    self.clock.sleep(PROBE_PAUSE).await;
                }
            }
        }
    }
}

/// Whether the code names something that does not pass by waiting longer. A node may come back, and its pods move after some minutes.
const fn has_a_cause(code: ErrorCode) -> bool {
    !is_slowness(code) && !matches!(code, ErrorCode::NodeLost)
}

/// Whether every start looks like this for a while.
const fn is_slowness(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::RolloutTimeout | ErrorCode::ProbeFailing)
}

fn failed(failure: Failure) -> StepError {
    StepError::new(failure.code, failure.detail)
}

fn set_up(result: SetupResult) -> Effect {
    let mut note = Note::new(AuditEventType::Info, "the store is set up").with("setupResult", "ok");
    if let Some(version) = result.version {
        note = note.with("engineVersion", version);
    }
    if let Some(text) = &result.note {
        note = note.with("note", text.as_str());
    }
    let mut effect = Effect::noting(note);
    effect.engine_note = result.note;
    effect
}
