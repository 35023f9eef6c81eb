//! Idempotency keys inside the one transaction of a use case (DECISIONS 24): the key is locked first, what an earlier request came to is
//! found before anything is decided, and what this one comes to is noted before the commit.
//!
//! So a request that is repeated after a crash, on whatever replica, is answered from what was made. What the client was told
//! is kept afterwards by the gate, word for word.

use jiff::Timestamp;
use shopwright_domain::{OperationId, StoreId};
use shopwright_ports::storage::{IdempotencyRecord, Reach, StorageError, Transaction};
use shopwright_ports::stores_api::{Accepted, RequestContext, StoreServiceError};

use super::settle::Prepared;
use super::{Stores, access};

/// How a use case that writes begins.
pub(super) enum Begun {
    /// With a transaction that holds the lock of the key, if there is one.
    New(Box<dyn Transaction>),
    /// With what an earlier request under the same key came to.
    Earlier(Box<Prepared>),
}

impl Stores {
    /// Begins the one transaction of a use case that writes.
    pub(super) async fn begin(&self, context: &RequestContext, reach: Reach) -> Result<Begun, StoreServiceError> {
        let storage = StoreServiceError::Storage;
        let mut tx = self.storage.begin(reach).await.map_err(storage)?;
        let Some(promise) = &context.promise else { return Ok(Begun::New(tx)) };
        let tenant_id = context.actor.tenant_id;
        if !tx.idempotency().try_lock(tenant_id, &promise.route, &promise.key).await.map_err(storage)? {
            return Err(StoreServiceError::KeyInFlight);
        }
        let since = self.clock.now() - self.rules.idempotency_window;
        let record = tx.idempotency().get(tenant_id, &promise.route, &promise.key, since).await.map_err(storage)?;
        match record {
            None => Ok(Begun::New(tx)),
            Some(record) if record.fingerprint != promise.fingerprint => Err(StoreServiceError::KeyReused),
            Some(record) => {
                let earlier = came_to(tx.as_mut(), context, &record).await?;
                Ok(Begun::Earlier(Box::new(Prepared::already(earlier))))
            }
        }
    }
}

async fn came_to(
    tx: &mut dyn Transaction,
    context: &RequestContext,
    record: &IdempotencyRecord,
) -> Result<Accepted, StoreServiceError> {
    let storage = StoreServiceError::Storage;
    let Some(store_id) = &record.store_id else {
        // An answer stands by now: whoever asks again is given that.
        return Err(if record.answer.is_some() {
            StoreServiceError::KeyInFlight
        } else {
            StoreServiceError::AnswerLost
        });
    };
    let store = tx.stores().get(store_id).await.map_err(storage)?;
    let store =
        store.ok_or_else(|| StoreServiceError::Internal(format!("{store_id} of an idempotency key is gone")))?;
    let operation = match record.operation_id {
        Some(id) => tx.operations().get(id).await.map_err(storage)?,
        None => None,
    };
    let is_owner = access::sees_credentials(context, &store);
    Ok(Accepted { store, operation, is_owner })
}

/// Notes what the request came to under its key, if it has one. Part of the transaction that makes it true.
pub(super) async fn note(
    tx: &mut dyn Transaction,
    context: &RequestContext,
    (store_id, operation_id): (Option<&StoreId>, Option<OperationId>),
    now: Timestamp,
) -> Result<(), StorageError> {
    let Some(promise) = &context.promise else { return Ok(()) };
    let record =
        IdempotencyRecord { store_id: store_id.cloned(), operation_id, ..promise.record(context.actor.tenant_id, now) };
    tx.idempotency().put(&record).await
}
