//! Organisations.

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::TenantId;
use shopwright_domain::plans::PlanName;

use crate::storage::StorageError;

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Identity.
    pub id: TenantId,
    /// What it is called.
    pub name: String,
    /// Whether it came with an account.
    pub personal: bool,
    /// What it may take.
    pub plan: PlanName,
    /// When its last store was created, for the cooldown.
    pub last_store_created_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Organisations.
#[async_trait]
pub trait TenantRepository: Send {
    /// Adds one.
    async fn insert(&mut self, tenant: &Tenant) -> Result<(), StorageError>;

    /// Reads one and locks it until the transaction ends: the first lock of every transaction that changes what the tenant owns.
    async fn lock(&mut self, id: TenantId) -> Result<Option<Tenant>, StorageError>;

    /// Gives it another name; [`StorageError::Stale`] when it is not there.
    async fn rename(&mut self, id: TenantId, name: &str) -> Result<(), StorageError>;

    /// Notes that it is no more. Its rows stay, for the audit trail; memberships and invitations are the caller's to end.
    async fn dissolve(&mut self, id: TenantId, at: Timestamp) -> Result<(), StorageError>;

    /// Reads one without locking it.
    async fn get(&mut self, id: TenantId) -> Result<Option<Tenant>, StorageError>;

    /// Gives it another plan; false when there is no such organisation.
    async fn set_plan(&mut self, id: TenantId, plan: &PlanName) -> Result<bool, StorageError>;

    /// Remembers when its last store was created.
    async fn set_last_store_created_at(&mut self, id: TenantId, at: Timestamp) -> Result<(), StorageError>;
}
