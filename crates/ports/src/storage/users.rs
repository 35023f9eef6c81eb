//! Accounts.

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::identity::{Email, PlatformRole, Username};
use shopwright_domain::{TenantId, UserId};

use crate::storage::StorageError;

/// An account.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Identity.
    pub id: UserId,
    /// The organisation of its own that came with it.
    pub tenant_id: TenantId,
    /// Address; unique.
    pub email: Email,
    /// Name; unique.
    pub username: Username,
    /// The password's hash, a PHC string.
    pub password_hash: String,
    /// What it may do on the platform.
    pub role: PlatformRole,
    /// Whether it may sign in.
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("email", &self.email)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// Accounts.
#[async_trait]
pub trait UserRepository: Send {
    /// Adds one; [`StorageError::NotUnique`] when address or name is taken.
    async fn insert(&mut self, user: &User) -> Result<(), StorageError>;

    /// By id.
    async fn get(&mut self, id: UserId) -> Result<Option<User>, StorageError>;

    /// By address.
    async fn by_email(&mut self, email: &Email) -> Result<Option<User>, StorageError>;

    /// Whether there is a platform administrator.
    async fn has_admin(&mut self) -> Result<bool, StorageError>;

    /// Writes the password's hash.
    async fn set_password_hash(&mut self, id: UserId, hash: &str) -> Result<(), StorageError>;
}
