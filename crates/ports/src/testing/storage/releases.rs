//! What stores' releases were made of.

use async_trait::async_trait;
use shopwright_domain::operation::ReleaseDigests;
use shopwright_domain::{StoreId, TenantId};

use super::transaction::FakeTransaction;
use crate::releases::ReleaseOrigin;
use crate::storage::{ReleaseRepository, StorageError};

#[async_trait]
impl ReleaseRepository for FakeTransaction {
    async fn has_origin(&mut self, digest: &str) -> Result<bool, StorageError> {
        Ok(self.owned_rows()?.origins.contains_key(digest))
    }

    async fn put_origin(&mut self, origin: &ReleaseOrigin) -> Result<(), StorageError> {
        self.owned_rows()?.origins.entry(origin.digest.clone()).or_insert_with(|| origin.clone());
        Ok(())
    }

    async fn origin(&mut self, digest: &str) -> Result<Option<ReleaseOrigin>, StorageError> {
        Ok(self.owned_rows()?.origins.get(digest).cloned())
    }

    async fn keep(
        &mut self,
        tenant_id: TenantId,
        store_id: &StoreId,
        release: &ReleaseDigests,
    ) -> Result<(), StorageError> {
        self.admit(tenant_id)?;
        let theirs = self.rows()?.store(store_id).is_some_and(|store| store.tenant_id == tenant_id);
        self.require(theirs, "the tenant's store")?;
        let origin = release.origin.clone().unwrap_or_default();
        let kept = self.rows()?.origins.contains_key(&origin);
        self.require(kept, "the release's origin")?;
        self.rows()?.releases.insert(store_id.clone(), release.clone());
        Ok(())
    }

    async fn kept(&mut self, store_id: &StoreId) -> Result<Option<ReleaseDigests>, StorageError> {
        let seen = self.seen_store(store_id)?.is_some();
        Ok(self.rows()?.releases.get(store_id).filter(|_| seen).cloned())
    }

    async fn forget(&mut self, store_id: &StoreId) -> Result<(), StorageError> {
        if self.seen_store(store_id)?.is_some() {
            self.rows()?.releases.remove(store_id);
        }
        Ok(())
    }
}
