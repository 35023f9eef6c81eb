//! `POST /auth/logout`: ends the session of the refresh token in the body or the cookie, or else of the access token.

use actix_web::web::{Data, Payload};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde::Serialize;
use shopwright_ports::identity_api::{IdentityError, Proof};

use super::{Authenticated, refresh};
use crate::access::Access;
use crate::openapi::doc::Doc;
use crate::openapi::fields::{optional, text};
use crate::problem::Problem;
use crate::{State, body, origin, reply};
use serde_json::json;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
struct Body {
    message: &'static str,
}

pub(crate) fn doc() -> Doc {
    let fields = [optional("refreshToken", text(), "Whose session ends; else the cookie's, else the access token's")];
    Doc::answers::<Body>(200, "Ends a session", json!({"message": "Signed out."}))
        .takes(fields, json!({"refreshToken": "swr_7c1f..."}))
        .refuses(401, "Nothing to sign out with")
}

pub(crate) async fn handle(
    state: Data<State>,
    origin: origin::From,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let form = body::form(&request, payload, &state.api.limits).await?;
    if let Some((token, _)) = refresh::token(&state, &request, form)? {
        state.api.identity.logout(&origin.0, &token).await?;
    } else {
        let auth = Authenticated::extract(&request).await?;
        Access::Person.check(&auth.proof)?;
        if let Proof::Session(id) = auth.proof {
            match state.api.identity.revoke_session(&origin.0, &auth.context.actor, id).await {
                // It ended in this moment: that is what was asked for.
                Ok(()) | Err(IdentityError::NoSuchSession) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    let mut answer = reply::ok(&origin.0, Body { message: "Signed out." });
    let _ = answer.add_cookie(&state.api.cookies.forget());
    Ok(answer)
}

#[cfg(test)]
#[path = "logout_tests.rs"]
mod tests;
