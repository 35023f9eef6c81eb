//! Access tokens: JWTs signed with Ed25519, for this issuer and audience, short-lived.
//!
//! Time comes from the clock port, so the library's own checks of it are off and ours take their place. Everything that the header
//! says is compared with what we would have written; nothing in it chooses how the token is checked.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shopwright_domain::identity::{Email, PlatformRole};
use shopwright_domain::{TenantId, UserId};
use shopwright_ports::clock::Clock;
use shopwright_ports::secrets::{Claims, InvalidToken, Tokens};

use super::sealing_key::hex;

const ISSUER: &str = "shopwright";
const AUDIENCE: &str = "shopwright-api";
/// RFC 9068: an access token, which no other kind of JWT can be taken for.
const TYPE: &str = "at+jwt";
/// How far the clocks of two replicas may be apart.
const LEEWAY_SECONDS: i64 = 5;

/// A pair of keys and the id that tokens name it by.
pub(super) struct SigningKey {
    pub(super) id: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl SigningKey {
    /// The pair of a 32-byte seed. The id follows from the public key.
    pub(super) fn from_seed(seed: &[u8]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        let public = pair.public_key().as_ref();
        let private = pair.to_pkcs8v1().ok()?;
        Some(Self {
            id: hex(&Sha256::digest(public)[..8]),
            encoding: EncodingKey::from_ed_der(private.as_ref()),
            decoding: DecodingKey::from_ed_der(public),
        })
    }
}

/// Signs with the newest key, checks with all.
pub struct Ed25519Tokens {
    newest: SigningKey,
    older: Vec<SigningKey>,
    clock: Arc<dyn Clock>,
    ttl: Duration,
}

impl std::fmt::Debug for Ed25519Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ed25519Tokens").field("kid", &self.newest.id).field("ttl", &self.ttl).finish_non_exhaustive()
    }
}

/// The claims as they stand in the token. `id`, `email` and `role` are those of version 1 of the API.
#[derive(Debug, Serialize, Deserialize)]
struct Body {
    iss: String,
    aud: String,
    id: String,
    tenant: String,
    email: String,
    role: String,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
}

impl Ed25519Tokens {
    pub(super) fn new(newest: SigningKey, older: Vec<SigningKey>, clock: Arc<dyn Clock>, ttl: Duration) -> Self {
        Self { newest, older, clock, ttl }
    }

    fn header(&self) -> Header {
        Header { typ: Some(TYPE.to_owned()), kid: Some(self.newest.id.clone()), ..Header::new(Algorithm::EdDSA) }
    }

    fn key(&self, id: &str) -> Option<&SigningKey> {
        std::iter::once(&self.newest).chain(&self.older).find(|key| key.id == id)
    }

    fn body(&self, token: &str) -> Option<Body> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        if header.typ.as_deref() != Some(TYPE) || header.crit.is_some() {
            return None;
        }
        let key = self.key(header.kid.as_deref()?)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        let body: Body = jsonwebtoken::decode(token, &key.decoding, &validation).ok()?.claims;
        let now = self.clock.now().as_second();
        let begun = body.iat <= now + LEEWAY_SECONDS && body.nbf.is_none_or(|start| start <= now + LEEWAY_SECONDS);
        (begun && now < body.exp + LEEWAY_SECONDS).then_some(body)
    }
}

impl Tokens for Ed25519Tokens {
    fn issue(&self, claims: &Claims) -> Result<SecretString, InvalidToken> {
        let now = self.clock.now().as_second();
        let body = Body {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            id: claims.user_id.to_string(),
            tenant: claims.tenant_id.to_string(),
            email: claims.email.as_str().to_owned(),
            role: claims.role.as_str().to_owned(),
            iat: now,
            exp: now.saturating_add(i64::try_from(self.ttl.as_secs()).unwrap_or(i64::MAX)),
            nbf: None,
        };
        let token = jsonwebtoken::encode(&self.header(), &body, &self.newest.encoding);
        token.map(SecretString::from).map_err(|_| InvalidToken)
    }

    fn verify(&self, token: &str) -> Result<Claims, InvalidToken> {
        let body = self.body(token).ok_or(InvalidToken)?;
        let claims = || {
            Some(Claims {
                user_id: body.id.parse::<UserId>().ok()?,
                tenant_id: body.tenant.parse::<TenantId>().ok()?,
                email: body.email.parse::<Email>().ok()?,
                role: body.role.parse::<PlatformRole>().ok()?,
            })
        };
        claims().ok_or(InvalidToken)
    }
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
