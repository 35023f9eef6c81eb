//! `POST /auth/refresh`: the next access token, for a refresh token in the body or in a browser's cookie.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use secrecy::SecretString;

use super::cookie::is_browser;
use super::signed_in::{self, Carrier, signed_in};
use crate::form::{Form, Rule};
use crate::openapi::doc::Doc;
use crate::openapi::examples;
use crate::openapi::fields::{optional, text};
use crate::problem::{Problem, SESSION_OVER};
use crate::{State, body, origin};
use actix_web::http::StatusCode;
use serde_json::json;

/// The refresh token of a request, and how the next one goes back.
pub(super) fn token(
    state: &State,
    request: &HttpRequest,
    mut form: Form,
) -> Result<Option<(SecretString, Carrier)>, Problem> {
    let given = form.has("refreshToken");
    let in_body = form.optional("refreshToken").map(SecretString::from);
    form.refuse_unknown();
    // Named in the body, it is the one that is meant, whatever the cookie says.
    let found = if given {
        in_body.map(|token| (token, Carrier::Body))
    } else {
        state.api.cookies.find(request)?.map(|token| (token, Carrier::Cookie))
    };
    form.finish(Some(()))?;
    Ok(found)
}

pub(crate) fn doc() -> Doc {
    let fields = [optional("refreshToken", text(), "The newest one; a browser's is in its cookie")];
    Doc::answers::<signed_in::Body>(
        200,
        "The next tokens for a refresh token, once",
        examples::signed_in("The session goes on."),
    )
    .takes(fields, json!({"refreshToken": "swr_7c1f..."}))
    .refuses(401, "The session is over")
    .refuses(403, "A cookie from another site's page")
}

pub(crate) async fn handle(
    state: Data<State>,
    origin: origin::From,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let form = body::form(&request, payload, &state.api.limits).await?;
    let Some((token, carrier)) = token(&state, &request, form)? else {
        if is_browser(&request) {
            return Err(Problem::new(SESSION_OVER, "Nobody is signed in here"));
        }
        let mut form = Form::new(serde_json::Map::new());
        form.refuse("refreshToken", Rule::new("any.required"), "refreshToken is required");
        return form.finish(None);
    };
    let next = state.api.identity.refresh(&origin.0, &token).await?;
    Ok(signed_in(&state, &origin.0, StatusCode::OK, "The session goes on.", carrier, &next))
}

#[cfg(test)]
#[path = "refresh_tests.rs"]
mod tests;
