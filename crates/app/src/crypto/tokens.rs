//! Access tokens: JWTs signed with Ed25519, for this issuer and audience, short-lived.
//!
//! Time comes from the clock port, so the library's own checks of it are off and ours take their place. Everything that the header
//! says is compared with what we would have written; nothing in it chooses how the token is checked.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, Header, Validation};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use shopwright_domain::identity::{Email, PlatformRole};
use shopwright_domain::{SessionId, TenantId, UserId};
use shopwright_ports::clock::Clock;
use shopwright_ports::secrets::{Claims, InvalidToken, PublicKey, Tokens};

use super::key_ring::{KeyRing, KeySource};
use super::signing_keys::SigningKeyError;

const ISSUER: &str = "shopwright";
const AUDIENCE: &str = "shopwright-api";
/// RFC 9068: an access token, which no other kind of JWT can be taken for.
const TYPE: &str = "at+jwt";
/// How far the clocks of two replicas may be apart.
const LEEWAY_SECONDS: i64 = 5;
/// Ours have some 600 characters; nobody is let do cryptography over much more.
const LONGEST: usize = 4096;
/// How often new keys are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Signs with the key whose time it is, checks with all that are live.
pub struct Ed25519Tokens {
    pub(super) ring: KeyRing,
    clock: Arc<dyn Clock>,
    ttl: Duration,
}

impl std::fmt::Debug for Ed25519Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ed25519Tokens").field("ttl", &self.ttl).finish_non_exhaustive()
    }
}

/// The claims as they stand in the token. `id`, `email` and `role` are those of version 1 of the API.
#[derive(Debug, Serialize, Deserialize)]
struct Body {
    iss: String,
    aud: String,
    sub: String,
    id: String,
    tenant: String,
    sid: String,
    email: String,
    role: String,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
}

impl Ed25519Tokens {
    /// Tokens that live for `ttl`, with the keys of `source`.
    ///
    /// # Errors
    /// [`SigningKeyError`], which says what to do.
    pub async fn open(source: KeySource, clock: Arc<dyn Clock>, ttl: Duration) -> Result<Self, SigningKeyError> {
        let grace = SignedDuration::try_from(ttl).unwrap_or(SignedDuration::MAX);
        let grace = grace.saturating_add(SignedDuration::from_secs(2 * LEEWAY_SECONDS));
        Ok(Self { ring: KeyRing::open(source, grace, clock.clone()).await?, clock, ttl })
    }

    /// Looks for new keys until the process ends: a key is published long enough before it signs for this to find it.
    pub async fn watch_keys(&self) {
        loop {
            self.clock.sleep(LOOK_EVERY).await;
            match self.ring.reload().await {
                Ok(false) => {}
                Ok(true) => {
                    let keys: Vec<String> = self.public_keys().into_iter().map(|key| key.id).collect();
                    tracing::info!(?keys, "the signing keys have changed");
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the signing keys cannot be read again");
                }
            }
        }
    }

    async fn body(&self, token: &str) -> Option<Body> {
        if token.len() > LONGEST {
            return None;
        }
        let header = jsonwebtoken::decode_header(token).ok()?;
        if header.typ.as_deref() != Some(TYPE) || header.alg != Algorithm::EdDSA || header.crit.is_some() {
            return None;
        }
        let key = self.ring.checking(header.kid.as_deref()?).await?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        let body: Body = jsonwebtoken::decode(token, &key.decoding, &validation).ok()?.claims;
        let now = self.clock.now().as_second();
        let soonest = now.saturating_add(LEEWAY_SECONDS);
        let begun = body.iat <= soonest && body.nbf.is_none_or(|start| start <= soonest);
        let live = now < body.exp.saturating_add(LEEWAY_SECONDS);
        (begun && live && body.sub == body.id).then_some(body)
    }
}

#[async_trait]
impl Tokens for Ed25519Tokens {
    fn issue(&self, claims: &Claims) -> Result<SecretString, InvalidToken> {
        let now = self.clock.now().as_second();
        let key = self.ring.signing().ok_or(InvalidToken)?;
        let body = Body {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: claims.user_id.to_string(),
            id: claims.user_id.to_string(),
            tenant: claims.tenant_id.to_string(),
            sid: claims.session_id.to_string(),
            email: claims.email.as_str().to_owned(),
            role: claims.role.as_str().to_owned(),
            iat: now,
            exp: now.saturating_add(i64::try_from(self.ttl.as_secs()).unwrap_or(i64::MAX)),
            nbf: None,
        };
        let header = Header { typ: Some(TYPE.to_owned()), kid: Some(key.id.clone()), ..Header::new(Algorithm::EdDSA) };
        let token = jsonwebtoken::encode(&header, &body, &key.encoding);
        token.map(SecretString::from).map_err(|_| InvalidToken)
    }

    fn lifetime(&self) -> Duration {
        self.ttl
    }

    async fn verify(&self, token: &str) -> Result<Claims, InvalidToken> {
        let body = self.body(token).await.ok_or(InvalidToken)?;
        let claims = || {
            Some(Claims {
                user_id: body.id.parse::<UserId>().ok()?,
                tenant_id: body.tenant.parse::<TenantId>().ok()?,
                session_id: body.sid.parse::<SessionId>().ok()?,
                email: body.email.parse::<Email>().ok()?,
                role: body.role.parse::<PlatformRole>().ok()?,
            })
        };
        claims().ok_or(InvalidToken)
    }

    fn public_keys(&self) -> Vec<PublicKey> {
        self.ring.public_keys()
    }
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
