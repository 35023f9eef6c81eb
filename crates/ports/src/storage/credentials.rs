//! Sealed credentials of stores.

use async_trait::async_trait;
use shopwright_domain::{StoreId, TenantId};

use crate::secrets::Sealed;
use crate::storage::StorageError;

/// Sealed credentials of stores.
#[async_trait]
pub trait CredentialRepository: Send {
    /// Writes them, over what is there.
    async fn put(&mut self, tenant_id: TenantId, store_id: &StoreId, sealed: &Sealed) -> Result<(), StorageError>;

    /// Reads them.
    async fn get(&mut self, store_id: &StoreId) -> Result<Option<Sealed>, StorageError>;

    /// Forgets them: a deleted store has no credentials. Absence is success.
    async fn remove(&mut self, store_id: &StoreId) -> Result<(), StorageError>;
}
