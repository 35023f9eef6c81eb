//! Who belongs to which organisation.

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::identity::{Email, Username};
use shopwright_domain::organisation::Role;
use shopwright_domain::{TenantId, UserId};

use crate::storage::{StorageError, Tenant};

/// Somebody who belongs to an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user_id: UserId,
    /// Their address.
    pub email: Email,
    /// Their name.
    pub username: Username,
    /// What they are in it.
    pub role: Role,
    /// Since when.
    pub joined_at: Timestamp,
}

/// Who belongs to which organisation.
///
/// The person whose account an organisation came with is its owner by that, without a membership: nothing here takes that away.
#[async_trait]
pub trait MembershipRepository: Send {
    /// What somebody is in an organisation. Within [`super::Reach::Identity`].
    async fn role_of(&mut self, tenant_id: TenantId, user_id: UserId) -> Result<Option<Role>, StorageError>;

    /// The organisations of a user, their own first, then the one that they joined first. Within [`super::Reach::Identity`].
    async fn of_user(&mut self, user_id: UserId) -> Result<Vec<(Tenant, Role)>, StorageError>;

    /// The members of an organisation, the first to join first.
    async fn list(&mut self, tenant_id: TenantId) -> Result<Vec<Member>, StorageError>;

    /// Adds one; [`super::Unique::Membership`] when they belong to it already. Within [`super::Reach::Identity`].
    async fn insert(
        &mut self,
        tenant_id: TenantId,
        user_id: UserId,
        role: Role,
        at: Timestamp,
    ) -> Result<(), StorageError>;

    /// Makes a member something else; whether there was a membership.
    async fn set_role(&mut self, tenant_id: TenantId, user_id: UserId, role: Role) -> Result<bool, StorageError>;

    /// Ends a membership; whether there was one.
    async fn remove(&mut self, tenant_id: TenantId, user_id: UserId) -> Result<bool, StorageError>;

    /// Ends all memberships of an organisation; how many there were.
    async fn remove_all(&mut self, tenant_id: TenantId) -> Result<u64, StorageError>;
}
