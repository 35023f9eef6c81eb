//! What stores' releases were made of.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shopwright_domain::operation::ReleaseDigests;
use shopwright_domain::{StoreId, TenantId};

use super::transaction::FakeTransaction;
use crate::releases::ReleaseOrigin;
use crate::storage::{Reach, ReleaseRepository, StorageError};

#[async_trait]
impl ReleaseRepository for FakeTransaction {
    async fn use_origin(&mut self, digest: &str, at: Timestamp) -> Result<bool, StorageError> {
        let Some((_, used_at)) = self.owned_rows()?.origins.get_mut(digest) else { return Ok(false) };
        if at.duration_since(*used_at) > SignedDuration::from_hours(1) {
            *used_at = at;
        }
        Ok(true)
    }

    async fn put_origin(&mut self, origin: &ReleaseOrigin, at: Timestamp) -> Result<(), StorageError> {
        self.owned_rows()?.origins.entry(origin.digest.clone()).or_insert_with(|| (origin.clone(), at));
        Ok(())
    }

    async fn origin(&mut self, digest: &str) -> Result<Option<ReleaseOrigin>, StorageError> {
        Ok(self.owned_rows()?.origins.get(digest).map(|(origin, _)| origin.clone()))
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

    async fn purge_origins(&mut self, before: Timestamp, limit: u32) -> Result<u64, StorageError> {
        let allowed = self.reach == Reach::Worker;
        self.within_reach(allowed, "forgetting origins of releases")?;
        let rows = self.rows()?;
        let needed = |digest: &str| {
            let is_it = |release: &ReleaseDigests| release.origin.as_deref() == Some(digest);
            let mut unfinished = rows.operations.iter().filter(|operation| !operation.status.is_finished());
            rows.releases.values().any(is_it)
                || unfinished.any(|operation| operation.release.as_ref().is_some_and(is_it))
        };
        let old = rows.origins.iter().filter(|(digest, (_, used_at))| *used_at < before && !needed(digest));
        let mut old: Vec<_> = old.map(|(digest, (_, used_at))| (*used_at, digest.clone())).collect();
        old.sort();
        old.truncate(limit as usize);
        for (_, digest) in &old {
            rows.origins.remove(digest);
        }
        Ok(old.len() as u64)
    }

    async fn forget(&mut self, store_id: &StoreId) -> Result<(), StorageError> {
        if self.seen_store(store_id)?.is_some() {
            self.rows()?.releases.remove(store_id);
        }
        Ok(())
    }
}
