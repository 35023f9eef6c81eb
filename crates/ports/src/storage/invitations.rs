//! Invitations to organisations.

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::identity::Email;
use shopwright_domain::organisation::{InvitationTimes, Role};
use shopwright_domain::{InvitationId, TenantId, UserId};

use crate::storage::{StorageError, Tenant};

/// An invitation at rest. Its token is shown once and kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Identity.
    pub id: InvitationId,
    /// To which organisation.
    pub tenant_id: TenantId,
    /// Whom it is for; whoever has the token when it names nobody.
    pub email: Option<Email>,
    /// What they become.
    pub role: Role,
    /// The digest of the token.
    pub digest: [u8; 32],
    /// Who invites.
    pub invited_by: UserId,
    /// When.
    pub created_at: Timestamp,
    /// Until when it can be accepted, and what became of it.
    pub times: InvitationTimes,
}

/// Invitations.
#[async_trait]
pub trait InvitationRepository: Send {
    /// Adds one.
    async fn insert(&mut self, invitation: &Invitation) -> Result<(), StorageError>;

    /// Those of an organisation that were neither accepted nor taken back, expired ones too, the newest first.
    async fn list(&mut self, tenant_id: TenantId) -> Result<Vec<Invitation>, StorageError>;

    /// The invitation of a token with its organisation, whatever became of it; locked until the transaction ends, so that of two who
    /// accept it one comes second. Within [`super::Reach::Identity`].
    async fn lock_by_digest(&mut self, digest: &[u8; 32]) -> Result<Option<(Invitation, Tenant)>, StorageError>;

    /// Notes that somebody accepted one. Within [`super::Reach::Identity`].
    async fn accept(&mut self, id: InvitationId, by: UserId, now: Timestamp) -> Result<(), StorageError>;

    /// Takes one back that can still be accepted; whether there was one.
    async fn revoke(&mut self, tenant_id: TenantId, id: InvitationId, now: Timestamp) -> Result<bool, StorageError>;

    /// Takes back all that can still be accepted; how many there were.
    async fn revoke_all(&mut self, tenant_id: TenantId, now: Timestamp) -> Result<u64, StorageError>;

    /// Forgets those that expired before this time; how many there were. Within [`super::Reach::Identity`].
    async fn purge(&mut self, before: Timestamp) -> Result<u64, StorageError>;
}
