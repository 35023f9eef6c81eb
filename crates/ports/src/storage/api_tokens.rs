//! API tokens: what programs sign in with.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::{ApiTokenId, Scope, TenantId, UserId};

use crate::storage::{StorageError, User};

/// An API token at rest. The token itself is shown once and kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Identity.
    pub id: ApiTokenId,
    /// Who made it, and in whose name it acts.
    pub user_id: UserId,
    /// The organisation that came with that person's account.
    pub tenant_id: TenantId,
    /// The organisation in whose name it acts.
    pub acts_in: TenantId,
    /// What they call it.
    pub name: String,
    /// How the token begins, so that people find it again.
    pub prefix: String,
    /// The digest of the token.
    pub digest: [u8; 32],
    /// What it may be used for.
    pub scopes: BTreeSet<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From then on it is refused.
    pub expires_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl ApiToken {
    /// Whether it may be used.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

/// API tokens.
#[async_trait]
pub trait ApiTokenRepository: Send {
    /// Adds one.
    async fn insert(&mut self, token: &ApiToken) -> Result<(), StorageError>;

    /// The token with its user, in one look; revoked and expired ones too.
    async fn by_digest(&mut self, digest: &[u8; 32]) -> Result<Option<(ApiToken, User)>, StorageError>;

    /// Notes a use, unless one was noted at or after `unless_since`.
    async fn note_use(&mut self, id: ApiTokenId, now: Timestamp, unless_since: Timestamp) -> Result<(), StorageError>;

    /// The tokens of a user that were not revoked, expired ones too, the newest first. Locked against a second writer of that user's
    /// tokens until the transaction ends, so that they can be counted.
    async fn lock_of(&mut self, user_id: UserId) -> Result<Vec<ApiToken>, StorageError>;

    /// The same without the lock.
    async fn list(&mut self, user_id: UserId) -> Result<Vec<ApiToken>, StorageError>;

    /// Revokes one of a user; the token, unless there is none or it was revoked before.
    async fn revoke(
        &mut self,
        user_id: UserId,
        id: ApiTokenId,
        now: Timestamp,
    ) -> Result<Option<ApiToken>, StorageError>;

    /// Revokes all of a user that may be used; how many there were.
    async fn revoke_all(&mut self, user_id: UserId, now: Timestamp) -> Result<u32, StorageError>;

    /// Forgets tokens that expired or were revoked before this time; how many there were.
    async fn purge(&mut self, before: Timestamp) -> Result<u64, StorageError>;
}
