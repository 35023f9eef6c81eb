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

    /// How many sets of credentials the store has had, from 1; 0 when it has none.
    async fn version(&mut self, store_id: &StoreId) -> Result<u32, StorageError>;

    /// The set that is being tried in place of the store's.
    async fn pending(&mut self, store_id: &StoreId) -> Result<Option<Sealed>, StorageError>;

    /// Writes the set that is being tried, beside the store's, over another one; `None` takes it back.
    async fn put_pending(&mut self, store_id: &StoreId, pending: Option<&Sealed>) -> Result<(), StorageError>;

    /// The set that was tried is the store's from now on, and the version is the next one. Nothing changes when there is none.
    async fn promote(&mut self, store_id: &StoreId) -> Result<(), StorageError>;

    /// Forgets them: a deleted store has no credentials. Absence is success.
    async fn remove(&mut self, store_id: &StoreId) -> Result<(), StorageError>;
}
