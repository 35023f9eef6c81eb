//! Answers under idempotency keys: the first one that was given is the one that everybody gets.
//!
//! A key is claimed by a row without an answer, in a transaction of its own, before the request is carried out: so it is carried out once at
//! most, also when its server dies over it.

use jiff::SignedDuration;
use shopwright_ports::gate_api::{Promise, PromiseError};
use shopwright_ports::storage::{IdempotencyRecord, Reach, StoredAnswer};
use shopwright_ports::stores_api::RequestContext;

use super::Door;

/// Longer than any request is worked on: whoever claimed the key that long ago is dead.
const WORKED_ON_FOR: SignedDuration = SignedDuration::from_mins(1);

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

    pub(super) async fn claim_key(&self, context: &RequestContext, promise: &Promise) -> Result<(), PromiseError> {
        let (now, tenant_id) = (self.clock.now(), context.actor.tenant_id);
        let mut tx = self.storage.begin(Reach::Tenant(tenant_id)).await?;
        if !tx.idempotency().try_lock(tenant_id, &promise.route, &promise.key).await? {
            return Err(PromiseError::InFlight);
        }
        let since = now - self.rules.idempotency_window;
        match tx.idempotency().get(tenant_id, &promise.route, &promise.key, since).await? {
            Some(held) if held.fingerprint != promise.fingerprint => Err(PromiseError::Reused),
            // Answered a moment ago: whoever asks again is given that.
            Some(held) if held.answer.is_some() || now < held.created_at + WORKED_ON_FOR => Err(PromiseError::InFlight),
            Some(_) => Err(PromiseError::Lost),
            None => {
                tx.idempotency().put(&promise.record(tenant_id, now)).await?;
                Ok(tx.commit().await?)
            }
        }
    }

    pub(super) async fn release_key(&self, context: &RequestContext, promise: &Promise) -> Result<(), PromiseError> {
        // A record from before the window counts as none, and is forgotten with the others.
        let long_ago = self.clock.now() - self.rules.idempotency_window - WORKED_ON_FOR;
        let tenant_id = context.actor.tenant_id;
        let mut tx = self.storage.begin(Reach::Tenant(tenant_id)).await?;
        tx.idempotency().put(&promise.record(tenant_id, long_ago)).await?;
        Ok(tx.commit().await?)
    }

    pub(super) async fn keep_answer(
        &self,
        context: &RequestContext,
        promise: &Promise,
        answer: StoredAnswer,
    ) -> Result<StoredAnswer, PromiseError> {
        let (now, tenant_id) = (self.clock.now(), context.actor.tenant_id);
        let record = IdempotencyRecord { answer: Some(answer.clone()), ..promise.record(tenant_id, now) };
        let mut tx = self.storage.begin(Reach::Tenant(tenant_id)).await?;
        let stands = tx.idempotency().answer(&record, now - self.rules.idempotency_window).await?;
        tx.commit().await?;
        if stands.fingerprint != promise.fingerprint {
            return Err(PromiseError::Reused);
        }
        Ok(stands.answer.unwrap_or(answer))
    }
}
