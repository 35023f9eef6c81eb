//! The answer to whoever has just signed in, or goes on: the tokens, each where it belongs.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use secrecy::ExposeSecret;
use serde::Serialize;
use shopwright_ports::identity_api::{Origin, SignedIn};
use utoipa::ToSchema;

use super::UserBody;
use super::cookie::is_browser;
use crate::{State, reply};

/// How the refresh token travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carrier {
    /// In the body, to programs.
    Body,
    /// In a cookie, to browsers: their scripts never see it.
    Cookie,
}

impl Carrier {
    pub(super) fn of(request: &HttpRequest) -> Self {
        if is_browser(request) { Self::Cookie } else { Self::Body }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SignedIn)]
pub(super) struct Body {
    message: &'static str,
    user: UserBody,
    token: String,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

pub(super) fn signed_in(
    state: &State,
    origin: &Origin,
    status: StatusCode,
    message: &'static str,
    carrier: Carrier,
    signed_in: &SignedIn,
) -> HttpResponse {
    let in_body = carrier == Carrier::Body;
    let body = Body {
        message,
        user: UserBody::from(&signed_in.user),
        token: signed_in.token.expose_secret().to_owned(),
        expires_in: signed_in.expires_in.as_secs(),
        refresh_token: in_body.then(|| signed_in.refresh_token.expose_secret().to_owned()),
    };
    let mut answer = reply::reply(origin, status, body);
    if !in_body {
        let now = state.api.clock.now();
        let cookie = state.api.cookies.keep(&signed_in.refresh_token, signed_in.refresh_expires_at, now);
        // Fails only for names and values that are no header: ours are letters and digits.
        let _ = answer.add_cookie(&cookie);
    }
    answer
}
