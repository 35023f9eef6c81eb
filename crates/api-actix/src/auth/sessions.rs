//! `/auth/sessions`: where somebody is signed in, and ending it.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use shopwright_domain::SessionId;
use shopwright_ports::identity_api::Proof;
use shopwright_ports::storage::Session;

use super::Authenticated;
use crate::form::{Form, Rule};
use crate::iso::Iso;
use crate::problem::Problem;
use crate::{State, query, reply};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionBody {
    id: String,
    created_at: Iso,
    last_used_at: Iso,
    expires_at: Iso,
    ip_address: Option<String>,
    user_agent: Option<String>,
    current: bool,
}

#[derive(Serialize)]
struct ListBody {
    sessions: Vec<SessionBody>,
}

#[derive(Serialize)]
struct EndedBody {
    message: &'static str,
    ended: u32,
}

/// The session that asks.
pub(super) fn current(auth: &Authenticated) -> Option<SessionId> {
    match auth.proof {
        Proof::Session(id) => Some(id),
        Proof::ApiToken(..) => None,
    }
}

/// `GET /auth/sessions`.
pub(crate) async fn list(auth: Authenticated, state: Data<State>) -> Result<HttpResponse, Problem> {
    let current = current(&auth);
    let body = |session: Session| SessionBody {
        id: session.id.to_string(),
        created_at: Iso(session.created_at),
        last_used_at: Iso(session.last_used_at),
        expires_at: Iso(session.expires_at),
        ip_address: session.ip_address,
        user_agent: session.user_agent,
        current: Some(session.id) == current,
    };
    let sessions = state.api.identity.sessions(&auth.context.actor).await?;
    Ok(reply::ok(&auth.context.origin, ListBody { sessions: sessions.into_iter().map(body).collect() }))
}

/// `DELETE /auth/sessions/{id}`.
pub(crate) async fn end(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut form = Form::new(serde_json::Map::new());
    let id = request.match_info().get("id").and_then(|text| text.parse::<SessionId>().ok());
    if id.is_none() {
        form.refuse("id", Rule::new("string.pattern.base"), "id must be a session id: a UUID");
    }
    let id = form.finish(id)?;
    state.api.identity.revoke_session(&auth.context.origin, &auth.context.actor, id).await?;
    Ok(reply::ok(&auth.context.origin, EndedBody { message: "The session is ended.", ended: 1 }))
}

/// `DELETE /auth/sessions`: all of them, or with `?keep=current` all others.
pub(crate) async fn end_all(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut form = query::form(&request);
    let keep = match form.optional("keep").as_deref() {
        Some("current") => current(&auth),
        Some(_) => {
            form.refuse("keep", Rule::new("any.only"), "keep must be `current`");
            None
        }
        None => None,
    };
    form.finish(Some(()))?;
    let ended = state.api.identity.revoke_sessions(&auth.context.origin, &auth.context.actor, keep).await?;
    Ok(reply::ok(&auth.context.origin, EndedBody { message: "The sessions are ended.", ended }))
}

#[cfg(test)]
#[path = "sessions_tests.rs"]
mod tests;
