//! Who the bearer of a token is now.

use jiff::SignedDuration;
use shopwright_domain::identity::{Actor, PlatformRole};
use shopwright_domain::organisation::Role;
use shopwright_domain::{Scope, TenantId};
use shopwright_ports::identity_api::{Bearer, IdentityError, Proof};
use shopwright_ports::storage::{Reach, Transaction, User};

use super::{Identity, api_tokens};

/// How exactly the last use of an API token is known: it is written once a minute, however much the token is used.
const USE_NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Who `user` is in the organisation in whose name they act. It is read at every request: a membership that ended counts no more.
pub(super) async fn actor(tx: &mut dyn Transaction, user: &User, tenant_id: TenantId) -> Result<Actor, IdentityError> {
    let member_role = if tenant_id == user.tenant_id {
        Role::Owner
    } else {
        tx.memberships().role_of(tenant_id, user.id).await?.ok_or(IdentityError::NotAMember)?
    };
    Ok(Actor { user_id: user.id, tenant_id, member_role, email: user.email.clone(), role: user.role })
}

impl Identity {
    pub(super) async fn bearer_of(&self, token: &str, organisation: Option<TenantId>) -> Result<Bearer, IdentityError> {
        if token.starts_with(api_tokens::PREFIX) {
            return self.bearer_of_api_token(token, organisation).await;
        }
        if let Some(issuer) = self.issuer.as_ref().filter(|issuer| issuer.is_named_by(token)) {
            return self.bearer_of_issuer(issuer.as_ref(), token, organisation).await;
        }
        let claims = self.tokens.verify(token).await.map_err(|_| IdentityError::Unauthorized)?;
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let found = tx.sessions().get(claims.session_id).await?;
        let (session, user) = found.ok_or(IdentityError::Unauthorized)?;
        let theirs = user.id == claims.user_id && user.active;
        if !theirs || !session.is_live(self.clock.now()) {
            return Err(IdentityError::Unauthorized);
        }
        let actor = actor(tx.as_mut(), &user, organisation.unwrap_or(user.tenant_id)).await?;
        Ok(Bearer { actor, user, proof: Proof::Session(session.id) })
    }

    /// A token is bound to the organisation that its maker acted in: it acts in no other.
    async fn bearer_of_api_token(&self, text: &str, organisation: Option<TenantId>) -> Result<Bearer, IdentityError> {
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
        if organisation.is_some_and(|wanted| wanted != token.acts_in) {
            return Err(IdentityError::NotAMember);
        }
        let mut actor = actor(tx.as_mut(), &user, token.acts_in).await?;
        let unless_since = now - USE_NOTED_EVERY;
        if token.last_used_at.is_none_or(|last| last < unless_since) {
            tx.api_tokens().note_use(token.id, now, unless_since).await?;
            tx.commit().await?;
        }
        if !token.scopes.contains(&Scope::PlatformAdmin) {
            actor.role = PlatformRole::Tenant;
        }
        Ok(Bearer { actor, user, proof: Proof::ApiToken(token.id, token.scopes) })
    }
}
