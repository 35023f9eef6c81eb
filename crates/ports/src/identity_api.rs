//! Driving port: who somebody is.

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use shopwright_domain::RequestId;
use shopwright_domain::identity::{Actor, Email, Username};

use crate::storage::{StorageError, User};

/// Where a request comes from, before anybody is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The request.
    pub request_id: RequestId,
    /// The client's address.
    pub ip_address: Option<String>,
    /// The W3C trace context that came with it.
    pub traceparent: Option<String>,
}

/// Somebody who has just proved who they are.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The account.
    pub user: User,
    /// An access token for it.
    pub token: SecretString,
}

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Unknown address, wrong password or inactive account: indistinguishable.
    #[error("e-mail or password is wrong")]
    InvalidCredentials,
    /// The token is missing, not ours or not valid any more, or its user is gone.
    #[error("sign in first")]
    Unauthorized,
    /// Too many failures; the account is locked until then.
    #[error("the account is locked until {until}")]
    Locked {
        /// When it ends.
        until: Timestamp,
    },
    /// The address or name is taken.
    #[error("an account with this e-mail or username exists")]
    UserExists,
    /// The current password is not that.
    #[error("the current password is wrong")]
    WrongPassword,
    /// Too many sign-ins at once.
    #[error("too many sign-ins at once")]
    Busy,
    /// Registration is closed by configuration.
    #[error("registration is closed")]
    RegistrationClosed,
    /// The database does not answer, or worse.
    #[error("storage")]
    Storage(#[from] StorageError),
    /// A fault of ours.
    #[error("{0}")]
    Internal(String),
}

/// Registration, sign-in and what tokens stand for.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait IdentityService: Send + Sync {
    /// Makes an account with an organisation of its own and signs it in.
    async fn register(
        &self,
        origin: &Origin,
        email: Email,
        username: Username,
        password: SecretString,
    ) -> Result<SignedIn, IdentityError>;

    /// Signs in.
    async fn login(&self, origin: &Origin, email: Email, password: SecretString) -> Result<SignedIn, IdentityError>;

    /// Who the bearer of this token is now: role and activity are read, not believed.
    async fn authenticate(&self, token: &str) -> Result<(Actor, User), IdentityError>;

    /// Changes the password of the actor's own account.
    async fn change_password(
        &self,
        origin: &Origin,
        actor: &Actor,
        current: SecretString,
        new: SecretString,
    ) -> Result<(), IdentityError>;
}
