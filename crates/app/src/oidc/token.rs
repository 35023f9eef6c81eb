//! One token: what it must say, and what of it is believed.

use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;
use shopwright_domain::identity::Email;
use shopwright_ports::external_issuer::ExternalIdentity;

use super::OidcSettings;
use super::keys::Key;

/// Issuers put much into their tokens; nobody is let do cryptography over more than this.
const LONGEST: usize = 8192;
/// How far the issuer's clock and ours may be apart.
const LEEWAY_SECONDS: i64 = 60;
/// What an access token may be called: RFC 9068's word, and what older issuers say. Never a logout, a proof or a request object.
const TYPES: [&str; 3] = ["at+jwt", "application/at+jwt", "jwt"];

/// What the header says.
pub(super) struct Header {
    pub(super) kid: String,
    algorithm: Algorithm,
}

#[derive(Deserialize)]
struct Issuer {
    iss: String,
}

#[derive(Deserialize)]
struct Body {
    sub: String,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    iat: Option<i64>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    email_verified: Option<serde_json::Value>,
}

/// Who issued the token, by its own word.
pub(super) fn claimed_issuer(token: &str) -> Option<String> {
    if token.len() > LONGEST {
        return None;
    }
    jsonwebtoken::dangerous::insecure_decode::<Issuer>(token).ok().map(|data| data.claims.iss)
}

/// The header, if it is one of an access token.
pub(super) fn header(token: &str) -> Option<Header> {
    if token.len() > LONGEST {
        return None;
    }
    let header = jsonwebtoken::decode_header(token).ok()?;
    let kind = header.typ?.to_ascii_lowercase();
    if !TYPES.contains(&kind.as_str()) || header.crit.is_some() {
        return None;
    }
    Some(Header { kid: header.kid.filter(|kid| !kid.is_empty())?, algorithm: header.alg })
}

/// Who the bearer is, when the token is good at `now`.
pub(super) fn check(
    token: &str,
    header: &Header,
    key: &Key,
    settings: &OidcSettings,
    now: i64,
) -> Option<ExternalIdentity> {
    // The key says which algorithm it is for, not the token.
    if header.algorithm != key.algorithm {
        return None;
    }
    let mut validation = Validation::new(key.algorithm);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.set_issuer(&[settings.issuer.as_str()]);
    validation.set_audience(&[&settings.audience]);
    let body: Body = jsonwebtoken::decode(token, &key.decoding, &validation).ok()?.claims;
    let soonest = now.saturating_add(LEEWAY_SECONDS);
    let begun = body.nbf.is_none_or(|start| start <= soonest) && body.iat.is_none_or(|at| at <= soonest);
    let live = now < body.exp.saturating_add(LEEWAY_SECONDS);
    let named = (1..=255).contains(&body.sub.len());
    if !begun || !live || !named {
        return None;
    }
    // Some issuers write the word as text. What is not verified may be anybody's address.
    let verified = body.email_verified.is_some_and(|word| word == true || word == "true");
    let email = body.email.filter(|_| verified).and_then(|email| email.parse::<Email>().ok());
    Some(ExternalIdentity { issuer: settings.issuer.as_str().to_owned(), subject: body.sub, email })
}
