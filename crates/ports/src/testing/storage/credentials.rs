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
        Arc::make_mut(&mut self.rows()?.credentials).insert(store_id.clone(), sealed.clone());
        Ok(())
    }

    async fn get(&mut self, store_id: &StoreId) -> Result<Option<Sealed>, StorageError> {
        let seen = self.seen_store(store_id)?.is_some();
        Ok(self.rows()?.credentials.get(store_id).filter(|_| seen).cloned())
    }

    async fn remove(&mut self, store_id: &StoreId) -> Result<(), StorageError> {
        if self.seen_store(store_id)?.is_some() {
            Arc::make_mut(&mut self.rows()?.credentials).remove(store_id);
        }
        Ok(())
    }
}
