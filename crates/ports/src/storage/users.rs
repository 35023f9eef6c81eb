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

impl User {
    /// Whether it is of somebody who runs the platform.
    pub fn is_administrator(&self) -> bool {
        self.role == PlatformRole::Admin
    }
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

/// An account, and how many ways in are open to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The account.
    pub user: User,
    /// Sessions that may be used.
    pub sessions: u64,
    /// API tokens that may be used, as long as the account is active.
    pub api_tokens: u64,
}

impl Account {
    /// Where it stands in a list.
    pub const fn place(&self) -> UserPlace {
        (self.user.created_at, self.user.id)
    }
}

/// A place in a list of accounts: when the one before was made, and its id. It need not exist any more.
pub type UserPlace = (Timestamp, UserId);

/// Which accounts. `None` everywhere is all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserFilter {
    /// This one.
    pub id: Option<UserId>,
    /// With this in their address or name; in lower case, for the case of a name does not count here.
    pub search: Option<String>,
    /// Behind this place in the list.
    pub after: Option<UserPlace>,
}

/// Accounts.
#[async_trait]
pub trait UserRepository: Send {
    /// Adds one; [`StorageError::NotUnique`] when address or name is taken.
    async fn insert(&mut self, user: &User) -> Result<(), StorageError>;

    /// By id.
    async fn get(&mut self, id: UserId) -> Result<Option<User>, StorageError>;

    /// By id, locked until the transaction ends: it cannot be closed, nor its password changed, before that.
    async fn lock(&mut self, id: UserId) -> Result<Option<User>, StorageError>;

    /// By address.
    async fn by_email(&mut self, email: &Email) -> Result<Option<User>, StorageError>;

    /// Whether there is a platform administrator.
    async fn has_admin(&mut self) -> Result<bool, StorageError>;

    /// Writes the password's hash.
    async fn set_password_hash(&mut self, id: UserId, hash: &str) -> Result<(), StorageError>;

    /// At most `limit` accounts of all organisations, the newest first and then by id, with what is live of theirs at `now`.
    async fn accounts(&mut self, filter: &UserFilter, limit: u32, now: Timestamp)
    -> Result<Vec<Account>, StorageError>;

    /// This account, if there is one, and every platform administrator, by id; locked until the transaction ends, so that of two
    /// administrators who end each other's account at the same moment the second sees what the first did.
    async fn lock_with_administrators(&mut self, id: UserId) -> Result<Vec<User>, StorageError>;

    /// Writes whether an account may sign in.
    async fn set_active(&mut self, id: UserId, active: bool) -> Result<(), StorageError>;
}
