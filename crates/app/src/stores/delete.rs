//! Removing a store.

use shopwright_domain::StoreId;
use shopwright_domain::audit::AuditEventType;
use shopwright_domain::operation::OperationKind;
use shopwright_domain::organisation::Action;
use shopwright_domain::store::{StoreEvent, StoreState};
use shopwright_ports::stores_api::{Accepted, RequestContext, StoreServiceError};

use super::settle::Prepared;
use super::{Stores, access};

impl Stores {
    /// One transaction: the running operation is cancelled, the epoch raised, the deletion queued (DECISIONS 11). The worker that held the
    /// store finds its lease lost and stops.
    pub(super) async fn try_delete(
        &self,
        context: &RequestContext,
        id: &StoreId,
    ) -> Result<Prepared, StoreServiceError> {
        let storage = StoreServiceError::Storage;
        let mut tx = self.storage.begin(access::reach(context)).await.map_err(storage)?;
        let mut store = access::locked(tx.as_mut(), context, id, Action::DeleteStores).await?;
        let is_owner = access::sees_credentials(context, &store);
        let running = tx.operations().latest_of(id).await.map_err(storage)?;
        match store.state {
            StoreState::Deleted => return Ok(Prepared::already(Accepted { store, operation: None, is_owner })),
            StoreState::Deleting => return Ok(Prepared::already(Accepted { store, operation: running, is_owner })),
            StoreState::Requested | StoreState::Provisioning | StoreState::Ready | StoreState::Failed => {}
        }

        let now = self.now_for(&store);
        let operation = self.operation_for(context, &store, OperationKind::Delete, now);
        let mut event = self.event(context, &store, AuditEventType::StatusChange, "deletion was asked for");
        event.operation_id = Some(operation.id);
        event.previous = Some(store.state);
        if let Some(running) = running.filter(|running| !running.status.is_finished()) {
            tx.operations().supersede(running.id, now).await.map_err(storage)?;
            event = event.with("cancelledOperation", running.id.to_string());
        }
        store.epoch = tx.stores().raise_epoch(id).await.map_err(storage)?;
        store
            .apply(StoreEvent::DeletionRequested, now)
            .map_err(|error| StoreServiceError::Internal(error.to_string()))?;
        event.new = Some(store.state);
        tx.stores().save(&mut store).await.map_err(storage)?;
        tx.operations().enqueue(&operation, &[]).await.map_err(storage)?;
        tx.audit().append(&event).await.map_err(storage)?;
        Ok(Prepared::by(tx, Accepted { store, operation: Some(operation), is_owner }))
    }
}
