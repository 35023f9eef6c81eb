//! Idempotency keys.

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::{OperationId, StoreId, TenantId};

use crate::storage::StorageError;

/// What a request under a key came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// Whose key.
    pub tenant_id: TenantId,
    /// For which kind of request.
    pub route: String,
    /// The key.
    pub key: String,
    /// Hash of the request.
    pub fingerprint: Vec<u8>,
    /// The store it made.
    pub store_id: StoreId,
    /// The operation it started.
    pub operation_id: OperationId,
    /// When; kept for 24 h.
    pub created_at: Timestamp,
}

/// Idempotency keys.
#[async_trait]
pub trait IdempotencyRepository: Send {
    /// Locks a key until the transaction ends, without waiting; false when another transaction holds it (DECISIONS 24).
    async fn try_lock(&mut self, tenant_id: TenantId, route: &str, key: &str) -> Result<bool, StorageError>;

    /// What was recorded under a key after `since`.
    async fn get(
        &mut self,
        tenant_id: TenantId,
        route: &str,
        key: &str,
        since: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, StorageError>;

    /// Records, over an older record of the same key.
    async fn put(&mut self, record: &IdempotencyRecord) -> Result<(), StorageError>;
}
