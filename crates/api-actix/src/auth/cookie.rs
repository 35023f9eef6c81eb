//! The refresh token of a browser: in a cookie that no script reads and no other site sends (RELIABILITY S11).
//!
//! A cookie counts only on a request that this very origin made: browsers say so in headers that no page can write. The prefix
//! `__Host-` keeps the shops, which may live beside us under one domain, from planting a cookie of theirs.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::{HOST, ORIGIN};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::origin::header;
use crate::problem::{CROSS_SITE, Problem};

/// How cookies are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookies {
    /// Over HTTPS, and to browsers that take this machine for safe.
    Secure,
    /// Over plain HTTP too: for development alone.
    Plain,
}

impl Cookies {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Secure => "__Host-shopwright-refresh",
            Self::Plain => "shopwright-refresh",
        }
    }

    fn cookie(self, value: String, life: Duration) -> Cookie<'static> {
        Cookie::build(self.name(), value)
            .path("/")
            .http_only(true)
            .same_site(SameSite::Strict)
            .secure(self == Self::Secure)
            .max_age(life)
            .finish()
    }

    /// The cookie that keeps a refresh token until it expires.
    pub(super) fn keep(self, token: &SecretString, expires_at: Timestamp, now: Timestamp) -> Cookie<'static> {
        let seconds = expires_at.as_second().saturating_sub(now.as_second()).max(0);
        self.cookie(token.expose_secret().to_owned(), Duration::seconds(seconds))
    }

    /// The cookie that removes it.
    pub(super) fn forget(self) -> Cookie<'static> {
        self.cookie(String::new(), Duration::ZERO)
    }

    /// The refresh token in the cookie, if there is one.
    pub(super) fn find(self, request: &HttpRequest) -> Result<Option<SecretString>, Problem> {
        let Some(cookie) = request.cookie(self.name()) else { return Ok(None) };
        if is_of_this_origin(request) {
            return Ok(Some(SecretString::from(cookie.value().to_owned())));
        }
        Err(Problem::new(CROSS_SITE, "The cookie came with a request of another site"))
    }
}

/// Whether a page in a browser asks: it says so itself, whatever the page wants. Other programs get their refresh token in the body.
pub(super) fn is_browser(request: &HttpRequest) -> bool {
    let headers = request.headers();
    headers.contains_key(ORIGIN) || headers.contains_key("sec-fetch-site")
}

fn is_of_this_origin(request: &HttpRequest) -> bool {
    let headers = request.headers();
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    // Browsers without fetch metadata name at least the origin.
    let host = header(headers, HOST.as_str())
        .or_else(|| request.uri().authority().map(actix_web::http::uri::Authority::as_str));
    let origin = header(headers, ORIGIN.as_str()).and_then(|origin| origin.split_once("://"));
    origin.zip(host).is_some_and(|((_, authority), host)| authority.eq_ignore_ascii_case(host))
}
