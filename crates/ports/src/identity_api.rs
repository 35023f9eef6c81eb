//! Driving port: who somebody is, and what they sign in with.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use shopwright_domain::identity::{Actor, Credential, Email, Username};
use shopwright_domain::limits::Meter;
use shopwright_domain::{ApiTokenId, RequestId, Scope, SessionId, TenantId};

use crate::secrets::PublicKey;
use crate::storage::{ApiToken, Session, StorageError, User};

/// Where a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The request.
    pub request_id: RequestId,
    /// The client's address.
    pub ip_address: Option<String>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// Where it stands in its trace, in W3C Trace Context's words: what it causes goes on from there.
    pub traceparent: Option<String>,
    /// What other tracers have to say about that trace.
    pub tracestate: Option<String>,
    /// What it proved with who sends it; none before anybody is signed in.
    pub credential: Option<Credential>,
}

impl Origin {
    /// Of a request of which only the id is known.
    pub const fn unknown(request_id: RequestId) -> Self {
        Self { request_id, ip_address: None, user_agent: None, traceparent: None, tracestate: None, credential: None }
    }
}

/// Somebody who has just proved who they are.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The account.
    pub user: User,
    /// An access token for it.
    pub token: SecretString,
    /// How long the access token is valid.
    pub expires_in: Duration,
    /// Gets the next access token, once.
    pub refresh_token: SecretString,
    /// Until when the refresh token can be used.
    pub refresh_expires_at: Timestamp,
}

/// What somebody proved who they are with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// A person's access token, of this sign-in.
    Session(SessionId),
    /// A program's token, good for these things.
    ApiToken(ApiTokenId, BTreeSet<Scope>),
    /// A token of the configured issuer: somebody's, and no sign-in here.
    External,
}

impl Proof {
    /// What the audit trail says of it. Of another issuer's token nothing is kept here that could be named.
    pub const fn credential(&self) -> Option<Credential> {
        match self {
            Self::Session(id) => Some(Credential::Session(*id)),
            Self::ApiToken(id, _) => Some(Credential::ApiToken(*id)),
            Self::External => None,
        }
    }
}

/// Who the bearer of a token is now.
#[derive(Debug, Clone)]
pub struct Bearer {
    /// In whose name what follows is done, and with which powers.
    pub actor: Actor,
    /// The account.
    pub user: User,
    /// What they came with.
    pub proof: Proof,
}

/// A wanted API token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiToken {
    /// What it is called.
    pub name: String,
    /// What it may be used for.
    pub scopes: BTreeSet<Scope>,
    /// How long.
    pub lifetime: Duration,
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
    /// The refresh token is not ours, was used before, or its session is over.
    #[error("the session is over: sign in again")]
    SessionOver,
    /// Too many failures; the account is locked until then.
    #[error("the account is locked until {until}")]
    Locked {
        /// When it ends.
        until: Timestamp,
    },
    /// Too many attempts from this address to sign in to this account.
    #[error("too many attempts to sign in: try again at {until}")]
    TooManyAttempts {
        /// When the next may be made.
        until: Timestamp,
    },
    /// Too many registrations from this address.
    #[error("too many registrations from this address: try again at {until}")]
    TooManyRegistrations {
        /// When the next may be made.
        until: Timestamp,
    },
    /// The address or name is taken.
    #[error("an account with this e-mail or username exists")]
    UserExists,
    /// The current password is not that.
    #[error("the current password is wrong")]
    WrongPassword,
    /// The new password is one that is guessed first.
    #[error(
        "this password is one that everybody tries first, or repeats your name: choose another, longer ones are better"
    )]
    CommonPassword,
    /// Too many sign-ins at once.
    #[error("too many sign-ins at once")]
    Busy,
    /// The keys of the configured issuer cannot be had.
    #[error("the issuer of this token does not answer")]
    IssuerUnavailable,
    /// Registration is closed by configuration.
    #[error("registration is closed")]
    RegistrationClosed,
    /// The user is no member of the organisation that they want to act in, or the API token is bound to another.
    #[error("you are no member of this organisation")]
    NotAMember,
    /// The invitation is unknown, used, taken back or expired.
    #[error("this invitation cannot be accepted: it is unknown, used, taken back or expired")]
    InvitationOver,
    /// The invitation names another address.
    #[error("this invitation is for another e-mail address")]
    InvitationForAnother,
    /// The user has no live session of this id.
    #[error("there is no such session")]
    NoSuchSession,
    /// The user has no API token of this id.
    #[error("there is no such API token")]
    NoSuchApiToken,
    /// The user has as many API tokens as anybody may have.
    #[error("{limit} API tokens are in use: revoke one first")]
    TooManyApiTokens {
        /// How many one may have.
        limit: usize,
    },
    /// A scope that only administrators can give.
    #[error("the scope {0} can only be given by a platform administrator")]
    ScopeNotYours(Scope),
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
    /// Makes an account with an organisation of its own and signs it in. With an invitation it becomes a member of that organisation too,
    /// and may register although registration is closed.
    async fn register(
        &self,
        origin: &Origin,
        email: Email,
        username: Username,
        password: SecretString,
        invitation: Option<SecretString>,
    ) -> Result<SignedIn, IdentityError>;

    /// How many attempts are left from where the request comes from: to sign in to the account of `email`, or to register. None when
    /// nobody can say.
    async fn attempts_left(&self, origin: &Origin, email: Option<Email>) -> Option<Meter>;

    /// Signs in.
    async fn login(&self, origin: &Origin, email: Email, password: SecretString) -> Result<SignedIn, IdentityError>;

    /// The next pair of tokens for a refresh token. A token that was used a moment ago gives the same successor; one that was used
    /// before that ends its session, for somebody has a copy.
    async fn refresh(&self, origin: &Origin, refresh_token: &SecretString) -> Result<SignedIn, IdentityError>;

    /// Ends the session of a refresh token. A session that is over already is no error.
    async fn logout(&self, origin: &Origin, refresh_token: &SecretString) -> Result<(), IdentityError>;

    /// Who the bearer of this token is now, and what in `organisation`: role, activity, session, membership and scopes are read, not
    /// believed. Without an organisation they act in the one that an API token is bound to, or else in the one that came with the account.
    async fn authenticate(&self, token: &str, organisation: Option<TenantId>) -> Result<Bearer, IdentityError>;

    /// Changes the password of the actor's own account, and ends all its sessions but `keep`.
    async fn change_password(
        &self,
        origin: &Origin,
        actor: &Actor,
        keep: Option<SessionId>,
        current: SecretString,
        new: SecretString,
    ) -> Result<(), IdentityError>;

    /// The actor's live sessions, the newest first.
    async fn sessions(&self, actor: &Actor) -> Result<Vec<Session>, IdentityError>;

    /// Ends one of the actor's sessions.
    async fn revoke_session(&self, origin: &Origin, actor: &Actor, id: SessionId) -> Result<(), IdentityError>;

    /// Ends all sessions of the actor but `keep`; how many there were.
    async fn revoke_sessions(
        &self,
        origin: &Origin,
        actor: &Actor,
        keep: Option<SessionId>,
    ) -> Result<u32, IdentityError>;

    /// Makes an API token: what is kept of it, and the token itself, which nobody can show again.
    async fn create_api_token(
        &self,
        origin: &Origin,
        actor: &Actor,
        wanted: NewApiToken,
    ) -> Result<(ApiToken, SecretString), IdentityError>;

    /// The actor's API tokens that were not revoked, the newest first.
    async fn api_tokens(&self, actor: &Actor) -> Result<Vec<ApiToken>, IdentityError>;

    /// Revokes one of the actor's API tokens.
    async fn revoke_api_token(&self, origin: &Origin, actor: &Actor, id: ApiTokenId) -> Result<(), IdentityError>;

    /// The keys that access tokens may be signed with.
    fn public_keys(&self) -> Vec<PublicKey>;
}
