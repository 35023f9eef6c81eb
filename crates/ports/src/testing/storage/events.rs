//! Events: written at the end of a transaction about what it has touched.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::saga::Step;
use shopwright_domain::{OperationId, StoreId, TenantId};

use super::Snapshot;
use super::transaction::FakeTransaction;
use crate::storage::{Event, EventRepository, Mark, News, StorageError, StreamBounds};

/// What a transaction has touched, in this order.
#[derive(Debug, Default)]
pub(super) struct Touched {
    operations: Vec<(OperationId, Option<Step>)>,
    stores: Vec<StoreId>,
    entries: Vec<(TenantId, u64)>,
}

impl Touched {
    /// An operation; with the step that began or ended.
    pub(super) fn operation(&mut self, id: OperationId, step: Option<Step>) {
        match self.operations.iter_mut().find(|(known, _)| *known == id) {
            Some((_, known)) => *known = step.or(*known),
            None => self.operations.push((id, step)),
        }
    }

    pub(super) fn store(&mut self, id: &StoreId) {
        if !self.stores.contains(id) {
            self.stores.push(id.clone());
        }
    }

    pub(super) fn entry(&mut self, tenant_id: TenantId, sequence: u64) {
        self.entries.push((tenant_id, sequence));
    }

    fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.stores.is_empty() && self.entries.is_empty()
    }
}

impl Snapshot {
    /// Writes the events of a transaction, as the rows are at its end.
    pub(super) fn tell(&mut self, touched: &Touched, at: Timestamp) {
        if touched.is_empty() {
            return;
        }
        self.transactions += 1;
        let mut told = Vec::new();
        for (id, step) in &touched.operations {
            let Some(operation) = self.operation(*id) else { continue };
            let step = step.or(operation.step);
            let record = self.steps_of(*id).into_iter().find(|record| Some(record.step) == step);
            let news = News::Operation {
                kind: operation.kind,
                status: operation.status,
                step,
                step_status: record.as_ref().map(|record| record.status),
                attempt: record.map_or(operation.attempt, |record| record.attempts),
                failure: operation.failure.clone(),
            };
            told.push((operation.tenant_id, operation.store_id.clone(), Some(*id), news));
        }
        for store in touched.stores.iter().filter_map(|id| self.store(id)) {
            let news = News::Store { state: store.state, failure: store.failure.clone() };
            told.push((store.tenant_id, store.id.clone(), None, news));
        }
        for (tenant_id, number) in &touched.entries {
            let is_it =
                |entry: &&crate::storage::AuditEntry| entry.event.tenant_id == *tenant_id && entry.sequence == *number;
            let Some(event) = self.audit.iter().find(is_it).map(|entry| &entry.event) else { continue };
            let Some(store_id) = event.store_id.clone() else { continue };
            let news = News::Audit {
                number: *number,
                event_type: event.event_type,
                state: event.new,
                message: event.message.clone(),
            };
            told.push((*tenant_id, store_id, event.operation_id, news));
        }
        for (tenant_id, store_id, operation_id, news) in told {
            let sequence = self.bounds_of(tenant_id).head + 1;
            let transaction = self.transactions;
            self.events.push(Event { tenant_id, sequence, at, store_id, operation_id, news, transaction });
        }
    }

    fn bounds_of(&self, tenant_id: TenantId) -> StreamBounds {
        let floor = self.event_floors.get(&tenant_id).copied().unwrap_or_default();
        let last = self.events.iter().rfind(|event| event.tenant_id == tenant_id).map(|event| event.sequence);
        StreamBounds { floor, head: last.unwrap_or(floor).max(floor) }
    }
}

#[async_trait]
impl EventRepository for FakeTransaction {
    async fn bounds(&mut self, tenant_id: TenantId) -> Result<Option<StreamBounds>, StorageError> {
        let seen = self.reach.covers(tenant_id);
        let rows = self.owned_rows()?;
        let exists = seen && rows.tenants.iter().any(|tenant| tenant.id == tenant_id);
        Ok(exists.then(|| rows.bounds_of(tenant_id)))
    }

    async fn behind(&mut self, places: &[(TenantId, u64)], limit: u32) -> Result<Vec<Event>, StorageError> {
        let reach = self.reach;
        let wanted = |event: &&Event| {
            reach.covers(event.tenant_id)
                && places.iter().any(|(tenant, number)| event.tenant_id == *tenant && event.sequence > *number)
        };
        let mut events: Vec<_> = self.owned_rows()?.events.iter().filter(wanted).cloned().collect();
        events.sort_by_key(|event| (event.tenant_id, event.sequence));
        events.truncate(limit as usize);
        Ok(events)
    }

    async fn mark(&mut self) -> Result<Mark, StorageError> {
        // Transactions follow each other here: none is open while another one looks.
        let (now, next) = (self.now(), self.rows()?.transactions + 1);
        let invalid = |error| StorageError::Internal { detail: "a mark".to_owned(), source: Some(Box::new(error)) };
        Mark::of_snapshot(now, &format!("{next}:{next}:")).map_err(invalid)
    }

    async fn between(&mut self, from: &Mark, to: &Mark, limit: u32) -> Result<Vec<Event>, StorageError> {
        let reach = self.reach;
        let wanted = |event: &&Event| {
            reach.covers(event.tenant_id) && to.shows(event.transaction) && !from.shows(event.transaction)
        };
        let mut events: Vec<_> = self.owned_rows()?.events.iter().filter(wanted).cloned().collect();
        events.sort_by_key(|event| (event.transaction, event.tenant_id, event.sequence));
        events.truncate(limit as usize);
        Ok(events)
    }

    async fn purge(&mut self, before: Timestamp, limit: u32) -> Result<u64, StorageError> {
        let reach = self.reach;
        let rows = self.owned_rows()?;
        let is_old = |event: &&Event| reach.covers(event.tenant_id) && event.at < before;
        let mut gone: Vec<_> = rows.events.iter().filter(is_old).cloned().collect();
        gone.sort_by_key(|event| event.at);
        gone.truncate(limit as usize);
        let mut floors: BTreeMap<TenantId, u64> = BTreeMap::new();
        for event in &gone {
            let floor = floors.entry(event.tenant_id).or_default();
            *floor = (*floor).max(event.sequence);
        }
        rows.events.retain(|event| !gone.contains(event));
        for (tenant, floor) in floors {
            let known = rows.event_floors.entry(tenant).or_default();
            *known = (*known).max(floor);
        }
        Ok(gone.len() as u64)
    }
}
