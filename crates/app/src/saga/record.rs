//! The transactions of the executor. Each is conditioned on the claim: when it is not ours any more, nothing is written.

use jiff::Timestamp;
use shopwright_domain::audit::{AuditEvent, AuditEventType};
use shopwright_domain::operation::{OperationKind, OperationStatus};
use shopwright_domain::saga::Step;
use shopwright_domain::store::{Failure, Store, StoreEvent, StoreState};
use shopwright_ports::storage::{StorageError, TakeOver, Transaction};

use super::effects::{Effect, Note};
use super::executor::{Executor, Run, RunEnd, illegal, is_last, last_step};

impl Executor {
    /// The first transaction of a claim: the store is being provisioned now; a take-over is written down.
    pub(super) async fn record_claim(&self, run: &mut Run, taken_over: Option<&TakeOver>) -> Result<(), StorageError> {
        let begins = run.log.kind() == OperationKind::Provision && run.store.state == StoreState::Requested;
        if !begins && taken_over.is_none() {
            return Ok(());
        }
        let mut tx = self.begin_changing(run).await?;
        if let Some(from) = taken_over {
            let note = Note::new(AuditEventType::Recovery, "a worker stopped renewing its lease; another goes on")
                .with("previousWorker", from.worker.to_string())
                .with("worker", run.lease.worker.to_string())
                .with("previousEpoch", from.epoch.0)
                .with("idleMs", millis(from.idle));
            tx.audit().append(&self.event(run, note)).await?;
        }
        if begins {
            self.move_store(tx.as_mut(), run, StoreEvent::ProvisioningStarted, None).await?;
        }
        // Fenced, and last: without the lease nothing above stands.
        self.progress(tx.as_mut(), run).await?;
        tx.commit().await
    }

    pub(super) async fn record_started(&self, run: &Run, step: Step) -> Result<(), StorageError> {
        if is_last(step) {
            return Ok(());
        }
        let mut tx = self.storage.begin().await?;
        self.record_step(tx.as_mut(), run, step).await?;
        tx.commit().await
    }

    pub(super) async fn record_succeeded(&self, run: &mut Run, step: Step, effect: Effect) -> Result<(), StorageError> {
        let changes_store = effect.engine_note.is_some();
        let mut tx = if effect.notes.is_empty() && !changes_store {
            self.storage.begin().await?
        } else {
            self.begin_changing(run).await?
        };
        for note in effect.notes {
            tx.audit().append(&self.event(run, note)).await?;
        }
        if let Some(note) = effect.engine_note {
            let mut store = self.lock_store(tx.as_mut(), run).await?;
            store.engine_note = Some(note);
            tx.stores().save(&mut store).await?;
            run.store = store;
        }
        self.record_step(tx.as_mut(), run, step).await?;
        tx.commit().await
    }

    pub(super) async fn record_failed_step(&self, run: &Run, step: Step) -> Result<(), StorageError> {
        let mut tx = self.storage.begin().await?;
        // A lost namespace resets earlier steps too.
        for record in run.log.records() {
            if record.first_started_at.is_some() && record.step != step {
                tx.operations().record_step(&run.lease, record).await?;
            }
        }
        self.record_step(tx.as_mut(), run, step).await?;
        tx.commit().await
    }

    pub(super) async fn record_parked(
        &self,
        run: &Run,
        status: OperationStatus,
        until: Option<Timestamp>,
        failure: Option<&Failure>,
    ) -> Result<(), StorageError> {
        let mut tx = self.storage.begin().await?;
        tx.operations().park(&run.lease, status, until, failure).await?;
        tx.commit().await
    }

    /// The last step: the store is ready, or deleted, and the operation with it.
    pub(super) async fn record_completed(&self, run: &mut Run) -> Result<RunEnd, StorageError> {
        let now = self.now(run);
        let kind = run.log.kind();
        let last = last_step(kind);
        let mut tx = self.begin_changing(run).await?;
        if run.log.current().is_some() {
            run.log.succeed(last, now).map_err(illegal)?;
            self.record_step(tx.as_mut(), run, last).await?;
        }
        match kind {
            OperationKind::Provision => self.move_store(tx.as_mut(), run, StoreEvent::Provisioned, None).await?,
            OperationKind::Delete => {
                self.move_store(tx.as_mut(), run, StoreEvent::Deleted, None).await?;
                tx.credentials().remove(&run.store.id).await?;
            }
            // The store has been `failed` since it was cancelled; its name, host and credentials are kept for a retry.
            OperationKind::Unwind => {
                let note = Note::new(AuditEventType::Info, "what the cancelled provision had made is gone");
                tx.audit().append(&self.event(run, note)).await?;
            }
        }
        tx.operations().finish(&run.lease, OperationStatus::Succeeded, None, now).await?;
        tx.commit().await?;
        Ok(RunEnd::Finished(OperationStatus::Succeeded))
    }

    pub(super) async fn record_failed(&self, run: &mut Run, failure: &Failure) -> Result<RunEnd, StorageError> {
        let now = self.now(run);
        let mut tx = self.begin_changing(run).await?;
        let note = Note::new(AuditEventType::Error, format!("{} failed: {}", run.log.kind(), failure.detail))
            .with("errorCode", failure.code.as_str())
            .with("class", failure.code.class().as_str());
        tx.audit().append(&self.event(run, note)).await?;
        match run.log.kind() {
            OperationKind::Provision => {
                self.move_store(tx.as_mut(), run, StoreEvent::ProvisioningFailed, Some(failure)).await?;
            }
            OperationKind::Delete => {
                self.move_store(tx.as_mut(), run, StoreEvent::DeletionFailed, Some(failure)).await?;
            }
            // The store is `failed` already, because it was cancelled; deleting it removes the rest.
            OperationKind::Unwind => {}
        }
        tx.operations().finish(&run.lease, OperationStatus::Failed, Some(failure), now).await?;
        tx.commit().await?;
        Ok(RunEnd::Finished(OperationStatus::Failed))
    }

    /// Begins a transaction that will change the store or the audit trail: the tenant is locked first.
    async fn begin_changing(&self, run: &Run) -> Result<Box<dyn Transaction>, StorageError> {
        let mut tx = self.storage.begin().await?;
        tx.tenants().lock(run.lease.tenant_id).await?;
        Ok(tx)
    }

    async fn lock_store(&self, tx: &mut dyn Transaction, run: &Run) -> Result<Store, StorageError> {
        let store = tx.stores().lock(&run.lease.store_id).await?;
        // A later claim, or a deletion that took over, has raised the epoch.
        store.filter(|store| store.epoch == run.lease.epoch).ok_or(StorageError::LeaseLost)
    }

    /// Moves the store along `event` and writes the change down.
    async fn move_store(
        &self,
        tx: &mut dyn Transaction,
        run: &mut Run,
        event: StoreEvent,
        failure: Option<&Failure>,
    ) -> Result<(), StorageError> {
        let now = self.now(run);
        let mut store = self.lock_store(tx, run).await?;
        let previous = store.state;
        store.apply(event, now).map_err(illegal)?;
        if let Some(failure) = failure {
            store.failure = Some(failure.clone());
        }
        let mut note = Note::new(AuditEventType::StatusChange, format!("{previous} -> {}", store.state));
        if event == StoreEvent::Provisioned {
            let urls = self.urls.of(&store.host, store.engine);
            note = note.with("storefrontUrl", urls.storefront.as_str()).with("adminUrl", urls.admin.as_str());
            if let Some(duration) = store.provisioning_duration {
                note = note.with("provisioningDurationMs", millis(duration));
            }
            store.urls = Some(urls);
        }
        tx.stores().save(&mut store).await?;
        let mut event = self.event(run, note);
        event.previous = Some(previous);
        event.new = Some(store.state);
        tx.audit().append(&event).await?;
        tracing::info!(store_id = %store.id, operation_id = %run.lease.operation_id, epoch = %run.lease.epoch, from = %previous, to = %store.state, "store changed");
        run.store = store;
        Ok(())
    }

    async fn record_step(&self, tx: &mut dyn Transaction, run: &Run, step: Step) -> Result<(), StorageError> {
        if let Some(record) = run.log.record(step) {
            tx.operations().record_step(&run.lease, record).await?;
        }
        self.progress(tx, run).await
    }

    async fn progress(&self, tx: &mut dyn Transaction, run: &Run) -> Result<(), StorageError> {
        let (step, attempt) =
            run.log.current().map_or((last_step(run.log.kind()), 0), |record| (record.step, record.attempts));
        tx.operations().record_progress(&run.lease, step, attempt).await
    }

    fn event(&self, run: &Run, note: Note) -> AuditEvent {
        let mut event = AuditEvent::new(run.lease.tenant_id, note.kind, note.message, self.now(run));
        event.store_id = Some(run.lease.store_id.clone());
        event.operation_id = Some(run.lease.operation_id);
        event.request_id.clone_from(&run.request_id);
        event.epoch = Some(run.lease.epoch);
        event.metadata.extend(note.metadata.into_iter().map(|(key, value)| (key.to_owned(), value)));
        event
    }
}

fn millis(duration: jiff::SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
