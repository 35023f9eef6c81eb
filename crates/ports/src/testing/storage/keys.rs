//! Keys that sign access tokens.

use std::cmp::Reverse;

use async_trait::async_trait;

use super::transaction::FakeTransaction;
use crate::storage::{SealedKey, SigningKeyRepository, StorageError};

#[async_trait]
impl SigningKeyRepository for FakeTransaction {
    async fn lock_all(&mut self) -> Result<Vec<SealedKey>, StorageError> {
        self.all().await
    }

    async fn all(&mut self) -> Result<Vec<SealedKey>, StorageError> {
        let mut keys = self.identity_rows()?.signing_keys.clone();
        keys.sort_by_key(|key| Reverse((key.activates_at, key.id.clone())));
        Ok(keys)
    }

    async fn insert(&mut self, key: &SealedKey) -> Result<(), StorageError> {
        let fresh = self.identity_rows()?.signing_keys.iter().all(|row| row.id != key.id);
        self.require(fresh, "a fresh key id")?;
        self.identity_rows()?.signing_keys.push(key.clone());
        Ok(())
    }

    async fn remove(&mut self, id: &str) -> Result<(), StorageError> {
        self.identity_rows()?.signing_keys.retain(|key| key.id != id);
        Ok(())
    }
}
