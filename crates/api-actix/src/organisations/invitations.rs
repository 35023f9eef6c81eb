//! `/organisations/{id}/invitations` for those who invite, `/invitations` for those who are invited.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::{Value, json};
use shopwright_domain::InvitationId;
use shopwright_domain::identity::Email;
use shopwright_domain::organisation::Role;
use shopwright_ports::storage::Invitation;
use utoipa::ToSchema;

use super::{DoneBody, OneBody, one_example, organisation};
use crate::auth::Authenticated;
use crate::form::{Form, Rule};
use crate::iso::Iso;
use crate::openapi::doc::Doc;
use crate::openapi::fields::{Field, one_of, optional, or_null, required, text, text_as};
use crate::openapi::words;
use crate::problem::Problem;
use crate::{State, body, origin, reply};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Invitation)]
struct InvitationBody {
    id: String,
    #[schema(required)]
    email: Option<String>,
    #[schema(value_type = words::MemberRole)]
    role: &'static str,
    created_at: Iso,
    expires_at: Iso,
}

impl From<Invitation> for InvitationBody {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id.to_string(),
            email: invitation.email.map(|email| email.as_str().to_owned()),
            role: invitation.role.as_str(),
            created_at: Iso(invitation.created_at),
            expires_at: Iso(invitation.times.expires_at),
        }
    }
}

#[derive(Serialize, ToSchema)]
struct ListBody {
    invitations: Vec<InvitationBody>,
}

#[derive(Serialize, ToSchema)]
struct CreatedBody {
    message: &'static str,
    invitation: InvitationBody,
    token: String,
    url: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OrganisationName)]
struct NameBody {
    name: String,
}

/// What somebody who is invited learns before they accept.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OpenBody {
    organisation: NameBody,
    #[schema(value_type = words::MemberRole)]
    role: &'static str,
    #[schema(required)]
    email: Option<String>,
    expires_at: Iso,
}

pub(super) fn role(form: &mut Form) -> Option<Role> {
    let text = form.required("role")?;
    let role = text.parse().ok();
    if role.is_none() {
        let known = Role::ALL.map(Role::as_str).join(", ");
        form.refuse("role", Rule::new("any.only"), format!("role must be one of: {known}"));
    }
    role
}

fn command(mut form: Form) -> Result<(Option<Email>, Role), Problem> {
    let email = match form.value("email") {
        None | Some(Value::Null) => {
            form.ignore("email");
            Some(None)
        }
        Some(_) => form.email().map(Some),
    };
    let role = role(&mut form);
    form.refuse_unknown();
    form.finish(email.zip(role))
}

fn token(mut form: Form) -> Result<SecretString, Problem> {
    let token = form.required("token");
    form.refuse_unknown();
    form.finish(token.map(SecretString::from))
}

fn example() -> Value {
    json!({
        "id": "c5f3b1c2-3a1f-4a53-9b5d-6b8e5f0a7d21", "email": "bob@example.com", "role": "developer",
        "createdAt": "2026-11-23T00:14:17.473Z", "expiresAt": "2026-11-30T00:14:17.473Z",
    })
}

fn token_field() -> [Field; 1] {
    [required("token", text(), "What stands behind the `#` of the link")]
}

pub(crate) fn list_doc() -> Doc {
    let example = json!({"invitations": [example()]});
    Doc::answers::<ListBody>(200, "The invitations that nobody accepted yet, the newest first", example)
}

pub(crate) fn create_doc() -> Doc {
    let fields = [
        optional("email", or_null(text_as("email")), "Whom it is for; whoever has the link without it"),
        required("role", one_of(Role::ALL.map(Role::as_str)), "What they become"),
    ];
    let example = json!({
        "message": "Hand over the link now: it is not shown again.", "invitation": example(), "token": "swi_7c1f...",
        "url": "https://shops.example.com/invitation#swi_7c1f...",
    });
    Doc::answers::<CreatedBody>(201, "Invites somebody, by a link that is shown this once", example)
        .takes(fields, json!({"email": "bob@example.com", "role": "developer"}))
        .refuses(409, "As many members and invitations as there may be")
}

pub(crate) fn revoke_doc() -> Doc {
    let example = json!(DoneBody { message: "The invitation is taken back." });
    Doc::answers::<DoneBody>(200, "Takes an invitation back", example).refuses(404, "No such invitation")
}

pub(crate) fn inspect_doc() -> Doc {
    let example = json!({
        "organisation": {"name": "Tea & Co"}, "role": "developer", "email": "bob@example.com",
        "expiresAt": "2026-11-30T00:14:17.473Z",
    });
    Doc::answers::<OpenBody>(200, "What an invitation is for", example)
        .takes(token_field(), json!({"token": "swi_7c1f"}))
        .refuses(404, "Unknown, used, taken back or expired")
}

pub(crate) fn accept_doc() -> Doc {
    Doc::answers::<OneBody>(200, "Makes whoever is signed in a member", one_example())
        .takes(token_field(), json!({"token": "swi_7c1f"}))
        .refuses(404, "Unknown, used, taken back or expired")
        .refuses(409, "One is a member already, or of as many as one may be")
}

/// `GET /organisations/{id}/invitations`.
pub(crate) async fn list(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let invitations = state.api.organisations.invitations(&auth.context, organisation(&request)?).await?;
    let invitations = invitations.into_iter().map(InvitationBody::from).collect();
    Ok(reply::ok(&auth.context.origin, ListBody { invitations }))
}

/// `POST /organisations/{id}/invitations`. The token stands behind the `#` of the link: it reaches no server's log.
pub(crate) async fn create(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let id = organisation(&request)?;
    let (email, role) = command(body::form(&request, payload, &state.api.limits).await?)?;
    let (invitation, token) = state.api.organisations.invite(&auth.context, id, email, role).await?;
    let token = token.expose_secret().to_owned();
    let body = CreatedBody {
        message: "Hand over the link now: it is not shown again.",
        invitation: invitation.into(),
        url: format!("{}/invitation#{token}", state.api.public_url),
        token,
    };
    Ok(reply::reply(&auth.context.origin, StatusCode::CREATED, body))
}

/// `DELETE /organisations/{id}/invitations/{invitationId}`.
pub(crate) async fn revoke(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = organisation(&request)?;
    let invitation: InvitationId = Form::path_id(&request, "invitationId", "the id of an invitation: a UUID")?;
    state.api.organisations.revoke_invitation(&auth.context, id, invitation).await?;
    Ok(reply::ok(&auth.context.origin, DoneBody { message: "The invitation is taken back." }))
}

/// `POST /invitations/inspect`: the token is in the body, so that it stands in no log of addresses.
pub(crate) async fn inspect(
    state: Data<State>,
    origin: origin::From,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let token = token(body::form(&request, payload, &state.api.limits).await?)?;
    let open = state.api.organisations.inspect(&token).await?;
    let body = OpenBody {
        organisation: NameBody { name: open.organisation },
        role: open.role.as_str(),
        email: open.email.map(|email| email.as_str().to_owned()),
        expires_at: Iso(open.expires_at),
    };
    Ok(reply::ok(&origin.0, body))
}

/// `POST /invitations/accept`.
pub(crate) async fn accept(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let token = token(body::form(&request, payload, &state.api.limits).await?)?;
    let joined = state.api.organisations.accept(&auth.context, &token).await?;
    Ok(reply::ok(&auth.context.origin, OneBody::from(joined)))
}
