//! What stores' releases were made of: kept so that a change that fails can be taken back.

use async_trait::async_trait;
use shopwright_domain::operation::ReleaseDigests;
use shopwright_domain::{StoreId, TenantId};

use crate::releases::ReleaseOrigin;
use crate::storage::StorageError;

/// Origins, and the release with which each store was last seen to work.
#[async_trait]
pub trait ReleaseRepository: Send {
    /// Whether this origin is kept.
    async fn has_origin(&mut self, digest: &str) -> Result<bool, StorageError>;

    /// Keeps an origin. One that is kept already stays as it is.
    async fn put_origin(&mut self, origin: &ReleaseOrigin) -> Result<(), StorageError>;

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

    /// A deleted store has no release. Absence is success.
    async fn forget(&mut self, store_id: &StoreId) -> Result<(), StorageError>;
}
