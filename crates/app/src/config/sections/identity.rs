//! Accounts and tokens.

use std::time::Duration;

use secrecy::SecretString;
use shopwright_domain::identity::{Email, check_password};

use crate::config::reader::Reader;
use crate::config::settings::{
    ADMIN_EMAIL, ADMIN_PASSWORD, LEGACY_TOKEN_TTL, SHOPWRIGHT_BOOTSTRAP_FIRST_USER, SHOPWRIGHT_REGISTRATION,
};
use crate::config::values;

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
    /// Whether strangers may make an account.
    pub registration_open: bool,
    /// Whether the first account becomes administrator by arriving first.
    pub bootstrap_first_user: bool,
    /// Life of access tokens.
    pub access_token_ttl: Duration,
}

pub(in crate::config) fn identity(reader: &mut Reader<'_>) -> Option<IdentityConfig> {
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
    let registration_open = reader.read(&SHOPWRIGHT_REGISTRATION, values::word(&[("open", true), ("closed", false)]));
    let bootstrap_first_user = reader.read(&SHOPWRIGHT_BOOTSTRAP_FIRST_USER, values::switch);
    let legacy = Duration::from_mins(1)..=Duration::from_hours(24 * 30);
    let access_token_ttl = reader.read(&LEGACY_TOKEN_TTL, values::duration_within(legacy));
    Some(IdentityConfig {
        admin: email.zip(password).map(|(email, password)| AdminAccount { email, password }),
        registration_open: registration_open?,
        bootstrap_first_user: bootstrap_first_user?,
        access_token_ttl: access_token_ttl.unwrap_or(Duration::from_mins(10)),
    })
}
