//! Showing those who may see it what their store's administrator signs in with, on demand.

use jiff::Timestamp;
use shopwright_domain::audit::{AuditEventType, SecurityAction};
use shopwright_domain::organisation::Action;
use shopwright_domain::store::StoreState;
use shopwright_domain::{StoreId, UserId};
use shopwright_ports::storage::{Reach, Throttle};
use shopwright_ports::stores_api::{AdminCredentials, RequestContext, StoreServiceError};

use super::{Stores, access};

/// Under which a person's looks are counted. Not a digest of anything: it names an account and no secret.
fn key(user: UserId) -> [u8; 32] {
    let mut key = *b"................store-reveal....";
    let (id, _) = key.split_at_mut(16);
    id.copy_from_slice(user.as_uuid().as_bytes());
    key
}

impl Stores {
    /// The look is counted first, and its audit event is in the transaction that reads: what was shown was written down.
    pub(super) async fn read_credentials(
        &self,
        context: &RequestContext,
        id: &StoreId,
    ) -> Result<AdminCredentials, StoreServiceError> {
        let storage = StoreServiceError::Storage;
        self.count_look(context.actor.user_id).await?;
        let mut tx = self.storage.begin(access::reach(context)).await.map_err(storage)?;
        let store = access::locked(tx.as_mut(), context, id, Action::UseCredentials).await?;
        if store.ready_at.is_none() || store.state == StoreState::Deleted {
            return Err(StoreServiceError::NotReady { state: store.state });
        }
        let credentials = self.credentials_of(tx.as_mut(), &store, true).await?;
        let credentials = credentials.ok_or(StoreServiceError::NotFound("administrator"))?;
        let event = self.event(context, &store, AuditEventType::Security, "the administrator's credentials were shown");
        tx.audit().append(&event.with("action", SecurityAction::CredentialsRevealed)).await.map_err(storage)?;
        tx.commit().await.map_err(storage)?;
        Ok(credentials)
    }

    async fn count_look(&self, user: UserId) -> Result<(), StoreServiceError> {
        let storage = StoreServiceError::Storage;
        let (now, key): (Timestamp, _) = (self.clock.now(), key(user));
        let mut tx = self.storage.begin(Reach::Identity).await.map_err(storage)?;
        let before = tx.throttles().lock(&key, now).await.map_err(storage)?;
        let rate = self.rules.reveal_rate.take(before.rate, now);
        let rate = rate.map_err(|refusal| StoreServiceError::RevealedTooOften { until: refusal.until })?;
        tx.throttles().put(&key, Throttle { rate: Some(rate), ..before }).await.map_err(storage)?;
        tx.commit().await.map_err(storage)
    }
}
