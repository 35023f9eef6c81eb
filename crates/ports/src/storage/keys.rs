//! Keys that sign access tokens, sealed at rest, shared by all replicas.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::secrets::Sealed;
use crate::storage::StorageError;

/// A signing key at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// The `kid` of its tokens.
    pub id: String,
    /// The private key, sealed with the context of its id.
    pub sealed: Sealed,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it signs; before that it is only known, so that every replica and every client has it when it is needed.
    pub activates_at: Timestamp,
}

/// Signing keys.
#[async_trait]
pub trait SigningKeyRepository: Send {
    /// All keys, the one that signs last first, locked against a second writer until the transaction ends.
    async fn lock_all(&mut self) -> Result<Vec<SealedKey>, StorageError>;

    /// The same without the lock.
    async fn all(&mut self) -> Result<Vec<SealedKey>, StorageError>;

    /// Adds one.
    async fn insert(&mut self, key: &SealedKey) -> Result<(), StorageError>;

    /// Removes one: what it signed is worth nothing any more.
    async fn remove(&mut self, id: &str) -> Result<(), StorageError>;
}
