//! Idempotency keys.

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::{OperationId, StoreId, TenantId};

use crate::storage::StorageError;

/// An answer as it was sent. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The status of HTTP.
    pub status: u16,
    /// What the body is.
    pub content_type: String,
    /// The body.
    pub body: String,
    /// `Location`, where there was one.
    pub location: Option<String>,
}

/// What a request under a key came to: first the store and the operation, in the transaction that made them, then the answer.
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
    /// The store it made or changed.
    pub store_id: Option<StoreId>,
    /// The operation it started.
    pub operation_id: Option<OperationId>,
    /// What its client was told; none while nobody was told anything, or when the process died before it was written down.
    pub answer: Option<StoredAnswer>,
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

    /// Records the answer of `record` beside what else is known under its key, unless a record since `since` has an answer already or
    /// another fingerprint; a record from before counts as none. Returns what stands then. Of two at once both get the same.
    async fn answer(&mut self, record: &IdempotencyRecord, since: Timestamp)
    -> Result<IdempotencyRecord, StorageError>;

    /// Forgets records from before a time; how many there were.
    async fn purge(&mut self, before: Timestamp) -> Result<u64, StorageError>;
}
