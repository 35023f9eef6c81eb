//! Following what happens, live: what the driving port [`EventService`] promises.
//!
//! Events are rows that storage numbers per tenant inside the transaction that changes something. One tail per process reads what is new
//! for all organisations that somebody here follows, in one statement, and hands it to the followers (`tail.rs`). A follower first reads
//! what it has missed and then listens; when it falls behind it reads again (`follow.rs`). So nothing is lost or told twice over
//! reconnects, on whichever replica, and what is held in memory is bounded however slow a reader is. Hints only make it faster.

mod follow;
mod tail;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use shopwright_domain::TenantId;
use shopwright_ports::clock::Clock;
use shopwright_ports::events_api::{EventService, EventStream, Followed};
use shopwright_ports::storage::{Reach, Storage, StorageError};
use shopwright_ports::stores_api::{RequestContext, StoreServiceError};
use tokio_util::sync::CancellationToken;

use tail::Tail;

/// How events are followed and kept.
#[derive(Debug, Clone)]
pub struct EventSettings {
    /// How often the tail looks when nobody gives a hint.
    pub poll: Duration,
    /// The tail does not look more often, whatever the hints.
    pub least_pause: Duration,
    /// How long events are kept. The audit trail is kept for ever.
    pub kept_for: SignedDuration,
    /// How often old ones are forgotten.
    pub sweep_every: Duration,
    /// Whoever has missed more than so many events is told to read everything anew.
    pub replayed: u32,
}

impl Default for EventSettings {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(500),
            least_pause: Duration::from_millis(50),
            kept_for: SignedDuration::from_hours(24 * 7),
            sweep_every: Duration::from_mins(10),
            replayed: 10_000,
        }
    }
}

/// So many events are forgotten in one transaction: it holds the locks of their organisations.
const FORGOTTEN_AT_ONCE: u32 = 5_000;

/// Following what happens. A clone is the same.
#[derive(Clone)]
pub struct Events {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    settings: EventSettings,
    tail: Arc<Tail>,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Events {
    /// Over a storage that reaches all organisations: what a request may see is decided here.
    pub fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>, settings: EventSettings) -> Self {
        let tail = Arc::new(Tail::new(Arc::clone(&storage), Arc::clone(&clock)));
        Self { storage, clock, settings, tail }
    }

    /// Keeps followers up to date and forgets old events, until told to stop.
    pub async fn run(&self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.tail.run(&self.settings) => {}
            () = self.sweep() => {}
        }
    }

    async fn sweep(&self) {
        loop {
            self.clock.sleep(self.settings.sweep_every).await;
            match self.forget_old().await {
                Ok(0) => {}
                Ok(events) => tracing::debug!(events, "old events are forgotten"),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "old events could not be forgotten");
                }
            }
        }
    }

    /// Forgets events that were kept long enough; how many there were. Harmless on every replica.
    ///
    /// # Errors
    /// What the storage said.
    pub async fn forget_old(&self) -> Result<u64, StorageError> {
        let before = self.clock.now() - self.settings.kept_for;
        let mut forgotten = 0;
        loop {
            let mut tx = self.storage.begin(Reach::Worker).await?;
            let events = tx.events().purge(before, FORGOTTEN_AT_ONCE).await?;
            tx.commit().await?;
            forgotten += events;
            if events < u64::from(FORGOTTEN_AT_ONCE) {
                return Ok(forgotten);
            }
        }
    }

    /// Whose store it is, for somebody who may see it; the same refusal as everywhere else.
    async fn owner_of(
        &self,
        context: &RequestContext,
        id: &shopwright_domain::StoreId,
    ) -> Result<TenantId, StoreServiceError> {
        let reach = crate::stores::reach(context);
        let mut tx = self.storage.begin(reach).await.map_err(StoreServiceError::Storage)?;
        Ok(crate::stores::visible(tx.as_mut(), context, id).await?.tenant_id)
    }
}

#[async_trait]
impl EventService for Events {
    async fn follow(
        &self,
        context: &RequestContext,
        what: Followed,
        after: Option<String>,
    ) -> Result<EventStream, StoreServiceError> {
        match what {
            Followed::Store(id) => {
                let tenant = self.owner_of(context, &id).await?;
                self.follow_tenant(tenant, Some(id), after.as_deref()).await
            }
            Followed::Everything if context.actor.is_admin() => self.follow_all(after.as_deref()).await,
            Followed::Everything => self.follow_tenant(context.actor.tenant_id, None, after.as_deref()).await,
        }
        .map_err(StoreServiceError::Storage)
    }
}
