//! The one reader of new events in this process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shopwright_domain::TenantId;
use shopwright_ports::clock::Clock;
use shopwright_ports::storage::{Event, Mark, Reach, Storage, StorageError};
use tokio::sync::{Notify, broadcast};

use super::EventSettings;

/// So many events wait for a slow follower; after that it reads again what it has missed.
const WAITING: usize = 256;
/// So many events are read at once.
const AT_ONCE: u32 = 1_000;

/// An event of all tenants' stream, with its place: the `index`th of those between two moments.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) from: Arc<Mark>,
    pub(super) to: Arc<Mark>,
    pub(super) index: u32,
    pub(super) event: Arc<Event>,
}

/// What one tenant's followers listen to, and the number that was told last.
struct Channel {
    sender: broadcast::Sender<Arc<Event>>,
    told: u64,
}

/// What administrators listen to, and the moment up to which all was told.
struct Installation {
    /// Nothing instead of an event: there were too many at once, read by yourself.
    sender: broadcast::Sender<Option<Placed>>,
    told: Arc<Mark>,
}

#[derive(Default)]
struct Channels {
    tenants: BTreeMap<TenantId, Channel>,
    installation: Option<Installation>,
}

impl Channels {
    /// Forgets what nobody listens to any more.
    fn retain_heard(&mut self) {
        self.tenants.retain(|_, channel| channel.sender.receiver_count() > 0);
        self.installation = self.installation.take().filter(|all| all.sender.receiver_count() > 0);
    }

    fn is_empty(&self) -> bool {
        self.tenants.is_empty() && self.installation.is_none()
    }
}

pub(super) struct Tail {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    channels: Mutex<Channels>,
    /// Somebody has begun to listen.
    joined: Notify,
}

impl Tail {
    pub(super) fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>) -> Self {
        Self { storage, clock, channels: Mutex::default(), joined: Notify::new() }
    }

    fn channels(&self) -> MutexGuard<'_, Channels> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens to a tenant's events from now on: those behind `head`, a number that the stream had reached before this call, and perhaps
    /// some before it.
    pub(super) fn join(&self, tenant_id: TenantId, head: u64) -> broadcast::Receiver<Arc<Event>> {
        let mut channels = self.channels();
        let channel = channels
            .tenants
            .entry(tenant_id)
            .or_insert_with(|| Channel { sender: broadcast::Sender::new(WAITING), told: head });
        let receiver = channel.sender.subscribe();
        self.joined.notify_one();
        receiver
    }

    /// Listens to everybody's events from now on: those that `now`, a moment before this call, does not show, and perhaps others.
    pub(super) fn join_all(&self, now: &Mark) -> broadcast::Receiver<Option<Placed>> {
        let mut channels = self.channels();
        let all = channels.installation.get_or_insert_with(|| Installation {
            sender: broadcast::Sender::new(WAITING),
            told: Arc::new(now.clone()),
        });
        let receiver = all.sender.subscribe();
        self.joined.notify_one();
        receiver
    }

    /// Looks for new events as long as somebody listens: after a hint, and now and then without one.
    pub(super) async fn run(&self, settings: &EventSettings) {
        loop {
            let empty = {
                let mut channels = self.channels();
                channels.retain_heard();
                channels.is_empty()
            };
            if empty {
                self.joined.notified().await;
            }
            let more = self.look().await.unwrap_or_else(|error| {
                tracing::warn!(error = &error as &dyn std::error::Error, "new events cannot be read");
                false
            });
            self.clock.sleep(settings.least_pause).await;
            if more {
                continue;
            }
            tokio::select! {
                biased;
                () = self.storage.stirred() => {}
                () = self.joined.notified() => {}
                () = self.clock.sleep(settings.poll) => {}
            }
        }
    }

    /// Reads what is new and tells it. Whether there is more.
    async fn look(&self) -> Result<bool, StorageError> {
        let (behind, all) = {
            let channels = self.channels();
            let behind: Vec<_> = channels.tenants.iter().map(|(tenant, channel)| (*tenant, channel.told)).collect();
            (behind, channels.installation.as_ref().map(|all| Arc::clone(&all.told)))
        };
        let mut more = false;
        if !behind.is_empty() {
            let events = self.storage.begin(Reach::Worker).await?.events().behind(&behind, AT_ONCE).await?;
            more |= events.len() >= AT_ONCE as usize;
            self.tell(events);
        }
        if let Some(from) = all {
            self.look_everywhere(&from).await?;
        }
        Ok(more)
    }

    fn tell(&self, events: Vec<Event>) {
        let mut channels = self.channels();
        for event in events {
            let Some(channel) = channels.tenants.get_mut(&event.tenant_id) else { continue };
            if event.sequence > channel.told {
                channel.told = event.sequence;
                // Nobody listens any more: the next round forgets the channel.
                let _ = channel.sender.send(Arc::new(event));
            }
        }
    }

    async fn look_everywhere(&self, from: &Arc<Mark>) -> Result<(), StorageError> {
        let mut tx = self.storage.begin(Reach::Worker).await?;
        let to = Arc::new(tx.events().mark().await?);
        if to.snapshot() == from.snapshot() {
            return Ok(());
        }
        let events = tx.events().between(from, &to, AT_ONCE).await?;
        drop(tx);
        let mut channels = self.channels();
        let Some(all) = channels.installation.as_mut() else { return Ok(()) };
        all.told = Arc::clone(&to);
        if events.len() >= AT_ONCE as usize {
            let _ = all.sender.send(None);
            return Ok(());
        }
        for (index, event) in (0..).zip(events) {
            let (from, to) = (Arc::clone(from), Arc::clone(&to));
            let _ = all.sender.send(Some(Placed { from, to, index, event: Arc::new(event) }));
        }
        Ok(())
    }
}
