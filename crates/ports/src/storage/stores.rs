//! Stores.

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::store::{EngineName, Store, StoreHost, StoreName, StoreState};
use shopwright_domain::{Epoch, StoreId, TenantId, UserId};

use crate::storage::StorageError;

/// Which stores. `None` everywhere is every store that is not deleted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoreFilter {
    /// Of this tenant.
    pub tenant_id: Option<TenantId>,
    /// Of this owner.
    pub owner_id: Option<UserId>,
    /// In this state; without it deleted stores are left out.
    pub state: Option<StoreState>,
    /// Of this engine.
    pub engine: Option<EngineName>,
}

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// At most so many.
    pub limit: u32,
    /// After so many.
    pub offset: u32,
}

/// Stores.
#[async_trait]
pub trait StoreRepository: Send {
    /// Adds one; [`StorageError::NotUnique`] for a taken id, host or (per tenant, among live stores) name.
    async fn insert(&mut self, store: &Store) -> Result<(), StorageError>;

    /// By id.
    async fn get(&mut self, id: &StoreId) -> Result<Option<Store>, StorageError>;

    /// By id, locked until the transaction ends.
    async fn lock(&mut self, id: &StoreId) -> Result<Option<Store>, StorageError>;

    /// The tenant's live store of this name.
    async fn live_by_name(&mut self, tenant_id: TenantId, name: &StoreName) -> Result<Option<Store>, StorageError>;

    /// Whether no store holds this host and none did after `released_before`: the quarantine of deleted ones.
    async fn host_is_free(&mut self, host: &StoreHost, released_before: Timestamp) -> Result<bool, StorageError>;

    /// How many live stores the tenant holds.
    async fn count_live(&mut self, tenant_id: TenantId) -> Result<u32, StorageError>;

    /// Writes everything but the epoch, if `store.row_version` is still the row's, and raises the version in the row and in `store`.
    /// [`StorageError::Stale`] when it is not.
    async fn save(&mut self, store: &mut Store) -> Result<(), StorageError>;

    /// Raises the epoch: whoever holds a lease under an older one is out. Returns the new one.
    async fn raise_epoch(&mut self, id: &StoreId) -> Result<Epoch, StorageError>;

    /// A page of stores, newest first and then by id, and how many match in all.
    async fn list(&mut self, filter: &StoreFilter, page: Page) -> Result<(Vec<Store>, u64), StorageError>;
}
