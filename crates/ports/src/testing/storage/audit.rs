//! The audit trail.

use std::cmp::Reverse;

use async_trait::async_trait;
use shopwright_domain::audit::AuditEvent;

use super::stores::page_of;
use super::transaction::FakeTransaction;
use crate::storage::{AuditEntry, AuditFilter, AuditRepository, Page, Reach, StorageError};

#[async_trait]
impl AuditRepository for FakeTransaction {
    async fn append(&mut self, event: &AuditEvent) -> Result<(), StorageError> {
        let seen = self.reach == Reach::Identity || self.reach.covers(event.tenant_id);
        let has_tenant = seen && self.rows()?.tenants.iter().any(|row| row.id == event.tenant_id);
        self.require(has_tenant, "the event's tenant")?;
        let rows = self.rows()?;
        let earlier = rows.audit.iter().rfind(|entry| entry.event.tenant_id == event.tenant_id);
        let sequence = earlier.map_or(0, |entry| entry.sequence) + 1;
        rows.audit.push(AuditEntry { sequence, event: event.clone() });
        Ok(())
    }

    async fn list(&mut self, filter: &AuditFilter, page: Page) -> Result<(Vec<AuditEntry>, u64), StorageError> {
        let reach = self.reach;
        let wanted = |entry: &&AuditEntry| {
            reach.covers(entry.event.tenant_id)
                && filter.tenant_id.is_none_or(|tenant| entry.event.tenant_id == tenant)
                && filter.store_id.as_ref().is_none_or(|store| entry.event.store_id.as_ref() == Some(store))
        };
        let mut entries: Vec<_> = self.owned_rows()?.audit.iter().filter(wanted).cloned().collect();
        if filter.tenant_id.is_some() || filter.store_id.is_some() {
            entries.sort_by_key(|entry| Reverse(entry.sequence));
        } else {
            // There is no order across chains but the time.
            entries.sort_by_key(|entry| Reverse((entry.event.at, entry.sequence, entry.event.tenant_id)));
        }
        Ok(page_of(entries, page))
    }
}
