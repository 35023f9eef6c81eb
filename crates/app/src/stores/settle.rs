//! How a request that writes comes to its end: begun again when it meets others, and looked up when nobody knows whether it was written.

use jiff::SignedDuration;
use shopwright_domain::backoff::Backoff;
use shopwright_ports::storage::{Reach, StorageError, Transaction, Unique};
use shopwright_ports::stores_api::{Accepted, RequestContext, StoreServiceError};

use super::{Stores, promise};

/// How often a request is begun again when it meets others. Five meetings in a row are a fault worth reporting.
const TRIES: u32 = 5;
/// How often the database is asked whether a commit that it did not answer took place.
const LOOKS: u32 = 4;
/// Two requests that met must not meet again in step.
const PAUSE: Backoff =
    Backoff { base: SignedDuration::from_millis(10), cap: SignedDuration::from_millis(500), jitter: 0.5 };

/// A request that is decided and not yet written.
pub(super) struct Prepared {
    /// The answer, once it is written.
    pub(super) accepted: Accepted,
    /// What is still to be committed; none when nothing changes.
    pub(super) tx: Option<Box<dyn Transaction>>,
}

impl Prepared {
    /// What was asked for is true already.
    pub(super) const fn already(accepted: Accepted) -> Self {
        Self { accepted, tx: None }
    }

    /// True once `tx` is committed. The answer names a new operation: its presence later proves that the commit took place.
    pub(super) const fn by(tx: Box<dyn Transaction>, accepted: Accepted) -> Self {
        Self { accepted, tx: Some(tx) }
    }
}

/// Another request took the host, the id or the operation's place between our look and our write: looking again helps.
const fn is_meeting(error: &StoreServiceError) -> bool {
    matches!(
        error,
        StoreServiceError::Storage(
            StorageError::Conflict
                | StorageError::Stale
                | StorageError::NotUnique(
                    Unique::StoreHost | Unique::StoreId | Unique::StoreName | Unique::UnfinishedOperation
                )
        )
    )
}

impl Stores {
    /// Decides by `attempt` and writes, again and again while it meets other transactions (RELIABILITY F21).
    pub(super) async fn settle<F>(
        &self,
        context: &RequestContext,
        attempt: impl Fn() -> F,
    ) -> Result<Accepted, StoreServiceError>
    where
        F: Future<Output = Result<Prepared, StoreServiceError>> + Send,
    {
        for tries in 1..=TRIES {
            let result = match attempt().await {
                Ok(prepared) => self.write(context, prepared).await,
                Err(error) => Err(error),
            };
            match result {
                Ok(Some(accepted)) => {
                    self.work.notify_one();
                    return Ok(accepted);
                }
                Err(error) if !is_meeting(&error) => return Err(error),
                Ok(None) | Err(_) => self.pause(tries).await,
            }
        }
        Err(StoreServiceError::Conflict)
    }

    /// Commits. `None` when it turned out that nothing was written: the request may be decided anew.
    async fn write(&self, context: &RequestContext, prepared: Prepared) -> Result<Option<Accepted>, StoreServiceError> {
        let Prepared { accepted, tx } = prepared;
        let Some(mut tx) = tx else { return Ok(Some(accepted)) };
        let came_to = (Some(&accepted.store.id), accepted.operation.as_ref().map(|operation| operation.id));
        promise::note(tx.as_mut(), context, came_to, self.clock.now()).await.map_err(StoreServiceError::Storage)?;
        match tx.commit().await {
            Ok(()) => Ok(Some(accepted)),
            Err(lost @ StorageError::Unavailable { .. }) => match self.was_written(&accepted).await {
                Some(true) => Ok(Some(accepted)),
                Some(false) => Ok(None),
                None => Err(StoreServiceError::Storage(lost)),
            },
            Err(error) => Err(StoreServiceError::Storage(error)),
        }
    }

    /// Whether a commit whose answer was lost took place (RELIABILITY F15). `None` when the database does not say.
    async fn was_written(&self, accepted: &Accepted) -> Option<bool> {
        for looks in 1..=LOOKS {
            match self.look_up(accepted).await {
                Ok(there) => return Some(there),
                Err(error) => tracing::warn!(%error, "nobody knows whether a request was written; looking again"),
            }
            self.pause(looks + 3).await;
        }
        None
    }

    async fn look_up(&self, accepted: &Accepted) -> Result<bool, StorageError> {
        let Some(operation) = &accepted.operation else { return Ok(false) };
        let mut tx = self.storage.begin(Reach::Tenant(operation.tenant_id)).await?;
        // The lost transaction may still be at its commit. It holds this lock: whoever gets it sees how that ended.
        tx.tenants().lock(operation.tenant_id).await?;
        Ok(tx.operations().get(operation.id).await?.is_some())
    }

    async fn pause(&self, tries: u32) {
        let pause = PAUSE.delay(tries, self.entropy.unit());
        self.clock.sleep(pause.try_into().unwrap_or_default()).await;
    }
}
