//! `/organisations/{id}/members`: who belongs to it, and as what.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use shopwright_domain::UserId;
use shopwright_domain::organisation::Role;
use shopwright_ports::storage::Member;
use utoipa::ToSchema;

use super::{DoneBody, organisation};
use crate::auth::Authenticated;
use crate::form::Form;
use crate::iso::Iso;
use crate::openapi::doc::Doc;
use crate::openapi::fields::{one_of, required};
use crate::openapi::words;
use crate::problem::Problem;
use crate::{State, body, reply};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Member)]
struct MemberBody {
    user_id: String,
    email: String,
    username: String,
    #[schema(value_type = words::MemberRole)]
    role: &'static str,
    joined_at: Iso,
}

impl From<Member> for MemberBody {
    fn from(member: Member) -> Self {
        Self {
            user_id: member.user_id.to_string(),
            email: member.email.as_str().to_owned(),
            username: member.username.as_str().to_owned(),
            role: member.role.as_str(),
            joined_at: Iso(member.joined_at),
        }
    }
}

#[derive(Serialize, ToSchema)]
struct ListBody {
    members: Vec<MemberBody>,
}

#[derive(Serialize, ToSchema)]
struct OneBody {
    member: MemberBody,
}

fn user(request: &HttpRequest) -> Result<UserId, Problem> {
    Form::path_id(request, "userId", "the id of a member: a UUID")
}

fn role(mut form: Form) -> Result<Role, Problem> {
    let role = super::invitations::role(&mut form);
    form.refuse_unknown();
    form.finish(role)
}

fn example() -> Value {
    json!({
        "userId": "0b8f6c1e-6a57-4a83-9d0e-3a5d7c2f9b11", "email": "ada@example.com", "username": "ada", "role": "developer",
        "joinedAt": "2026-11-23T00:14:17.473Z",
    })
}

pub(crate) fn list_doc() -> Doc {
    Doc::answers::<ListBody>(200, "The members, the first to join first", json!({"members": [example()]}))
}

pub(crate) fn change_role_doc() -> Doc {
    let fields = [required("role", one_of(Role::ALL.map(Role::as_str)), "What they become")];
    Doc::answers::<OneBody>(200, "Makes a member something else", json!({"member": example()}))
        .takes(fields, json!({"role": "developer"}))
        .refuses(404, "No such member")
        .refuses(409, "The last owner stays one")
}

pub(crate) fn remove_doc() -> Doc {
    let example = json!(DoneBody { message: "The member is removed." });
    Doc::answers::<DoneBody>(200, "Ends a membership: another's, or one's own", example)
        .refuses(404, "No such member")
        .refuses(409, "The last owner stays")
}

/// `GET /organisations/{id}/members`.
pub(crate) async fn list(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let members = state.api.organisations.members(&auth.context, organisation(&request)?).await?;
    let members = members.into_iter().map(MemberBody::from).collect();
    Ok(reply::ok(&auth.context.origin, ListBody { members }))
}

/// `PATCH /organisations/{id}/members/{userId}`.
pub(crate) async fn change_role(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let (id, user) = (organisation(&request)?, user(&request)?);
    let role = role(body::form(&request, payload, &state.api.limits).await?)?;
    let member = state.api.organisations.change_role(&auth.context, id, user, role).await?;
    Ok(reply::ok(&auth.context.origin, OneBody { member: member.into() }))
}

/// `DELETE /organisations/{id}/members/{userId}`.
pub(crate) async fn remove(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (id, user) = (organisation(&request)?, user(&request)?);
    state.api.organisations.remove_member(&auth.context, id, user).await?;
    let message =
        if user == auth.context.actor.user_id { "You left the organisation." } else { "The member is removed." };
    Ok(reply::ok(&auth.context.origin, DoneBody { message }))
}
