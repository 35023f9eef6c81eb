//! Who the bearer of a token is now.

use jiff::SignedDuration;
use shopwright_domain::Scope;
use shopwright_domain::identity::{Actor, PlatformRole};
use shopwright_ports::identity_api::{Bearer, IdentityError, Proof};
use shopwright_ports::storage::{Reach, User};

use super::{Identity, api_tokens};

/// How exactly the last use of an API token is known: it is written once a minute, however much the token is used.
const USE_NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);

pub(super) fn actor(user: &User) -> Actor {
    Actor { user_id: user.id, tenant_id: user.tenant_id, email: user.email.clone(), role: user.role }
}

impl Identity {
    pub(super) async fn bearer_of(&self, token: &str) -> Result<Bearer, IdentityError> {
        if token.starts_with(api_tokens::PREFIX) {
            return self.bearer_of_api_token(token).await;
        }
        if let Some(issuer) = self.issuer.as_ref().filter(|issuer| issuer.is_named_by(token)) {
            return self.bearer_of_issuer(issuer.as_ref(), token).await;
        }
        let claims = self.tokens.verify(token).await.map_err(|_| IdentityError::Unauthorized)?;
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let found = tx.sessions().get(claims.session_id).await?;
        let (session, user) = found.ok_or(IdentityError::Unauthorized)?;
        let theirs = user.id == claims.user_id && user.active;
        if !theirs || !session.is_live(self.clock.now()) {
            return Err(IdentityError::Unauthorized);
        }
        Ok(Bearer { actor: actor(&user), user, proof: Proof::Session(session.id) })
    }

    async fn bearer_of_api_token(&self, text: &str) -> Result<Bearer, IdentityError> {
        if text.len() > api_tokens::LONGEST {
            return Err(IdentityError::Unauthorized);
        }
        let now = self.clock.now();
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let found = tx.api_tokens().by_digest(&self.digester.digest(text)).await?;
        let (token, user) = found.ok_or(IdentityError::Unauthorized)?;
        if !token.is_live(now) || !user.active {
            return Err(IdentityError::Unauthorized);
        }
        let unless_since = now - USE_NOTED_EVERY;
        if token.last_used_at.is_none_or(|last| last < unless_since) {
            tx.api_tokens().note_use(token.id, now, unless_since).await?;
            tx.commit().await?;
        }
        let mut actor = actor(&user);
        if !token.scopes.contains(&Scope::PlatformAdmin) {
            actor.role = PlatformRole::Tenant;
        }
        Ok(Bearer { actor, user, proof: Proof::ApiToken(token.id, token.scopes) })
    }
}
