//! The audit trail.

use async_trait::async_trait;
use shopwright_domain::audit::AuditEvent;
use shopwright_domain::{StoreId, TenantId};

use crate::storage::{Page, StorageError};

/// An event with its number in the tenant's chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number: 1, 2, 3 ... in the tenant's chain, without gaps.
    pub sequence: u64,
    /// The event.
    pub event: AuditEvent,
}

/// Which events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// Of this tenant's chain.
    pub tenant_id: Option<TenantId>,
    /// About this store.
    pub store_id: Option<StoreId>,
}

/// The audit trail. There is no way to change or remove an entry.
#[async_trait]
pub trait AuditRepository: Send {
    /// Appends an event to its tenant's chain; it locks the tenant's row.
    async fn append(&mut self, event: &AuditEvent) -> Result<(), StorageError>;

    /// A page of entries, newest first, and how many match in all.
    async fn list(&mut self, filter: &AuditFilter, page: Page) -> Result<(Vec<AuditEntry>, u64), StorageError>;
}
