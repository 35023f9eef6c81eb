//! `POST /auth/refresh`: the next access token, for a refresh token in the body or in a browser's cookie.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use secrecy::SecretString;

use super::cookie::is_browser;
use super::signed_in::{Carrier, signed_in};
use crate::form::{Form, Rule};
use crate::problem::{Problem, SESSION_OVER};
use crate::{State, body, origin};
use actix_web::http::StatusCode;

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
