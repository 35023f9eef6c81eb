//! Stopping a provision.

use shopwright_domain::audit::AuditEventType;
use shopwright_domain::error_code::ErrorCode;
use shopwright_domain::operation::{OperationKind, OperationStatus};
use shopwright_domain::organisation::Action;
use shopwright_domain::store::{Failure, StoreEvent};
use shopwright_domain::{OperationId, StoreId};
use shopwright_ports::storage::Transaction;
use shopwright_ports::stores_api::{Accepted, RequestContext, StoreServiceError};

use super::promise::Begun;
use super::settle::Prepared;
use super::{Stores, access};

impl Stores {
    /// One transaction, as a deletion is: the provision is cancelled, the epoch raised, the store `failed`, and what was made is taken
    /// back by an operation of its own (DECISIONS 11). The worker that held the provision finds its lease lost and stops.
    pub(super) async fn try_cancel(
        &self,
        context: &RequestContext,
        id: OperationId,
    ) -> Result<Prepared, StoreServiceError> {
        let storage = StoreServiceError::Storage;
        let mut tx = match self.begin(context, access::reach(context)).await? {
            Begun::New(tx) => tx,
            Begun::Earlier(earlier) => return Ok(*earlier),
        };
        let store_id = self.store_of(tx.as_mut(), context, id).await?;
        let mut store = access::locked(tx.as_mut(), context, &store_id, Action::ChangeStores).await?;
        let is_owner = access::sees_credentials(context, &store);
        // Read again under the lock.
        let operation = tx.operations().get(id).await.map_err(storage)?.ok_or(StoreServiceError::Conflict)?;
        let latest = tx.operations().latest_of(&store_id).await.map_err(storage)?;
        if operation.kind == OperationKind::Provision && operation.status == OperationStatus::Cancelled {
            return Ok(Prepared::already(Accepted { store, operation: latest, is_owner }));
        }
        // What was ever ready holds a merchant's data: no request but a deletion removes that (DECISIONS 10).
        if operation.kind != OperationKind::Provision || operation.status.is_finished() || store.ready_at.is_some() {
            let (kind, status) = (operation.kind, operation.status);
            return Err(StoreServiceError::NotCancellable { kind, status });
        }

        let now = self.now_for(&store);
        let unwind = self.operation_for(context, &store, OperationKind::Unwind, now);
        let mut event = self.event(context, &store, AuditEventType::StatusChange, "the provision was cancelled");
        event.operation_id = Some(unwind.id);
        event.previous = Some(store.state);
        let before = store.clone();
        tx.operations().supersede(id, now).await.map_err(storage)?;
        store.epoch = tx.stores().raise_epoch(&store_id).await.map_err(storage)?;
        store
            .apply(StoreEvent::ProvisioningFailed, now)
            .map_err(|error| StoreServiceError::Internal(error.to_string()))?;
        store.failure = Some(Failure::new(ErrorCode::Cancelled, "the provision was cancelled"));
        event.new = Some(store.state);
        tx.stores().save(&mut store).await.map_err(storage)?;
        tx.operations().enqueue(&unwind, &[]).await.map_err(storage)?;
        let event = event.with("cancelledOperation", id.to_string()).changing_store(Some(&before), &store);
        tx.audit().append(&event).await.map_err(storage)?;
        Ok(Prepared::by(tx, Accepted { store, operation: Some(unwind), is_owner }))
    }

    /// The store of an operation that the actor may see.
    async fn store_of(
        &self,
        tx: &mut dyn Transaction,
        context: &RequestContext,
        id: OperationId,
    ) -> Result<StoreId, StoreServiceError> {
        let operation = tx.operations().get(id).await.map_err(StoreServiceError::Storage)?;
        Ok(access::operation(context, operation)?.store_id)
    }
}
