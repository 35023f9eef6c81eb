//! Trying again what failed.

use shopwright_domain::StoreId;
use shopwright_domain::audit::AuditEventType;
use shopwright_domain::operation::OperationKind;
use shopwright_domain::organisation::Action;
use shopwright_domain::saga::{ProvisionStep, SagaLog, Step, StepStatus};
use shopwright_domain::store::{Store, StoreEvent, StoreState};
use shopwright_ports::storage::Transaction;
use shopwright_ports::stores_api::{Accepted, RequestContext, StoreServiceError};

use super::promise::Begun;
use super::settle::Prepared;
use super::{Stores, access};

/// At the latest here a provision goes on: applying the release again costs a second, and nothing else replaces a set-up Job that
/// failed for good. A delete has no such step.
const INSTALL: Step = Step::Provision(ProvisionStep::InstallRelease);

impl Stores {
    pub(super) async fn try_retry(
        &self,
        context: &RequestContext,
        id: &StoreId,
    ) -> Result<Prepared, StoreServiceError> {
        let mut tx = match self.begin(context, access::reach(context)).await? {
            Begun::New(tx) => tx,
            Begun::Earlier(earlier) => return Ok(*earlier),
        };
        let store = access::locked(tx.as_mut(), context, id, Action::ChangeStores).await?;
        let accepted = self.retry_locked(tx.as_mut(), context, store, None).await?;
        Ok(Prepared::by(tx, accepted))
    }

    /// Repeats the operation that failed; the steps that succeeded stay done. A store that failed while being deleted is deleted, never
    /// provisioned again over half-removed data. The store's row is locked by the caller. `redo_from` is a step that has to be done again,
    /// with all that follow, although it succeeded.
    pub(super) async fn retry_locked(
        &self,
        tx: &mut dyn Transaction,
        context: &RequestContext,
        mut store: Store,
        redo_from: Option<Step>,
    ) -> Result<Accepted, StoreServiceError> {
        let storage = StoreServiceError::Storage;
        if store.state != StoreState::Failed {
            return Err(StoreServiceError::NotRetryable { state: store.state });
        }
        let failed = tx.operations().latest_of(&store.id).await.map_err(storage)?;
        let (kind, event) = match failed.as_ref().map_or(OperationKind::Provision, |operation| operation.kind) {
            // What a cancelled provision had made is being taken back, or is gone: the provision begins from nothing.
            // The last three are of stores that are ready, and leave them so: none of them is what failed here.
            OperationKind::Provision
            | OperationKind::Unwind
            | OperationKind::Rotate
            | OperationKind::Upgrade
            | OperationKind::Revert => (OperationKind::Provision, StoreEvent::Retried),
            OperationKind::Delete => (OperationKind::Delete, StoreEvent::DeletionRequested),
        };
        if kind == OperationKind::Provision {
            self.check_retry(tx, &store).await?;
        }

        let now = self.now_for(&store);
        if let Some(unwind) = failed.as_ref().filter(|operation| !operation.status.is_finished()) {
            tx.operations().supersede(unwind.id, now).await.map_err(storage)?;
            store.epoch = tx.stores().raise_epoch(&store.id).await.map_err(storage)?;
        }
        let operation = self.operation_for(context, &store, kind, now);
        let done = match failed.as_ref().filter(|failed| failed.kind == kind) {
            Some(failed) => {
                let steps = tx.operations().steps(failed.id).await.map_err(storage)?;
                let resumed = SagaLog::from_records(kind, steps).resumed();
                let redo_from = redo_from.unwrap_or(INSTALL);
                let kept = resumed.records().iter().take_while(|record| record.step != redo_from);
                kept.filter(|record| record.status == StepStatus::Succeeded).cloned().collect()
            }
            None => Vec::new(),
        };
        let mut audit = self.event(context, &store, AuditEventType::StatusChange, format!("{kind} is tried again"));
        audit.operation_id = Some(operation.id);
        audit.previous = Some(store.state);
        let before = store.clone();
        store.apply(event, now).map_err(|error| StoreServiceError::Internal(error.to_string()))?;
        audit.new = Some(store.state);
        tx.stores().save(&mut store).await.map_err(storage)?;
        tx.operations().enqueue(&operation, &done).await.map_err(storage)?;
        let audit = audit.with("retryCount", i64::from(store.retry_count)).changing_store(Some(&before), &store);
        tx.audit().append(&audit).await.map_err(storage)?;
        let is_owner = access::sees_credentials(context, &store);
        Ok(Accepted { store, operation: Some(operation), is_owner })
    }

    /// A retry skips the cooldown, not the quota (DECISIONS 14); the store's own place counts as free.
    async fn check_retry(&self, tx: &mut dyn Transaction, store: &Store) -> Result<(), StoreServiceError> {
        let tenant = tx.tenants().get(store.tenant_id).await.map_err(StoreServiceError::Storage)?;
        let plan = self.rules.plans.get(&tenant.map(|tenant| tenant.plan).unwrap_or_default());
        let limit = plan.retries;
        if store.retry_count >= limit {
            return Err(StoreServiceError::RetriesUsedUp { limit });
        }
        let held = tx.stores().count_live(store.tenant_id).await.map_err(StoreServiceError::Storage)?;
        let others = held.saturating_sub(1);
        plan.stores
            .check(others)
            .map_err(|used_up| StoreServiceError::QuotaUsedUp { held: used_up.held, limit: used_up.limit })
    }
}
