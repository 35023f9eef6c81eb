//! Forgetting what is over, so that no table grows for ever.

use jiff::SignedDuration;
use shopwright_ports::identity_api::IdentityError;
use shopwright_ports::storage::Reach;

use super::Identity;

/// Sessions, API tokens and invitations are kept for so long after their end: somebody may ask what they were.
const KEPT_AFTER_END: SignedDuration = SignedDuration::from_hours(24 * 30);
/// Counters that nobody looked at for so long count no more: longer than any lock-out or window.
const COUNTED_FOR: SignedDuration = SignedDuration::from_hours(25);
/// Idempotency keys count for a day; clocks of replicas may differ.
const KEYS_KEPT_FOR: SignedDuration = SignedDuration::from_hours(25);

impl Identity {
    /// Forgets what is over; how many rows that were. Harmless on every replica.
    ///
    /// # Errors
    /// [`IdentityError::Storage`].
    pub async fn forget_what_is_over(&self) -> Result<u64, IdentityError> {
        let now = self.clock.now();
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let sessions = tx.sessions().purge(now - KEPT_AFTER_END).await?;
        let tokens = tx.api_tokens().purge(now - KEPT_AFTER_END).await?;
        let invitations = tx.invitations().purge(now - KEPT_AFTER_END).await?;
        let counters = tx.throttles().purge(now - COUNTED_FOR).await?;
        tx.commit().await?;
        // They belong to organisations, all of them.
        let mut tx = self.storage.begin(Reach::Worker).await?;
        let keys = tx.idempotency().purge(now - KEYS_KEPT_FOR).await?;
        tx.commit().await?;
        Ok(sessions + tokens + invitations + counters + keys)
    }
}
