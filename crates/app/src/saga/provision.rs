//! The effects of a provision's steps.

use std::time::Duration;

use jiff::SignedDuration;
use shopwright_domain::ErrorCode;
use shopwright_domain::audit::AuditEventType;
use shopwright_domain::saga::{ProvisionStep, Step, StepError};
use shopwright_domain::store::Failure;
use shopwright_ports::cluster::{NamespaceState, Rollout, SetupResult};
use shopwright_ports::releases::ReleaseSpec;
use shopwright_ports::secrets::StoreCredentials;
use shopwright_ports::storage::Reach;

use super::effects::{Effect, Note};
use super::executor::Executor;
use super::run::{Halt, Run};

/// How long one look at the workloads lasts before the deadline is checked again.
const LOOK: Duration = Duration::from_secs(5);
/// A start that takes longer than this is told to readers even when it is nobody's fault.
const SLOW: SignedDuration = SignedDuration::from_secs(15);
/// How long a storefront that does not answer is asked within one attempt, and how often.
const PROBE_PATIENCE: SignedDuration = SignedDuration::from_secs(20);
/// What a shopper asks for first. The pods' own readiness says that the store is set up; this says that it can be reached and answers.
const HOME_PAGE: &str = "/";
const PROBE_PAUSE: Duration = Duration::from_millis(500);

impl Executor {
    pub(super) async fn provision(&self, run: &mut Run<'_>, step: ProvisionStep) -> Result<Effect, Halt> {
        match step {
            ProvisionStep::CreateNamespace => self.create_namespace(run).await,
            ProvisionStep::CreateCredentials => self.create_credentials(run).await,
            ProvisionStep::InstallRelease => self.install_release(run).await,
            ProvisionStep::AwaitWorkloads => self.await_workloads(run).await,
            ProvisionStep::VerifyStorefront => self.verify_storefront(run).await,
            ProvisionStep::Publish => Ok(Effect::default()),
        }
    }

    async fn create_namespace(&self, run: &mut Run<'_>) -> Result<Effect, Halt> {
        self.make_namespace(run).await?;
        Ok(Effect::default())
    }

    /// A namespace that is not there any more has to be made again, with everything in it.
    async fn raise_present(&self, run: &mut Run<'_>) -> Result<(), Halt> {
        match self.raise(run).await? {
            NamespaceState::Present => Ok(()),
            NamespaceState::Absent => Err(StepError::new(ErrorCode::NamespaceLost, "the namespace is gone").into()),
            NamespaceState::Terminating => {
                Err(StepError::new(ErrorCode::NamespaceTerminating, "the namespace is terminating").into())
            }
        }
    }

    async fn create_credentials(&self, run: &mut Run<'_>) -> Result<Effect, Halt> {
        let credentials = self.credentials(run).await?;
        self.raise_present(run).await?;
        self.cluster.call(self.cluster.cluster().put_credentials(&run.fence(), &credentials)).await?;
        Ok(Effect::default())
    }

    /// Opens what was sealed with the create; nothing is ever minted here (DECISIONS 15).
    async fn credentials(&self, run: &Run<'_>) -> Result<StoreCredentials, Halt> {
        let internal = |detail: String| StepError::new(ErrorCode::Internal, detail);
        let unreadable = |detail: String| StepError::new(ErrorCode::CredentialsUnreadable, detail);
        let sealed = {
            let mut tx = self.storage.begin(Reach::Worker).await?;
            tx.credentials().get(&run.store.id).await?
        };
        let sealed = sealed.ok_or_else(|| internal("the store has no sealed credentials".to_owned()))?;
        let plain = self.sealer.open(run.store.id.as_str(), &sealed).map_err(|error| unreadable(error.to_string()))?;
        Ok(StoreCredentials::decode(&plain).map_err(|error| unreadable(error.to_string()))?)
    }

    async fn install_release(&self, run: &mut Run<'_>) -> Result<Effect, Halt> {
        self.raise_present(run).await?;
        let store = &run.store;
        let spec = ReleaseSpec {
            store_id: store.id.clone(),
            engine: store.engine,
            name: store.name.clone(),
            host: store.host.clone(),
            public_url: self.urls.storefront(&store.host),
            theme: store.theme,
            // A retry may bring a new password for the administrator (DECISIONS 14) to a store whose set-up has finished.
            setup_revision: store.retry_count,
        };
        let announced = self.releases.digests(&spec).await.map_err(StepError::from)?;
        self.record_release(run, &announced).await?;
        let installed = self.cluster.call(self.releases.install(&run.fence(), &spec)).await?;
        self.record_release(run, &installed.digests).await?;
        let store = &run.store;
        let mut note = Note::new(AuditEventType::HelmInstall, format!("release {} is installed", store.id.release()))
            .with("engine", store.engine.as_str())
            .with("namespace", store.id.namespace())
            .with("revision", i64::from(installed.revision))
            .with("chartDigest", installed.digests.chart)
            .with("valuesDigest", installed.digests.values)
            .with("helmDigest", installed.digests.helm);
        if !installed.healed.is_empty() {
            note = note.with("healed", installed.healed.join("; "));
        }
        Ok(Effect::noting(note))
    }

    /// Waits while the lease is held: the workloads are watched, not polled. A reason that a retry may mend ends the attempt once it has
    /// lasted; slowness alone ends with the step's deadline.
    async fn await_workloads(&self, run: &mut Run<'_>) -> Result<Effect, Halt> {
        let step = Step::Provision(ProvisionStep::AwaitWorkloads);
        let mut seen: Option<(ErrorCode, jiff::Timestamp)> = None;
        loop {
            let rollout = self.cluster.call(self.cluster.cluster().await_workloads(&run.store.id, LOOK)).await?;
            let failure = match rollout {
                Rollout::Ready(result) => return Ok(set_up(result)),
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
            let overdue = run.log.record(step).is_some_and(|record| record.spent(now) >= self.policy.deadline(step));
            if lasting || overdue {
                return Err(failed(failure).into());
            }
            let tell = has_a_cause(failure.code) || now.duration_since(since) >= SLOW;
            self.note(run, tell.then_some(failure)).await?;
            // A look that came back at once found nothing to wait for.
            self.clock.sleep(PROBE_PAUSE).await;
        }
    }

    /// Asks the way a shopper does. The ingress needs a moment to learn of a new host, so one attempt asks for a while.
    async fn verify_storefront(&self, run: &mut Run<'_>) -> Result<Effect, Halt> {
        let start = self.now(run);
        loop {
            match self.storefront.probe(&run.store.host, HOME_PAGE).await {
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

/// Whether the code names something that does not pass by waiting longer.
const fn has_a_cause(code: ErrorCode) -> bool {
    !matches!(code, ErrorCode::RolloutTimeout | ErrorCode::ProbeFailing)
}

fn failed(failure: Failure) -> StepError {
    StepError::new(failure.code, failure.detail)
}

fn set_up(result: SetupResult) -> Effect {
    let mut note = Note::new(AuditEventType::Info, "the store is set up").with("setupResult", "ok");
    if let Some(version) = result.version {
        note = note.with("engineVersion", version);
    }
    for (name, millis) in &result.steps {
        tracing::debug!(step = name, millis, "set-up step");
    }
    if let Some(text) = &result.note {
        note = note.with("note", text.as_str());
    }
    let mut effect = Effect::noting(note);
    effect.engine_note = result.note;
    effect
}
