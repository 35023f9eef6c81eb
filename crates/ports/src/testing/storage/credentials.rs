//! Sealed credentials of stores.

use std::sync::Arc;

use async_trait::async_trait;
use shopwright_domain::{StoreId, TenantId};

use super::transaction::FakeTransaction;
use crate::secrets::Sealed;
use crate::storage::{CredentialRepository, StorageError};

#[async_trait]
impl CredentialRepository for FakeTransaction {
    async fn put(&mut self, tenant_id: TenantId, store_id: &StoreId, sealed: &Sealed) -> Result<(), StorageError> {
        self.admit(tenant_id)?;
        let theirs = self.rows()?.store(store_id).is_some_and(|store| store.tenant_id == tenant_id);
        self.require(theirs, "the tenant's store")?;
        let rows = self.rows()?;
        Arc::make_mut(&mut rows.credentials).insert(store_id.clone(), sealed.clone());
        rows.credential_versions.entry(store_id.clone()).or_insert(1);
        Ok(())
    }

    async fn version(&mut self, store_id: &StoreId) -> Result<u32, StorageError> {
        let seen = self.seen_store(store_id)?.is_some();
        Ok(self.rows()?.credential_versions.get(store_id).filter(|_| seen).copied().unwrap_or(0))
    }

    async fn pending(&mut self, store_id: &StoreId) -> Result<Option<Sealed>, StorageError> {
        let seen = self.seen_store(store_id)?.is_some();
        Ok(self.rows()?.pending_credentials.get(store_id).filter(|_| seen).cloned())
    }

    async fn put_pending(&mut self, store_id: &StoreId, pending: Option<&Sealed>) -> Result<(), StorageError> {
        if self.seen_store(store_id)?.is_none() {
            return Ok(());
        }
        let rows = self.rows()?;
        match pending {
            Some(pending) if rows.credentials.contains_key(store_id) => {
                rows.pending_credentials.insert(store_id.clone(), pending.clone());
            }
            Some(_) => {}
            None => {
                rows.pending_credentials.remove(store_id);
            }
        }
        Ok(())
    }

    async fn promote(&mut self, store_id: &StoreId) -> Result<(), StorageError> {
        if self.seen_store(store_id)?.is_none() {
            return Ok(());
        }
        let rows = self.rows()?;
        if let Some(tried) = rows.pending_credentials.remove(store_id) {
            Arc::make_mut(&mut rows.credentials).insert(store_id.clone(), tried);
            *rows.credential_versions.entry(store_id.clone()).or_insert(0) += 1;
        }
        Ok(())
    }

    async fn get(&mut self, store_id: &StoreId) -> Result<Option<Sealed>, StorageError> {
        let seen = self.seen_store(store_id)?.is_some();
        Ok(self.rows()?.credentials.get(store_id).filter(|_| seen).cloned())
    }

    async fn remove(&mut self, store_id: &StoreId) -> Result<(), StorageError> {
        if self.seen_store(store_id)?.is_some() {
            let rows = self.rows()?;
            Arc::make_mut(&mut rows.credentials).remove(store_id);
            rows.pending_credentials.remove(store_id);
            rows.credential_versions.remove(store_id);
        }
        Ok(())
    }
}
