//! The audit trail.

use std::cmp::Reverse;

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::TenantId;
use shopwright_domain::audit::{AuditEvent, ChainDigest, ChainHead, chain};

use super::stores::page_of;
use super::transaction::FakeTransaction;
use crate::storage::{AuditEntry, AuditFilter, AuditPlace, AuditRepository, Page, Reach, StorageError};

#[async_trait]
impl AuditRepository for FakeTransaction {
    async fn append(&mut self, event: &AuditEvent) -> Result<(), StorageError> {
        let seen = self.reach == Reach::Identity || self.reach.covers(event.tenant_id);
        let has_tenant = seen && self.rows()?.tenants.iter().any(|row| row.id == event.tenant_id);
        self.require(has_tenant, "the event's tenant")?;
        let last = self.chain_of(event.tenant_id)?;
        let sequence = last.sequence + 1;
        let digest = chain::digest(last.digest, sequence, event);
        self.rows()?.audit.push(AuditEntry { sequence, event: event.clone(), digest, store_name: None });
        self.touched.entry(event.tenant_id, sequence);
        Ok(())
    }

    async fn list(&mut self, filter: &AuditFilter, page: Page) -> Result<(Vec<AuditEntry>, u64), StorageError> {
        let all = AuditFilter { after: None, ..filter.clone() };
        let total = self.matching(&all)?.len() as u64;
        Ok((self.entries(filter, page).await?, total))
    }

    async fn entries(&mut self, filter: &AuditFilter, page: Page) -> Result<Vec<AuditEntry>, StorageError> {
        let (mut entries, _) = page_of(self.matching(filter)?, page);
        let rows = self.owned_rows()?;
        for entry in &mut entries {
            let store = entry.event.store_id.as_ref().and_then(|id| rows.store(id));
            entry.store_name = store.map(|store| store.name.clone());
        }
        Ok(entries)
    }

    async fn heads(&mut self, after: Option<TenantId>, limit: u32) -> Result<Vec<ChainHead>, StorageError> {
        let reach = self.reach;
        let mut tenants: Vec<_> = self.owned_rows()?.tenants.iter().map(|tenant| tenant.id).collect();
        tenants.retain(|id| reach.covers(*id) && after.is_none_or(|after| *id > after));
        tenants.sort();
        tenants.truncate(limit as usize);
        tenants.into_iter().map(|id| self.chain_of(id)).collect()
    }

    async fn head(&mut self, tenant_id: TenantId) -> Result<Option<ChainHead>, StorageError> {
        let seen = self.reach.covers(tenant_id);
        let exists = seen && self.owned_rows()?.tenants.iter().any(|tenant| tenant.id == tenant_id);
        exists.then(|| self.chain_of(tenant_id)).transpose()
    }

    async fn chain(&mut self, tenant_id: TenantId, after: u64, limit: u32) -> Result<Vec<AuditEntry>, StorageError> {
        let seen = self.reach.covers(tenant_id);
        let wanted = |entry: &&AuditEntry| seen && entry.event.tenant_id == tenant_id && entry.sequence > after;
        Ok(self.owned_rows()?.audit.iter().filter(wanted).take(limit as usize).cloned().collect())
    }

    async fn beyond(&mut self, _: TenantId) -> Result<Option<u64>, StorageError> {
        // Here the head is the last entry by itself.
        Ok(None)
    }
}

impl FakeTransaction {
    /// The end of a chain.
    fn chain_of(&mut self, tenant_id: TenantId) -> Result<ChainHead, StorageError> {
        let last = self.rows()?.audit.iter().rfind(|entry| entry.event.tenant_id == tenant_id);
        let (sequence, digest) = last.map_or((0, ChainDigest::default()), |entry| (entry.sequence, entry.digest));
        Ok(ChainHead { tenant_id, sequence, digest })
    }

    /// What matches, in the order of the list.
    fn matching(&mut self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, StorageError> {
        // There is no order across chains but the time.
        let key = |place: AuditPlace| {
            let at = if filter.is_by_number() { Timestamp::MIN } else { place.at };
            Reverse((at, place.sequence, place.tenant_id))
        };
        let reach = self.reach;
        let wanted = |entry: &&AuditEntry| {
            let event = &entry.event;
            reach.covers(event.tenant_id)
                && filter.tenant_id.is_none_or(|tenant| event.tenant_id == tenant)
                && filter.store_id.as_ref().is_none_or(|store| event.store_id.as_ref() == Some(store))
                && (!filter.of_stores || event.store_id.is_some())
                && filter.event_type.as_ref().is_none_or(|kind| event.event_type.as_str() == kind)
                && filter.actor.is_none_or(|actor| event.actor == Some(actor))
                && filter.operation_id.is_none_or(|id| event.operation_id == Some(id))
                && filter.from.is_none_or(|from| event.at >= from)
                && filter.until.is_none_or(|until| event.at < until)
                && filter.after.is_none_or(|after| key(entry.place()) > key(after))
        };
        let mut entries: Vec<_> = self.owned_rows()?.audit.iter().filter(wanted).cloned().collect();
        entries.sort_by_key(|entry| key(entry.place()));
        Ok(entries)
    }
}
