//! Accounts and tokens.

use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;
use secrecy::SecretString;
use shopwright_api_actix::Cookies;
use shopwright_domain::identity::{Email, check_password};
use shopwright_domain::limits::{Lockout, Rate};

use super::Profile;
use crate::config::reader::Reader;
use crate::config::settings::{
    ACCOUNT_LOCKOUT_DURATION_MS, ACCOUNT_LOCKOUT_MAX_ATTEMPTS, ADMIN_EMAIL, ADMIN_PASSWORD, LEGACY_TOKEN_TTL,
    LOGIN_RATE_LIMIT_MAX, LOGIN_RATE_LIMIT_WINDOW_MS, REGISTER_RATE_LIMIT_MAX, REGISTER_RATE_LIMIT_WINDOW_MS,
    SHOPWRIGHT_BOOTSTRAP_FIRST_USER, SHOPWRIGHT_COMMON_PASSWORDS, SHOPWRIGHT_COOKIES, SHOPWRIGHT_OIDC_AUDIENCE,
    SHOPWRIGHT_OIDC_ISSUER, SHOPWRIGHT_PASSWORD_PEPPER, SHOPWRIGHT_REGISTRATION, SHOPWRIGHT_SESSION_IDLE,
    SHOPWRIGHT_SESSION_TTL,
};
use crate::config::{paths, values};
use crate::crypto::SealingKey;
use crate::identity::IdentityRules;
use crate::oidc::{IssuerUrl, OidcSettings};

const DAY: Duration = Duration::from_hours(24);

/// The first administrator.
#[derive(Debug, Clone)]
pub struct AdminAccount {
    /// Their address.
    pub email: Email,
    /// Their password.
    pub password: SecretString,
}

/// Accounts and tokens.
#[derive(Debug, Clone)]
pub struct IdentityConfig {
    /// The administrator to make at start if there is none.
    pub admin: Option<AdminAccount>,
    /// Registration, sessions, attempts.
    pub rules: IdentityRules,
    /// Life of access tokens.
    pub access_token_ttl: Duration,
    /// Where signing keys are; the database when there is none.
    pub signing_keys_dir: Option<PathBuf>,
    /// What goes into the hashes of passwords: the first into new ones.
    pub peppers: Vec<SealingKey>,
    /// How browsers keep their refresh token.
    pub cookies: Cookies,
    /// Whose tokens are taken besides ours.
    pub oidc: Option<OidcSettings>,
}

/// Both or none: tokens that are for somebody else are not taken.
fn oidc(reader: &mut Reader<'_>) -> Option<OidcSettings> {
    let issuer = reader.read(&SHOPWRIGHT_OIDC_ISSUER, |text| IssuerUrl::parse(text).map_err(|error| error.to_string()));
    let audience = reader.read(&SHOPWRIGHT_OIDC_AUDIENCE, |text| match text.trim() {
        "" => Err("is empty".to_owned()),
        audience => Ok(audience.to_owned()),
    });
    match (reader.is_set(&SHOPWRIGHT_OIDC_ISSUER), reader.is_set(&SHOPWRIGHT_OIDC_AUDIENCE)) {
        (true, false) => {
            let problem = "it is required together with SHOPWRIGHT_OIDC_ISSUER";
            reader.refuse(&SHOPWRIGHT_OIDC_AUDIENCE, problem, "Set both or none.");
        }
        (false, true) => {
            let problem = "it is required together with SHOPWRIGHT_OIDC_AUDIENCE";
            reader.refuse(&SHOPWRIGHT_OIDC_ISSUER, problem, "Set both or none.");
        }
        _ => {}
    }
    issuer.zip(audience).map(|(issuer, audience)| OidcSettings { issuer, audience })
}

pub(in crate::config) fn identity(reader: &mut Reader<'_>, profile: Option<Profile>) -> Option<IdentityConfig> {
    let email = reader.read(&ADMIN_EMAIL, |text| text.parse::<Email>().map_err(|_| "is not an e-mail address".into()));
    let password = reader.read(&ADMIN_PASSWORD, |text| {
        let problem = |error: shopwright_domain::identity::InvalidPassword| format!("is refused: {error}");
        check_password(text).map_err(problem).map(|()| SecretString::from(text))
    });
    match (reader.is_set(&ADMIN_EMAIL), reader.is_set(&ADMIN_PASSWORD)) {
        (true, false) => {
            reader.refuse(&ADMIN_PASSWORD, "it is required together with ADMIN_EMAIL", "Set both or none.");
        }
        (false, true) => {
            reader.refuse(&ADMIN_EMAIL, "it is required together with ADMIN_PASSWORD", "Set both or none.");
        }
        _ => {}
    }
    let legacy = Duration::from_mins(1)..=30 * DAY;
    let access_token_ttl = reader.read(&LEGACY_TOKEN_TTL, values::duration_within(legacy));
    let signing_keys_dir = paths::signing_keys_dir(reader);
    let peppers = reader.read(&SHOPWRIGHT_PASSWORD_PEPPER, SealingKey::parse_list);
    let cookies =
        reader.read(&SHOPWRIGHT_COOKIES, values::word(&[("secure", Cookies::Secure), ("plain", Cookies::Plain)]));
    let common = reader.read(&SHOPWRIGHT_COMMON_PASSWORDS, values::word(&[("allowed", true), ("refused", false)]));
    let rules = rules(reader, access_token_ttl);
    let oidc = oidc(reader);
    Some(IdentityConfig {
        admin: email.zip(password).map(|(email, password)| AdminAccount { email, password }),
        rules: IdentityRules {
            common_passwords_allowed: common.unwrap_or(profile != Some(Profile::Production)),
            ..rules?
        },
        peppers: peppers.unwrap_or_default(),
        access_token_ttl: access_token_ttl.unwrap_or(Duration::from_mins(10)),
        signing_keys_dir,
        cookies: cookies?,
        oidc,
    })
}

fn rules(reader: &mut Reader<'_>, access_token_ttl: Option<Duration>) -> Option<IdentityRules> {
    let registration_open = reader.read(&SHOPWRIGHT_REGISTRATION, values::word(&[("open", true), ("closed", false)]));
    let bootstrap_first_user = reader.read(&SHOPWRIGHT_BOOTSTRAP_FIRST_USER, values::switch);
    let session_ttl =
        reader.read(&SHOPWRIGHT_SESSION_TTL, values::duration_within(Duration::from_hours(1)..=365 * DAY));
    let session_idle =
        reader.read(&SHOPWRIGHT_SESSION_IDLE, values::duration_within(Duration::from_hours(1)..=365 * DAY));
    if access_token_ttl.zip(session_ttl).is_some_and(|(token, session)| token > session) {
        let problem = "it is longer than SHOPWRIGHT_SESSION_TTL, and no token outlives its session";
        reader.refuse(&LEGACY_TOKEN_TTL, problem, "Make it shorter, or the session longer.");
    }
    let attempts = reader.read(&ACCOUNT_LOCKOUT_MAX_ATTEMPTS, values::number(1..=1000));
    let duration = reader.read(&ACCOUNT_LOCKOUT_DURATION_MS, values::number(1_000..=86_400_000));
    let limit = reader.read(&LOGIN_RATE_LIMIT_MAX, values::number(1..=100_000));
    let window = reader.read(&LOGIN_RATE_LIMIT_WINDOW_MS, values::number(1_000..=86_400_000));
    let registrations = reader.read(&REGISTER_RATE_LIMIT_MAX, values::number(1..=100_000));
    let registration_window = reader.read(&REGISTER_RATE_LIMIT_WINDOW_MS, values::number(1_000..=86_400_000));
    Some(IdentityRules {
        registration_open: registration_open?,
        bootstrap_first_user: bootstrap_first_user?,
        lockout: Lockout { attempts: attempts?, duration: SignedDuration::from_millis(duration?) },
        sign_in_rate: Rate { limit: limit?, window: SignedDuration::from_millis(window?) },
        registration_rate: Rate { limit: registrations?, window: SignedDuration::from_millis(registration_window?) },
        session_lifetime: SignedDuration::try_from(session_ttl?).ok()?,
        session_idle: SignedDuration::try_from(session_idle?).ok()?,
        ..IdentityRules::default()
    })
}
