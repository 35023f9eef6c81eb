//! One follower: first what it has missed, from storage; then what the tail tells. Whenever it falls behind, from storage again.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream::unfold;
use shopwright_domain::{StoreId, TenantId};
use shopwright_ports::events_api::{EventStream, Told};
use shopwright_ports::storage::{Event, Mark, Reach, StorageError};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::Events;
use super::tail::Placed;

/// So many missed events are in memory at a time.
const STRETCH: u32 = 200;

/// A follower of one tenant's stream, or of one store in it. The place is the event's number.
struct OfTenant {
    events: Events,
    tenant_id: TenantId,
    store_id: Option<StoreId>,
    /// The number that was told or left out last.
    last: u64,
    /// Read and not told yet.
    read: VecDeque<Arc<Event>>,
    /// Whether there may be events behind `last` that the tail has told already.
    behind: bool,
    tail: Receiver<Arc<Event>>,
    /// How it begins, as long as that is not told.
    begins: Option<Told>,
}

impl OfTenant {
    async fn next(mut self) -> Option<(Told, Self)> {
        if let Some(told) = self.begins.take() {
            return Some((told, self));
        }
        loop {
            let event = self.next_event().await?;
            self.last = event.sequence;
            if self.store_id.as_ref().is_none_or(|id| *id == event.store_id) {
                return Some((Told::Event { place: event.sequence.to_string(), event }, self));
            }
        }
    }

    /// The next event of the tenant.
    async fn next_event(&mut self) -> Option<Arc<Event>> {
        loop {
            if let Some(event) = self.read.pop_front() {
                return Some(event);
            }
            if self.behind {
                self.catch_up().await;
                continue;
            }
            match self.tail.recv().await {
                Ok(event) if event.sequence > self.last => return Some(event),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => self.behind = true,
                Err(RecvError::Closed) => return None,
            }
        }
    }

    async fn catch_up(&mut self) {
        let missed = async {
            self.events
                .storage
                .begin(Reach::Worker)
                .await?
                .events()
                .behind(&[(self.tenant_id, self.last)], STRETCH)
                .await
        };
        match missed.await {
            Ok(events) => {
                self.behind = !events.is_empty();
                self.read.extend(events.into_iter().map(Arc::new));
            }
            Err(error) => self.events.wait_out(&error).await,
        }
    }
}

/// The place of an event among those of all tenants: the `index`th of those between two moments; all before it were told.
struct Place {
    from: Arc<Mark>,
    to: Arc<Mark>,
    index: u32,
}

impl Place {
    /// Behind everything up to a moment.
    fn at(mark: &Arc<Mark>) -> Self {
        Self { from: Arc::clone(mark), to: Arc::clone(mark), index: 0 }
    }

    fn text(&self) -> String {
        format!("{}~{}~{}", self.from, self.to, self.index)
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('~');
        let (from, to): (Mark, Mark) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let index = parts.next()?.parse().ok()?;
        let place = Self { from: Arc::new(from), to: Arc::new(to), index };
        (parts.next().is_none() && place.from.is_not_after(&place.to)).then_some(place)
    }
}

/// A follower of all tenants' streams.
struct OfAll {
    events: Events,
    /// Of what was told last.
    place: Place,
    /// Everything that this shows was told, or is in `read`.
    seen: Arc<Mark>,
    /// What the tail tells now: the later of two moments, and how many of the events between `seen` and it were told.
    batch: Option<(Arc<Mark>, u32)>,
    read: VecDeque<Placed>,
    behind: bool,
    tail: Receiver<Option<Placed>>,
    begins: Option<Told>,
}

impl OfAll {
    async fn next(mut self) -> Option<(Told, Self)> {
        if let Some(told) = self.begins.take() {
            return Some((told, self));
        }
        loop {
            if let Some(Placed { from, to, index, event }) = self.read.pop_front() {
                // Told: whoever brings this place back goes on behind it.
                self.place = Place { from, to, index: index + 1 };
                return Some((Told::Event { place: self.place.text(), event }, self));
            }
            if self.behind {
                match self.catch_up().await {
                    Ok(true) => {}
                    // Too much was missed to be told one by one.
                    Ok(false) => return Some((Told::Reset { place: self.place.text() }, self)),
                    Err(error) => self.events.wait_out(&error).await,
                }
                continue;
            }
            match self.tail.recv().await {
                Ok(Some(placed)) => self.hear(placed),
                Ok(None) | Err(RecvError::Lagged(_)) => self.behind = true,
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// Takes what the tail tells, unless it was told before. The tail's moments are not ours: we may have joined between two of them, and
    /// a place must name only what *we* have told.
    fn hear(&mut self, placed: Placed) {
        let is_next = self.batch.as_ref().is_none_or(|(to, _)| !Arc::ptr_eq(to, &placed.to));
        if is_next {
            if let Some((to, _)) = self.batch.take().filter(|(to, _)| self.seen.is_not_after(to)) {
                self.seen = to;
            }
            self.batch = Some((Arc::clone(&placed.to), 0));
        }
        if self.seen.shows(placed.event.transaction) {
            return;
        }
        if let Some((_, told)) = &mut self.batch {
            self.read.push_back(Placed { from: Arc::clone(&self.seen), index: *told, ..placed });
            *told += 1;
        }
    }

    /// Reads what happened since the place. False when that is too much.
    async fn catch_up(&mut self) -> Result<bool, StorageError> {
        let limit = self.events.settings.replayed;
        let mut tx = self.events.storage.begin(Reach::Worker).await?;
        let now = Arc::new(tx.events().mark().await?);
        let Place { from, to, index } = &self.place;
        // First the rest of what the last event was among, then what came to be after that.
        let mut missed = Vec::new();
        for (from, to, told) in [(from, to, *index), (to, &now, 0)] {
            let events = tx.events().between(from, to, limit).await?;
            let placed = (0..).zip(events).skip(told as usize);
            missed.extend(placed.map(|(index, event)| {
                let (from, to) = (Arc::clone(from), Arc::clone(to));
                Placed { from, to, index, event: Arc::new(event) }
            }));
        }
        drop(tx);
        self.behind = false;
        self.batch = None;
        self.seen = Arc::clone(&now);
        if missed.len() >= limit as usize {
            self.place = Place::at(&now);
            return Ok(false);
        }
        self.read.extend(missed);
        Ok(true)
    }
}

impl Events {
    /// Waits as long as the database does not answer.
    async fn wait_out(&self, error: &StorageError) {
        tracing::debug!(%error, "a follower waits for the database");
        self.clock.sleep(self.settings.poll).await;
    }

    /// A tenant's stream, or one store's part of it.
    pub(super) async fn follow_tenant(
        &self,
        tenant_id: TenantId,
        store_id: Option<StoreId>,
        after: Option<&str>,
    ) -> Result<EventStream, StorageError> {
        let bounds = self.storage.begin(Reach::Worker).await?.events().bounds(tenant_id).await?;
        let bounds = bounds.ok_or_else(|| StorageError::Internal {
            detail: "an organisation has no stream: it is not in the database".to_owned(),
            source: None,
        })?;
        let place = bounds.head.to_string();
        // A number that was not given yet is of another stream, or of a database before it was restored.
        let known = after.map(|text| {
            let number = text.parse::<u64>().ok().filter(|number| (bounds.floor..=bounds.head).contains(number));
            number.filter(|number| bounds.head - number <= u64::from(self.settings.replayed))
        });
        let (last, begins) = match known {
            None => (bounds.head, Told::Begins { place }),
            Some(None) => (bounds.head, Told::Reset { place }),
            Some(Some(number)) => (number, Told::Begins { place: number.to_string() }),
        };
        let follower = OfTenant {
            tail: self.tail.join(tenant_id, bounds.head),
            events: self.clone(),
            tenant_id,
            store_id,
            last,
            read: VecDeque::new(),
            // Something may have happened since the bounds were read.
            behind: true,
            begins: Some(begins),
        };
        Ok(unfold(follower, OfTenant::next).boxed())
    }

    /// The streams of all tenants, merged. There is no order across tenants but that of commits.
    pub(super) async fn follow_all(&self, after: Option<&str>) -> Result<EventStream, StorageError> {
        let now = Arc::new(self.storage.begin(Reach::Worker).await?.events().mark().await?);
        let oldest = self.clock.now() - self.settings.kept_for;
        let known =
            after.map(|text| Place::read(text).filter(|place| place.from.at >= oldest && place.to.is_not_after(&now)));
        let (place, begins) = match known {
            None => (Place::at(&now), Told::Begins { place: Place::at(&now).text() }),
            Some(None) => (Place::at(&now), Told::Reset { place: Place::at(&now).text() }),
            Some(Some(place)) => {
                let text = place.text();
                (place, Told::Begins { place: text })
            }
        };
        let follower = OfAll {
            tail: self.tail.join_all(&now),
            events: self.clone(),
            place,
            seen: now,
            batch: None,
            read: VecDeque::new(),
            behind: true,
            begins: Some(begins),
        };
        Ok(unfold(follower, OfAll::next).boxed())
    }
}
