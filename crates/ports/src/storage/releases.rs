//! What stores' releases were made of: kept so that a change that fails can be taken back.

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::operation::ReleaseDigests;
use shopwright_domain::{StoreId, TenantId};

use crate::releases::ReleaseOrigin;
use crate::storage::StorageError;

/// Origins, and the release with which each store was last seen to work.
#[async_trait]
pub trait ReleaseRepository: Send {
    /// Whether this origin is kept. One that is counts as used at `at`, give or take an hour.
    async fn use_origin(&mut self, digest: &str, at: Timestamp) -> Result<bool, StorageError>;

    /// Keeps an origin, used at `at`. One that is kept already stays as it is.
    async fn put_origin(&mut self, origin: &ReleaseOrigin, at: Timestamp) -> Result<(), StorageError>;

    /// Reads an origin.
    async fn origin(&mut self, digest: &str) -> Result<Option<ReleaseOrigin>, StorageError>;

    /// Writes with which release the store was last seen to work, over what is there. Its origin must be kept.
    async fn keep(
        &mut self,
        tenant_id: TenantId,
        store_id: &StoreId,
        release: &ReleaseDigests,
    ) -> Result<(), StorageError>;

    /// With which release the store was last seen to work.
    async fn kept(&mut self, store_id: &StoreId) -> Result<Option<ReleaseDigests>, StorageError>;

    /// Forgets at most `limit` origins that were used last before `before`, with which no store was last seen to work, and of which no
    /// operation that is not finished installs; those first that were used longest ago. Returns how many. For a worker alone.
    async fn purge_origins(&mut self, before: Timestamp, limit: u32) -> Result<u64, StorageError>;

    /// A deleted store has no release. Absence is success.
    async fn forget(&mut self, store_id: &StoreId) -> Result<(), StorageError>;
}
