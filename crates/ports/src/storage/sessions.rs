//! Sessions: one sign-in each, with the refresh tokens that follow each other in it.

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::{SessionId, TenantId, UserId};

use crate::storage::{StorageError, User};

/// One sign-in of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Identity; it stands in access tokens.
    pub id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// The organisation of that person.
    pub tenant_id: TenantId,
    /// When they signed in.
    pub created_at: Timestamp,
    /// When it was last refreshed; at first when it began.
    pub last_used_at: Timestamp,
    /// It ends then, however often it is refreshed.
    pub expires_at: Timestamp,
    /// When it was ended before its time.
    pub revoked_at: Option<Timestamp>,
    /// The address of the last sign-in or refresh.
    pub ip_address: Option<String>,
    /// What the client called itself.
    pub user_agent: Option<String>,
}

impl Session {
    /// Whether it may be used.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

/// A refresh token at rest: its digest, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// The digest of the token.
    pub digest: [u8; 32],
    /// The session it refreshes.
    pub session_id: SessionId,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Not used until then, it is worth nothing.
    pub expires_at: Timestamp,
    /// When it was used and replaced, and the nonce that its successor follows from.
    pub replaced: Option<(Timestamp, [u8; 16])>,
}

/// Sessions.
#[async_trait]
pub trait SessionRepository: Send {
    /// Adds a session with its first refresh token.
    async fn insert(&mut self, session: &Session, token: &RefreshToken) -> Result<(), StorageError>;

    /// The session with its user, in one look; ended ones too.
    async fn get(&mut self, id: SessionId) -> Result<Option<(Session, User)>, StorageError>;

    /// The session of a refresh token, locked until the transaction ends, and the token as it is under that lock.
    async fn lock_by_token(&mut self, digest: &[u8; 32]) -> Result<Option<(Session, RefreshToken)>, StorageError>;

    /// Replaces a token by `successor`, which is issued now: its session was used now, from this address. Tokens of the session that
    /// expired before are forgotten.
    async fn rotate(
        &mut self,
        replaced: &[u8; 32],
        nonce: &[u8; 16],
        successor: &RefreshToken,
        ip_address: Option<&str>,
    ) -> Result<(), StorageError>;

    /// The live sessions of a user, the newest first.
    async fn list(&mut self, user_id: UserId, now: Timestamp) -> Result<Vec<Session>, StorageError>;

    /// Ends one live session of a user; whether there was one.
    async fn revoke(&mut self, user_id: UserId, id: SessionId, now: Timestamp) -> Result<bool, StorageError>;

    /// Ends all live sessions of a user but `keep`; how many there were.
    async fn revoke_all(
        &mut self,
        user_id: UserId,
        keep: Option<SessionId>,
        now: Timestamp,
    ) -> Result<u32, StorageError>;

    /// Forgets sessions that expired or were revoked before this time, with their tokens; how many there were.
    async fn purge(&mut self, before: Timestamp) -> Result<u64, StorageError>;
}
