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
use crate::openapi::doc::Doc;
use crate::openapi::examples;
use crate::openapi::fields::{one_of, optional};
use crate::problem::Problem;
use crate::{State, query, reply};
use serde_json::json;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
struct SessionBody {
    id: String,
    created_at: Iso,
    last_used_at: Iso,
    expires_at: Iso,
    #[schema(required)]
    ip_address: Option<String>,
    #[schema(required)]
    user_agent: Option<String>,
    current: bool,
}

#[derive(Serialize, ToSchema)]
struct ListBody {
    sessions: Vec<SessionBody>,
}

#[derive(Serialize, ToSchema)]
struct EndedBody {
    message: &'static str,
    ended: u32,
}

/// The session that asks.
pub(super) fn current(auth: &Authenticated) -> Option<SessionId> {
    match auth.proof {
        Proof::Session(id) => Some(id),
        Proof::ApiToken(..) | Proof::External => None,
    }
}

pub(crate) fn list_doc() -> Doc {
    Doc::answers::<ListBody>(200, "Where one is signed in", json!({"sessions": [examples::session()]}))
}

pub(crate) fn end_doc() -> Doc {
    Doc::answers::<EndedBody>(200, "Ends one session", json!(EndedBody { message: "The session is ended.", ended: 1 }))
        .refuses(404, "No such session")
}

pub(crate) fn end_all_doc() -> Doc {
    let example = json!(EndedBody { message: "The sessions are ended.", ended: 2 });
    Doc::answers::<EndedBody>(200, "Ends all sessions", example).query([optional(
        "keep",
        one_of(["current"]),
        "Which one stays",
    )])
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
    let id = Form::path_id(&request, "id", "a session id: a UUID")?;
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
