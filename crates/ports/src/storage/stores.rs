//! Stores.

use std::str::FromStr;

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::store::{EngineName, Store, StoreHost, StoreName, StoreState};
use shopwright_domain::{Epoch, StoreId, TenantId, UserId};

use crate::storage::StorageError;

/// In which order stores are listed. Each order is total: what is equal by it is ordered by id. Opposite orders are each other's reverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StoreSort {
    /// By the time they were made, the newest first.
    #[default]
    Newest,
    /// The oldest first.
    Oldest,
    /// By name.
    Name,
    /// By name, backwards.
    NameBackwards,
}

impl StoreSort {
    /// All orders.
    pub const ALL: [Self; 4] = [Self::Newest, Self::Oldest, Self::Name, Self::NameBackwards];

    /// The order as it is asked for.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "-createdAt",
            Self::Oldest => "createdAt",
            Self::Name => "name",
            Self::NameBackwards => "-name",
        }
    }

    /// Where a store stands in a list of this order.
    pub fn place_of(self, store: &Store) -> StorePlace {
        match self {
            Self::Newest | Self::Oldest => StorePlace::Time(store.created_at, store.id.clone()),
            Self::Name | Self::NameBackwards => StorePlace::Name(store.name.clone(), store.id.clone()),
        }
    }
}

/// A text that is no order of stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sort must be one of: -createdAt, createdAt, name, -name")]
pub struct UnknownSort;

impl FromStr for StoreSort {
    type Err = UnknownSort;

    fn from_str(text: &str) -> Result<Self, UnknownSort> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text).ok_or(UnknownSort)
    }
}

/// A place in a list of stores: a page begins after it. It need not be the place of a store that still exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorePlace {
    /// In a list by time.
    Time(Timestamp, StoreId),
    /// In a list by name.
    Name(StoreName, StoreId),
}

/// Which stores, and in which order. The default is every store that is not deleted, the newest first.
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
    /// With this in their name, as it stands there: names are in lower case.
    pub search: Option<String>,
    /// In this order.
    pub sort: StoreSort,
    /// Behind this place of the order; one of another order is an error of the caller. It does not change how many match in all.
    pub after: Option<StorePlace>,
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

    /// A page of stores, and how many match in all.
    async fn list(&mut self, filter: &StoreFilter, page: Page) -> Result<(Vec<Store>, u64), StorageError>;
}
