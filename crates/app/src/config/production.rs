//! What the production profile refuses: settings that are for one machine and one person.
//!
//! Nothing here changes a setting. Each refusal names what to set instead; whoever knows better runs the local profile and says so by that.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use jiff::SignedDuration;
use secrecy::ExposeSecret;
use shopwright_api_actix::{Cookies, Cors};
use shopwright_domain::identity::{is_common, repeats};

use super::reader::Reader;
use super::sections::{DatabaseConfig, IdentityConfig, RequestsConfig, Scheme, StoresConfig};
use super::settings::{
    ACCOUNT_LOCKOUT_MAX_ATTEMPTS, ADMIN_PASSWORD, CORS_ORIGIN, DATABASE_URL, HTTP_ADDR, LEGACY_TOKEN_TTL,
    REGISTER_RATE_LIMIT_MAX, SHOPWRIGHT_ALLOW_BARE_WORDPRESS, SHOPWRIGHT_BOOTSTRAP_FIRST_USER, SHOPWRIGHT_COOKIES,
    SHOPWRIGHT_PASSWORD_PEPPER, SHOPWRIGHT_SECRET_KEY, SHOPWRIGHT_SIMULATED, SHOPWRIGHT_TRUSTED_PROXIES,
    STORE_DOMAIN_SUFFIX, STORE_SCHEME, Setting,
};
use crate::crypto::SealingKey;

/// More registrations than this an hour from one address are no limit.
const REGISTRATIONS_PER_HOUR: f64 = 100.0;
/// More guesses than this before a lock-out are no limit.
const GUESSES: u32 = 20;
/// Shorter ones are guessed.
const SHORTEST_PASSWORD: usize = 12;
/// v1's tokens lived as long; longer is never needed.
const LONGEST_TOKEN: std::time::Duration = std::time::Duration::from_hours(24);

/// What is checked.
pub(super) struct Settings<'a> {
    pub(super) simulated: bool,
    pub(super) http_addr: Option<SocketAddr>,
    pub(super) database: Option<&'a DatabaseConfig>,
    pub(super) stores: Option<&'a StoresConfig>,
    pub(super) identity: Option<&'a IdentityConfig>,
    pub(super) requests: Option<&'a RequestsConfig>,
}

/// Why a password is weak, if it is.
fn weakness(password: &str, names: &[&str]) -> Option<&'static str> {
    let different: BTreeSet<char> = password.to_lowercase().chars().collect();
    if different.len() < 5 {
        Some("it has fewer than 5 different characters")
    } else if is_common(password) {
        Some("it is one that everybody tries first")
    } else if names.iter().any(|name| repeats(password, name)) {
        Some("it repeats the name that it belongs to")
    } else if password.chars().count() < SHORTEST_PASSWORD {
        Some("it has fewer than 12 characters")
    } else {
        None
    }
}

fn refuse(reader: &mut Reader<'_>, setting: &Setting, problem: &str, remedy: &str) {
    reader.refuse(setting, format!("{problem} (STORE_PROFILE=production)"), remedy);
}

/// Notes everything that production refuses.
pub(super) fn check(reader: &mut Reader<'_>, settings: &Settings<'_>) {
    if settings.simulated {
        refuse(
            reader,
            &SHOPWRIGHT_SIMULATED,
            "a simulation makes no stores",
            "Leave it out, or use STORE_PROFILE=local.",
        );
    }
    if let Some(database) = settings.database {
        check_database(reader, database);
    }
    if let Some(identity) = settings.identity {
        check_identity(reader, identity);
    }
    if let Some(stores) = settings.stores {
        check_stores(reader, stores);
    }
    if let Some(requests) = settings.requests {
        check_requests(reader, requests, settings.http_addr);
    }
}

fn check_database(reader: &mut Reader<'_>, database: &DatabaseConfig) {
    let (DatabaseConfig::Private { keys, .. } | DatabaseConfig::External { keys, .. }) = database;
    if keys.iter().any(SealingKey::is_weak) {
        let remedy = "Set it to 32 random bytes from `openssl rand -base64 32`; keep the old key behind it, after a comma, while rows are sealed with that.";
        refuse(reader, &SHOPWRIGHT_SECRET_KEY, "its value was not drawn at random", remedy);
    }
    if let DatabaseConfig::External { database, .. } = database
        && let Ok(url) = url::Url::parse(database.url.expose_secret())
        && let Some(password) = url.password()
        && let Some(why) = weakness(password, &[url.username()])
    {
        let remedy = "Give the role another password, of 12 characters or more drawn at random.";
        refuse(reader, &DATABASE_URL, &format!("its password is weak: {why}"), remedy);
    }
}

fn check_identity(reader: &mut Reader<'_>, identity: &IdentityConfig) {
    if identity.cookies == Cookies::Plain {
        let remedy = "Leave it out, and put TLS in front.";
        refuse(reader, &SHOPWRIGHT_COOKIES, "browsers would send their refresh token over plain HTTP", remedy);
    }
    let rules = &identity.rules;
    if identity.peppers.iter().any(SealingKey::is_weak) {
        let remedy = "Set it to 32 random bytes from `openssl rand -base64 32`.";
        refuse(reader, &SHOPWRIGHT_PASSWORD_PEPPER, "its value was not drawn at random", remedy);
    }
    if rules.bootstrap_first_user {
        let remedy = "Leave it out, and set ADMIN_EMAIL and ADMIN_PASSWORD.";
        refuse(reader, &SHOPWRIGHT_BOOTSTRAP_FIRST_USER, "whoever comes first would own the platform", remedy);
    }
    let per_hour = f64::from(rules.registration_rate.limit) * SignedDuration::from_hours(1).as_secs_f64()
        / rules.registration_rate.window.as_secs_f64();
    if rules.registration_open && per_hour > REGISTRATIONS_PER_HOUR {
        let remedy = "Allow at most 100 an hour, or set SHOPWRIGHT_REGISTRATION=closed and invite people.";
        refuse(reader, &REGISTER_RATE_LIMIT_MAX, "registration is open and has no limit worth the name", remedy);
    }
    if rules.lockout.attempts > GUESSES {
        let remedy = "Lock accounts after at most 20 wrong passwords.";
        refuse(reader, &ACCOUNT_LOCKOUT_MAX_ATTEMPTS, "passwords could be guessed", remedy);
    }
    if identity.access_token_ttl > LONGEST_TOKEN {
        let remedy = "Make it 24h or less; clients refresh.";
        refuse(reader, &LEGACY_TOKEN_TTL, "whoever finds a token could use it for long", remedy);
    }
    if let Some(admin) = &identity.admin {
        let email = admin.email.as_str();
        let local = email.split('@').next().unwrap_or_default();
        if let Some(why) = weakness(admin.password.expose_secret(), &[email, local]) {
            let remedy = "Set one of 12 characters or more, drawn at random.";
            refuse(reader, &ADMIN_PASSWORD, &format!("its value is weak: {why}"), remedy);
        }
    }
}

fn check_stores(reader: &mut Reader<'_>, stores: &StoresConfig) {
    if stores.scheme == Scheme::Http {
        let remedy = "Set STORE_SCHEME=https, with certificates at the ingress.";
        refuse(reader, &STORE_SCHEME, "shoppers would send passwords and addresses over plain HTTP", remedy);
    }
    let suffix = stores.domain_suffix.as_str();
    if [".localhost", ".local", ".test", ".invalid", ".example"].iter().any(|end| suffix.ends_with(end)) {
        let remedy = "Set it to a domain of yours, with a wildcard record that leads to the ingress.";
        refuse(reader, &STORE_DOMAIN_SUFFIX, "no shopper can reach hosts below it", remedy);
    }
    if stores.allow_bare_wordpress {
        let remedy = "Leave it out, and use an image with the plugin.";
        refuse(reader, &SHOPWRIGHT_ALLOW_BARE_WORDPRESS, "such stores cannot take orders", remedy);
    }
}

fn check_requests(reader: &mut Reader<'_>, requests: &RequestsConfig, http_addr: Option<SocketAddr>) {
    // We speak plain HTTP: whoever is not on this machine must come through something that speaks TLS.
    if http_addr.is_some_and(|address| !address.ip().is_loopback()) && requests.proxies.0.is_empty() {
        let remedy = "Put a proxy with TLS in front and name its addresses in SHOPWRIGHT_TRUSTED_PROXIES, or listen on 127.0.0.1.";
        refuse(
            reader,
            &HTTP_ADDR,
            "it is reached from other machines, and nothing in front of it is known to speak TLS",
            remedy,
        );
    }
    if requests.proxies.0.iter().any(shopwright_domain::network::Cidr::is_everything) {
        let remedy = "Name the addresses of the proxies alone.";
        refuse(reader, &SHOPWRIGHT_TRUSTED_PROXIES, "anybody could choose the address that limits count", remedy);
    }
    match &requests.cors {
        Cors::Everybody => {
            let remedy = "Name the origins, or leave it out.";
            refuse(reader, &CORS_ORIGIN, "pages of anybody could read answers", remedy);
        }
        Cors::Origins(origins) if origins.iter().any(|origin| origin.starts_with("http://")) => {
            let remedy = "Name origins with https:// alone.";
            refuse(reader, &CORS_ORIGIN, "a page over plain HTTP can be changed on its way", remedy);
        }
        Cors::Origins(_) | Cors::None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_passwords_have_a_reason() {
        for (password, reason) in [
            ("Password123!", "tries first"),
            ("shopwright2026", "tries first"),
            ("ada", "different"),
            ("ada2026", "repeats"),
            ("x7!kQ2", "fewer than 12"),
            ("abababababababab", "different"),
        ] {
            assert!(weakness(password, &["ada"]).is_some_and(|why| why.contains(reason)), "{password}");
        }
        assert_eq!(weakness("tY8v-4mPq-Lw2z", &["ada"]), None);
    }
}
