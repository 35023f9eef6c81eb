//! The audit trail.

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::audit::{AuditEvent, ChainDigest, ChainHead};
use shopwright_domain::store::StoreName;
use shopwright_domain::{OperationId, StoreId, TenantId, UserId};

use crate::storage::{Page, StorageError};

/// An event with its number in the tenant's chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number: 1, 2, 3 ... in the tenant's chain, without gaps.
    pub sequence: u64,
    /// The event.
    pub event: AuditEvent,
    /// What makes it a link of the chain.
    pub digest: ChainDigest,
    /// What the store that it is about is called now.
    pub store_name: Option<StoreName>,
}

impl AuditEntry {
    /// Where it stands in a list.
    pub const fn place(&self) -> AuditPlace {
        AuditPlace { at: self.event.at, sequence: self.sequence, tenant_id: self.event.tenant_id }
    }
}

/// A place in a list of entries: a page begins after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditPlace {
    /// When it happened.
    pub at: Timestamp,
    /// Its number in its chain.
    pub sequence: u64,
    /// Whose chain that is.
    pub tenant_id: TenantId,
}

/// Which events. The default is all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// Of this tenant's chain.
    pub tenant_id: Option<TenantId>,
    /// About this store.
    pub store_id: Option<StoreId>,
    /// About stores at all: no sign-ins and no changes of accounts.
    pub of_stores: bool,
    /// Of this type. A type that nobody knows matches nothing.
    pub event_type: Option<String>,
    /// Done by this person.
    pub actor: Option<UserId>,
    /// About this operation.
    pub operation_id: Option<OperationId>,
    /// At this time or later.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// Behind this place of the list. It does not change how many match in all.
    pub after: Option<AuditPlace>,
}

impl AuditFilter {
    /// Whether the list is in the order of numbers: it is of one chain, or of one store. Else the time is the order.
    pub const fn is_by_number(&self) -> bool {
        self.tenant_id.is_some() || self.store_id.is_some()
    }
}

/// The audit trail. There is no way to change or remove an entry.
#[async_trait]
pub trait AuditRepository: Send {
    /// Appends an event to its tenant's chain, with the digest that makes it a link; it locks the tenant's row.
    async fn append(&mut self, event: &AuditEvent) -> Result<(), StorageError>;

    /// A page of entries, newest first, and how many match in all.
    async fn list(&mut self, filter: &AuditFilter, page: Page) -> Result<(Vec<AuditEntry>, u64), StorageError>;

    /// The same page without counting what matches in all.
    async fn entries(&mut self, filter: &AuditFilter, page: Page) -> Result<Vec<AuditEntry>, StorageError>;

    /// At most `limit` ends of chains, by their tenants' ids, of those behind `after`.
    async fn heads(&mut self, after: Option<TenantId>, limit: u32) -> Result<Vec<ChainHead>, StorageError>;

    /// The end of one tenant's chain; none when there is no such tenant.
    async fn head(&mut self, tenant_id: TenantId) -> Result<Option<ChainHead>, StorageError>;

    /// At most `limit` entries of a chain, by their numbers, of those behind the number `after`. One that cannot be read is an error: it is
    /// not left out as in a list.
    async fn chain(&mut self, tenant_id: TenantId, after: u64, limit: u32) -> Result<Vec<AuditEntry>, StorageError>;

    /// The first entry behind the end of the chain: nobody who appends as they should leaves one.
    async fn beyond(&mut self, tenant_id: TenantId) -> Result<Option<u64>, StorageError>;
}
