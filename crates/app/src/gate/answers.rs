//! Answers under idempotency keys: the first one that was given is the one that everybody gets.

use shopwright_ports::gate_api::{Promise, PromiseError};
use shopwright_ports::storage::{IdempotencyRecord, Reach, StoredAnswer};
use shopwright_ports::stores_api::RequestContext;

use super::Door;

impl Door {
    pub(super) async fn earlier_answer(
        &self,
        context: &RequestContext,
        promise: &Promise,
    ) -> Result<Option<StoredAnswer>, PromiseError> {
        let since = self.clock.now() - self.rules.idempotency_window;
        let mut tx = self.storage.begin(Reach::Tenant(context.actor.tenant_id)).await?;
        let record = tx.idempotency().get(context.actor.tenant_id, &promise.route, &promise.key, since).await?;
        match record {
            Some(record) if record.fingerprint != promise.fingerprint => Err(PromiseError::Reused),
            Some(record) => Ok(record.answer),
            None => Ok(None),
        }
    }

    pub(super) async fn keep_answer(
        &self,
        context: &RequestContext,
        promise: &Promise,
        answer: StoredAnswer,
    ) -> Result<StoredAnswer, PromiseError> {
        let now = self.clock.now();
        let record = IdempotencyRecord {
            tenant_id: context.actor.tenant_id,
            route: promise.route.clone(),
            key: promise.key.clone(),
            fingerprint: promise.fingerprint.clone(),
            store_id: None,
            operation_id: None,
            answer: Some(answer.clone()),
            created_at: now,
        };
        let mut tx = self.storage.begin(Reach::Tenant(context.actor.tenant_id)).await?;
        let stands = tx.idempotency().answer(&record, now - self.rules.idempotency_window).await?;
        tx.commit().await?;
        if stands.fingerprint != promise.fingerprint {
            return Err(PromiseError::Reused);
        }
        Ok(stands.answer.unwrap_or(answer))
    }
}
