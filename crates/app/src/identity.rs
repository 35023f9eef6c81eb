//! The use cases of identity: registration, sign-in, sessions, API tokens, what a token stands for, the first administrator.
//!
//! Nothing here believes a token for longer than a request: session, account and scopes are read from storage every time, so what is
//! revoked on one replica is refused by all of them at once (RELIABILITY S3).

mod accounts;
mod api_tokens;
mod attempts;
mod bearer;
mod events;
mod external;
mod rules;
mod sessions;
mod sweep;

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use shopwright_domain::identity::{Actor, Email, Username};
use shopwright_domain::limits::Meter;
use shopwright_domain::{ApiTokenId, SessionId, TenantId};
use shopwright_ports::clock::{Clock, Entropy};
use shopwright_ports::external_issuer::ExternalIssuer;
use shopwright_ports::identity_api::{Bearer, IdentityError, IdentityService, NewApiToken, Origin, SignedIn};
use shopwright_ports::secrets::{Digester, HashError, PasswordHasher, PublicKey, Tokens};
use shopwright_ports::storage::{ApiToken, Session, Storage};

pub use rules::IdentityRules;

/// The use cases of identity.
#[derive(Clone)]
pub struct Identity {
    /// Where accounts are.
    pub storage: Arc<dyn Storage>,
    /// Hashes passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Signs access tokens.
    pub tokens: Arc<dyn Tokens>,
    /// Digests of refresh tokens and API tokens.
    pub digester: Arc<dyn Digester>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and tokens.
    pub entropy: Arc<dyn Entropy>,
    /// What the operator decides.
    pub rules: IdentityRules,
    /// Whose tokens are taken besides ours.
    pub issuer: Option<Arc<dyn ExternalIssuer>>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("rules", &self.rules).finish_non_exhaustive()
    }
}

fn of_hash(error: HashError) -> IdentityError {
    match error {
        HashError::Busy => IdentityError::Busy,
        HashError::Malformed | HashError::UnknownKey => IdentityError::Internal(error.to_string()),
    }
}

#[async_trait]
impl IdentityService for Identity {
    async fn register(
        &self,
        origin: &Origin,
        email: Email,
        username: Username,
        password: SecretString,
        invitation: Option<SecretString>,
    ) -> Result<SignedIn, IdentityError> {
        self.register_account(origin, email, username, password, invitation).await
    }

    async fn attempts_left(&self, origin: &Origin, email: Option<Email>) -> Option<Meter> {
        // Only a header: without a database the answer itself says so.
        self.meter_of(origin, email.as_ref()).await.ok()
    }

    async fn login(&self, origin: &Origin, email: Email, password: SecretString) -> Result<SignedIn, IdentityError> {
        self.sign_in(origin, &email, password).await
    }

    async fn refresh(&self, origin: &Origin, refresh_token: &SecretString) -> Result<SignedIn, IdentityError> {
        self.next_tokens(origin, refresh_token).await
    }

    async fn logout(&self, origin: &Origin, refresh_token: &SecretString) -> Result<(), IdentityError> {
        self.sign_out(origin, refresh_token).await
    }

    async fn authenticate(&self, token: &str, organisation: Option<TenantId>) -> Result<Bearer, IdentityError> {
        self.bearer_of(token, organisation).await
    }

    async fn change_password(
        &self,
        origin: &Origin,
        actor: &Actor,
        keep: Option<SessionId>,
        current: SecretString,
        new: SecretString,
    ) -> Result<(), IdentityError> {
        self.set_password(origin, actor, keep, current, new).await
    }

    async fn sessions(&self, actor: &Actor) -> Result<Vec<Session>, IdentityError> {
        self.list_sessions(actor).await
    }

    async fn revoke_session(&self, origin: &Origin, actor: &Actor, id: SessionId) -> Result<(), IdentityError> {
        self.end_session(origin, actor, id).await
    }

    async fn revoke_sessions(
        &self,
        origin: &Origin,
        actor: &Actor,
        keep: Option<SessionId>,
    ) -> Result<u32, IdentityError> {
        self.end_sessions(origin, actor, keep).await
    }

    async fn create_api_token(
        &self,
        origin: &Origin,
        actor: &Actor,
        wanted: NewApiToken,
    ) -> Result<(ApiToken, SecretString), IdentityError> {
        self.make_api_token(origin, actor, wanted).await
    }

    async fn api_tokens(&self, actor: &Actor) -> Result<Vec<ApiToken>, IdentityError> {
        self.list_api_tokens(actor).await
    }

    async fn revoke_api_token(&self, origin: &Origin, actor: &Actor, id: ApiTokenId) -> Result<(), IdentityError> {
        self.end_api_token(origin, actor, id).await
    }

    fn public_keys(&self) -> Vec<PublicKey> {
        self.tokens.public_keys()
    }
}
