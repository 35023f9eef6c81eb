//! The transactions of a run. Each is conditioned on the claim: when it is not ours any more, nothing is written. One that meets another
//! is begun again (RELIABILITY F21); one whose commit was not answered ends the run, and whoever takes up the operation reads what is true (F15).

use jiff::{SignedDuration, Timestamp};
use shopwright_domain::OperationId;
use shopwright_domain::audit::{AuditEventType, SecurityAction};
use shopwright_domain::engine::EngineDescriptor;
use shopwright_domain::operation::{Operation, OperationKind, OperationStatus, ReleaseDigests};
use shopwright_domain::saga::{SagaLog, Step, StepStatus};
use shopwright_domain::store::{Failure, Store, StoreEvent, StoreState};
use shopwright_ports::storage::{Reach, StorageError, TakeOver, Transaction};

use super::effects::{Effect, Note};
use super::executor::{Executor, illegal, last_step};
use super::run::{Run, RunEnd};

/// How often a transaction is begun again when it meets others.
const MEETINGS: u32 = 5;

/// Begins a transaction again while it meets others.
macro_rules! again {
    ($executor:expr, $attempt:expr) => {{
        let mut tries = 0;
        loop {
            match $attempt.await {
                Err(error) if error.is_conflict() && tries < MEETINGS => {
                    tries += 1;
                    $executor.step_aside(tries).await;
                }
                result => break result,
            }
        }
    }};
}

impl Executor {
    /// The first transaction of a claim: the store is being provisioned now; a take-over is written down, and a step that its worker did not
    /// survive is counted before it is run again.
    pub(super) async fn record_claim(
        &self,
        run: &mut Run<'_>,
        taken_over: Option<&TakeOver>,
    ) -> Result<(), StorageError> {
        let begins = run.log.kind() == OperationKind::Provision && run.store.state == StoreState::Requested;
        let began = run.log.current().filter(|record| record.status == StepStatus::Started).map(|record| record.step);
        if let Some(from) = taken_over {
            run.log.unattended(from.idle);
            // A step that only looks runs next to no code: whoever dies meanwhile dies of something else.
            if let Some(step) = began.filter(|step| !step.only_waits()) {
                let before = run.log.record(step).and_then(|record| record.error.as_ref()).map(|error| error.code);
                run.log.crash(step, self.now(run), &self.policy, self.entropy.unit()).map_err(illegal)?;
                let now = run.log.record(step).and_then(|record| record.error.as_ref()).map(|error| error.code);
                run.waits_for_another_reason = before != now;
            }
        }
        if begins || taken_over.is_some() {
            again!(self, self.try_record_claim(run, taken_over, began, begins))?;
        }
        Ok(())
    }

    async fn try_record_claim(
        &self,
        run: &mut Run<'_>,
        taken_over: Option<&TakeOver>,
        began: Option<Step>,
        begins: bool,
    ) -> Result<(), StorageError> {
        let mut tx = self.begin_changing(run).await?;
        if let Some(from) = taken_over {
            tx.audit().append(&self.recovery(run, from)).await?;
        }
        if begins {
            self.move_store(tx.as_mut(), run, StoreEvent::ProvisioningStarted, None).await?;
        }
        // Fenced, and last: without the lease nothing above stands.
        match began {
            Some(step) => self.record_step(tx.as_mut(), run, step).await?,
            None => self.progress(tx.as_mut(), run).await?,
        }
        tx.commit().await
    }

    pub(super) async fn record_started(&self, run: &Run<'_>, step: Step) -> Result<(), StorageError> {
        again!(self, async {
            let mut tx = self.storage.begin(Reach::Worker).await?;
            self.record_step(tx.as_mut(), run, step).await?;
            tx.commit().await
        })
    }

    pub(super) async fn record_succeeded(
        &self,
        run: &mut Run<'_>,
        step: Step,
        effect: &Effect,
    ) -> Result<(), StorageError> {
        again!(self, self.try_record_succeeded(run, step, effect))?;
        run.noted = None;
        run.told = false;
        Ok(())
    }

    async fn try_record_succeeded(&self, run: &mut Run<'_>, step: Step, effect: &Effect) -> Result<(), StorageError> {
        let mut tx = if effect.notes.is_empty() && effect.engine_note.is_none() {
            self.storage.begin(Reach::Worker).await?
        } else {
            self.begin_changing(run).await?
        };
        for note in &effect.notes {
            tx.audit().append(&self.event(run, note.clone())).await?;
        }
        if let Some(note) = &effect.engine_note {
            let mut store = self.lock_store(tx.as_mut(), run).await?;
            store.engine_note = Some(note.clone());
            tx.stores().save(&mut store).await?;
            run.store = store;
        }
        if run.told {
            tx.operations().note_waiting(&run.lease, None).await?;
        }
        self.record_step(tx.as_mut(), run, step).await?;
        tx.commit().await
    }

    pub(super) async fn record_failed_step(&self, run: &Run<'_>, step: Step) -> Result<(), StorageError> {
        again!(self, async {
            let mut tx = self.storage.begin(Reach::Worker).await?;
            // A lost namespace resets earlier steps too.
            for record in run.log.records() {
                if record.first_started_at.is_some() && record.step != step {
                    tx.operations().record_step(&run.lease, record).await?;
                }
            }
            self.record_step(tx.as_mut(), run, step).await?;
            tx.commit().await
        })
    }

    /// What the coming installation is made of. Another than the attempt before it: the chart or helm was replaced meanwhile, and whoever
    /// looks for the reason of a difference finds it here (RELIABILITY F54).
    pub(super) async fn record_release(&self, run: &mut Run<'_>, release: &ReleaseDigests) -> Result<(), StorageError> {
        if run.release.as_ref() == Some(release) {
            return Ok(());
        }
        let changed = run.release.as_ref().map(|before| self.release_changed(run, before, release));
        again!(self, async {
            let mut tx = self.begin_changing(run).await?;
            if let Some(event) = &changed {
                tx.audit().append(event).await?;
            }
            tx.operations().record_release(&run.lease, release).await?;
            tx.commit().await
        })?;
        run.release = Some(release.clone());
        Ok(())
    }

    /// Gives the operation back. A reason that is new is written down, each look at an old one is not.
    pub(super) async fn record_parked(
        &self,
        run: &Run<'_>,
        status: OperationStatus,
        until: Option<Timestamp>,
        failure: Option<&Failure>,
    ) -> Result<(), StorageError> {
        again!(self, async {
            let news = failure.filter(|_| run.waits_for_another_reason);
            let mut tx = match news {
                Some(_) => self.begin_changing(run).await?,
                None => self.storage.begin(Reach::Worker).await?,
            };
            if let Some(failure) = news {
                tx.audit().append(&self.waits(run, status, failure)).await?;
            }
            tx.operations().park(&run.lease, status, until, failure).await?;
            tx.commit().await
        })
    }

    /// The last step: the store is ready, or deleted, and the operation with it.
    pub(super) async fn record_completed(&self, run: &mut Run<'_>) -> Result<RunEnd, StorageError> {
        let now = self.now(run);
        let last = run.log.current().map(|record| record.step);
        if let Some(step) = last {
            run.log.succeed(step, now).map_err(illegal)?;
        }
        again!(self, self.try_record_completed(run, last, now))?;
        Ok(RunEnd::Finished(OperationStatus::Succeeded))
    }

    async fn try_record_completed(
        &self,
        run: &mut Run<'_>,
        last: Option<Step>,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let mut tx = self.begin_changing(run).await?;
        if let Some(step) = last {
            self.record_step(tx.as_mut(), run, step).await?;
        }
        match run.log.kind() {
            OperationKind::Provision => {
                self.move_store(tx.as_mut(), run, StoreEvent::Provisioned, None).await?;
                self.keep_release(tx.as_mut(), run).await?;
            }
            OperationKind::Delete => {
                self.move_store(tx.as_mut(), run, StoreEvent::Deleted, None).await?;
                tx.credentials().remove(&run.store.id).await?;
                tx.releases().forget(&run.store.id).await?;
            }
            OperationKind::Rotate => {
                tx.credentials().promote(&run.store.id).await?;
                self.keep_release(tx.as_mut(), run).await?;
                let note =
                    Note::new(AuditEventType::Security, "the new passwords are in force, the old ones forgotten");
                tx.audit().append(&self.event(run, note.with("action", SecurityAction::CredentialsRotated))).await?;
            }
            OperationKind::Upgrade => {
                self.keep_release(tx.as_mut(), run).await?;
                let note = Note::new(AuditEventType::Info, "the store runs on its new release");
                tx.audit().append(&self.event(run, note)).await?;
            }
            OperationKind::Revert => {
                tx.credentials().put_pending(&run.store.id, None).await?;
                let note = Note::new(AuditEventType::Info, "the store runs as it did before");
                tx.audit().append(&self.event(run, note)).await?;
            }
            // The store has been `failed` since it was cancelled; its name, host and credentials are kept for a retry.
            OperationKind::Unwind => {
                let note = Note::new(AuditEventType::Info, "what the cancelled provision had made is gone");
                tx.audit().append(&self.event(run, note)).await?;
            }
        }
        tx.operations().finish(&run.lease, OperationStatus::Succeeded, None, now).await?;
        tx.commit().await
    }

    pub(super) async fn record_failed(&self, run: &mut Run<'_>, failure: &Failure) -> Result<RunEnd, StorageError> {
        again!(self, self.try_record_failed(run, failure))?;
        Ok(RunEnd::Finished(OperationStatus::Failed))
    }

    async fn try_record_failed(&self, run: &mut Run<'_>, failure: &Failure) -> Result<(), StorageError> {
        let now = self.now(run);
        let mut tx = self.begin_changing(run).await?;
        tx.audit().append(&self.gave_up(run, failure)).await?;
        match run.log.kind() {
            OperationKind::Provision => {
                self.move_store(tx.as_mut(), run, StoreEvent::ProvisioningFailed, Some(failure)).await?;
            }
            OperationKind::Delete => {
                self.move_store(tx.as_mut(), run, StoreEvent::DeletionFailed, Some(failure)).await?;
            }
            // The store is `failed` already, because it was cancelled; deleting it removes the rest.
            // The store is ready, and is brought back to how it was; or goes on as the revert has left it.
            OperationKind::Unwind | OperationKind::Rotate | OperationKind::Upgrade | OperationKind::Revert => {}
        }
        tx.operations().finish(&run.lease, OperationStatus::Failed, Some(failure), now).await?;
        if run.log.kind().is_reverted() {
            self.enqueue_revert(tx.as_mut(), run, now).await?;
        }
        tx.commit().await
    }

    /// In the transaction that ends the change as failed: there is no moment at which nobody is to bring the store back.
    async fn enqueue_revert(
        &self,
        tx: &mut dyn Transaction,
        run: &Run<'_>,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let id = OperationId::from_random(self.entropy.u128());
        let (tenant_id, store_id) = (run.lease.tenant_id, run.lease.store_id.clone());
        // Its set-up is told from the change's by the time at which it was asked for.
        let later = run.asked_at.checked_add(SignedDuration::from_micros(1)).unwrap_or(run.asked_at);
        let mut revert = Operation::queued(id, tenant_id, store_id, OperationKind::Revert, now.max(later));
        revert.requested_by = run.requested_by;
        revert.request_id.clone_from(&run.request_id);
        revert.traceparent.clone_from(&run.traceparent);
        revert.tracestate.clone_from(&run.tracestate);
        tx.operations().enqueue(&revert, &[]).await
    }

    /// With this release the store was seen to work: it is the one to return to.
    async fn keep_release(&self, tx: &mut dyn Transaction, run: &Run<'_>) -> Result<(), StorageError> {
        let release = run.release.as_ref().filter(|release| release.origin.is_some());
        // Only an older program's operation, taken up after its release was installed, has none.
        let Some(release) = release else { return Ok(()) };
        tx.releases().keep(run.lease.tenant_id, &run.lease.store_id, release).await
    }

    /// Begins a transaction that will change the store or the audit trail: the tenant is locked first.
    pub(super) async fn begin_changing(&self, run: &Run<'_>) -> Result<Box<dyn Transaction>, StorageError> {
        let mut tx = self.storage.begin(Reach::Worker).await?;
        tx.tenants().lock(run.lease.tenant_id).await?;
        Ok(tx)
    }

    async fn lock_store(&self, tx: &mut dyn Transaction, run: &Run<'_>) -> Result<Store, StorageError> {
        let store = tx.stores().lock(&run.lease.store_id).await?;
        // A later claim, or a deletion that took over, has raised the epoch.
        store.filter(|store| store.epoch == run.lease.epoch).ok_or(StorageError::LeaseLost)
    }

    /// Moves the store along `event` and writes the change down.
    async fn move_store(
        &self,
        tx: &mut dyn Transaction,
        run: &mut Run<'_>,
        event: StoreEvent,
        failure: Option<&Failure>,
    ) -> Result<(), StorageError> {
        let mut store = self.lock_store(tx, run).await?;
        let before = store.clone();
        store.apply(event, self.now(run)).map_err(illegal)?;
        if let Some(failure) = failure {
            store.failure = Some(failure.clone());
        }
        if event == StoreEvent::Provisioned {
            // The engine was there when the storefront was checked; should it be gone since, the storefront is all there is to show.
            let admin_path = self.engines.get(&store.engine).map_or("", EngineDescriptor::admin_path);
            store.urls = Some(self.urls.of(&store.host, admin_path));
        }
        tx.stores().save(&mut store).await?;
        tx.audit().append(&self.moved(run, &before, &store)).await?;
        tracing::info!(store_id = %store.id, operation_id = %run.lease.operation_id, epoch = run.lease.epoch.0, from = %before.state, to = %store.state, "store changed");
        run.store = store;
        Ok(())
    }

    async fn record_step(&self, tx: &mut dyn Transaction, run: &Run<'_>, step: Step) -> Result<(), StorageError> {
        if let Some(record) = run.log.record(step) {
            tx.operations().record_step(&run.lease, record).await?;
        }
        self.progress(tx, run).await
    }

    async fn progress(&self, tx: &mut dyn Transaction, run: &Run<'_>) -> Result<(), StorageError> {
        let (step, attempt) = progress_of(&run.log);
        tx.operations().record_progress(&run.lease, step, attempt).await
    }
}

/// What readers are told of a log: the step that runs or is next, and how often it failed.
pub(super) fn progress_of(log: &SagaLog) -> (Step, u32) {
    log.current().map_or((last_step(log.kind()), 0), |record| (record.step, record.attempts))
}
