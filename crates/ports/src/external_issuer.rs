//! Driven port: an issuer of access tokens that is not us.

use async_trait::async_trait;
use shopwright_domain::identity::Email;

/// Who somebody is, by the word of the issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalIdentity {
    /// Who says so.
    pub issuer: String,
    /// The person, as the issuer knows them: never given to another.
    pub subject: String,
    /// Their address; only one that the issuer has verified.
    pub email: Option<Email>,
}

/// Why a token of another issuer is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExternalTokenError {
    /// It is not good: for whatever reason, the bearer learns none.
    #[error("the token is not valid")]
    Invalid,
    /// The issuer's keys were never seen, and it does not answer.
    #[error("the issuer's keys cannot be had")]
    Unavailable,
}

/// Checks the tokens of one issuer.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait ExternalIssuer: Send + Sync {
    /// Whether a token says that it is this issuer's. Nothing is checked.
    fn is_named_by(&self, token: &str) -> bool;

    /// Who the bearer of a good token is.
    ///
    /// # Errors
    /// [`ExternalTokenError`]
    async fn verify(&self, token: &str) -> Result<ExternalIdentity, ExternalTokenError>;
}
