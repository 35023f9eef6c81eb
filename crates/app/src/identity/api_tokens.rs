//! API tokens: made by a person for a program, shown once, kept as a digest.

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use shopwright_domain::audit::SecurityAction;
use shopwright_domain::identity::Actor;
use shopwright_domain::{ApiTokenId, Scope};
use shopwright_ports::identity_api::{IdentityError, NewApiToken, Origin};
use shopwright_ports::secrets::random_text;
use shopwright_ports::storage::{ApiToken, Reach};

use super::Identity;

/// What API tokens begin with: bearers that begin so are no access tokens.
pub(super) const PREFIX: &str = "swt_";
/// So many characters of randomness can be shown to find a token again; 40 more stay secret.
const SHOWN: usize = 8;
const SECRET: usize = 40;
/// Ours have 53 characters.
pub(super) const LONGEST: usize = 256;
/// How many tokens that were not revoked one person may have.
const LIMIT: usize = 50;

impl Identity {
    pub(super) async fn make_api_token(
        &self,
        origin: &Origin,
        actor: &Actor,
        wanted: NewApiToken,
    ) -> Result<(ApiToken, SecretString), IdentityError> {
        if wanted.scopes.contains(&Scope::PlatformAdmin) && !actor.is_admin() {
            return Err(IdentityError::ScopeNotYours(Scope::PlatformAdmin));
        }
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let others = tx.api_tokens().lock_of(actor.user_id).await?;
        // Behind the lock: an account that was closed a moment ago gets none that would come back to life with it.
        let user =
            tx.users().get(actor.user_id).await?.filter(|user| user.active).ok_or(IdentityError::Unauthorized)?;
        let (now, entropy) = (self.clock.now(), self.entropy.as_ref());
        let prefix = format!("{PREFIX}{}", random_text(entropy, SHOWN).expose_secret());
        let token = SecretString::from(format!("{prefix}_{}", random_text(entropy, SECRET).expose_secret()));
        let lifetime = SignedDuration::try_from(wanted.lifetime).unwrap_or(SignedDuration::MAX);
        let row = ApiToken {
            id: ApiTokenId::from_random(self.entropy.u128()),
            user_id: actor.user_id,
            tenant_id: user.tenant_id,
            acts_in: actor.tenant_id,
            name: wanted.name,
            prefix,
            digest: self.digester.digest(token.expose_secret()),
            scopes: wanted.scopes,
            created_at: now,
            expires_at: now.saturating_add(lifetime).unwrap_or(Timestamp::MAX),
            last_used_at: None,
            revoked_at: None,
        };
        if others.iter().filter(|token| token.is_live(now)).count() >= LIMIT {
            return Err(IdentityError::TooManyApiTokens { limit: LIMIT });
        }
        tx.api_tokens().insert(&row).await?;
        let scopes: Vec<&str> = row.scopes.iter().map(|scope| scope.as_str()).collect();
        let event = self.security_event(&user, Some(origin), SecurityAction::ApiTokenCreated, "made an API token");
        let event = event.with("apiTokenId", row.id.to_string()).with("scopes", scopes.join(" "));
        let mut event = event.with("organisationId", row.acts_in.to_string());
        event.after.insert("name".to_owned(), row.name.as_str().into());
        event.after.insert("scopes".to_owned(), scopes.join(" ").into());
        event.after.insert("expiresAt".to_owned(), row.expires_at.to_string().into());
        tx.audit().append(&event).await?;
        tx.commit().await?;
        Ok((row, token))
    }

    pub(super) async fn list_api_tokens(&self, actor: &Actor) -> Result<Vec<ApiToken>, IdentityError> {
        let mut tx = self.storage.begin(Reach::Identity).await?;
        Ok(tx.api_tokens().list(actor.user_id).await?)
    }

    pub(super) async fn end_api_token(
        &self,
        origin: &Origin,
        actor: &Actor,
        id: ApiTokenId,
    ) -> Result<(), IdentityError> {
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let user = tx.users().get(actor.user_id).await?.ok_or(IdentityError::Unauthorized)?;
        let token = tx.api_tokens().revoke(user.id, id, self.clock.now()).await?;
        let token = token.ok_or(IdentityError::NoSuchApiToken)?;
        let event = self.security_event(&user, Some(origin), SecurityAction::ApiTokenRevoked, "revoked an API token");
        tx.audit().append(&event.with("apiTokenId", token.id.to_string())).await?;
        Ok(tx.commit().await?)
    }
}
