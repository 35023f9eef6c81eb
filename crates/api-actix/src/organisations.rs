//! `/organisations`: the organisations of whoever asks, their members, and invitations.

pub(crate) mod invitations;
pub(crate) mod members;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use shopwright_domain::TenantId;
use shopwright_domain::organisation::OrganisationName;
use shopwright_ports::organisations_api::Membership;
use utoipa::ToSchema;

use crate::auth::Authenticated;
use crate::form::{Form, Rule};
use crate::iso::Iso;
use crate::openapi::doc::Doc;
use crate::openapi::fields::{Field, required, text_of};
use crate::openapi::words;
use crate::problem::Problem;
use crate::{State, body, reply};

/// An organisation as one of its members sees it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Organisation)]
pub(crate) struct OrganisationBody {
    id: String,
    name: String,
    personal: bool,
    #[schema(value_type = words::MemberRole)]
    role: &'static str,
    created_at: Iso,
}

impl From<Membership> for OrganisationBody {
    fn from(Membership { organisation, role }: Membership) -> Self {
        Self {
            id: organisation.id.to_string(),
            name: organisation.name,
            personal: organisation.personal,
            role: role.as_str(),
            created_at: Iso(organisation.created_at),
        }
    }
}

#[derive(Serialize, ToSchema)]
struct ListBody {
    organisations: Vec<OrganisationBody>,
}

#[derive(Serialize, ToSchema)]
struct OneBody {
    organisation: OrganisationBody,
}

impl From<Membership> for OneBody {
    fn from(membership: Membership) -> Self {
        Self { organisation: membership.into() }
    }
}

#[derive(Serialize, ToSchema)]
struct DoneBody {
    message: &'static str,
}

/// The organisation in the path.
fn organisation(request: &HttpRequest) -> Result<TenantId, Problem> {
    Form::path_id(request, "id", "the id of an organisation: a UUID")
}

/// An organisation, as the document shows it.
pub(crate) fn organisation_example() -> Value {
    json!({
        "id": "7d3b5d0c-9a0f-4c53-8c1d-0f6a9b2e4d11", "name": "Tea & Co", "personal": false, "role": "owner",
        "createdAt": "2026-11-23T00:14:17.473Z",
    })
}

fn one_example() -> Value {
    json!({"organisation": organisation_example()})
}

fn name_field() -> [Field; 1] {
    let longest = u32::try_from(OrganisationName::LONGEST).unwrap_or(u32::MAX);
    [required("name", text_of(1, longest), "What it is called")]
}

pub(crate) fn list_doc() -> Doc {
    let example = json!({"organisations": [organisation_example()]});
    Doc::answers::<ListBody>(200, "The own organisations, the one that came with the account first", example)
}

pub(crate) fn create_doc() -> Doc {
    Doc::answers::<OneBody>(201, "Makes an organisation, whose owner one is", one_example())
        .takes(name_field(), json!({"name": "Tea & Co"}))
        .refuses(409, "As many organisations as one may belong to")
}

pub(crate) fn get_doc() -> Doc {
    Doc::answers::<OneBody>(200, "One organisation", one_example())
}

pub(crate) fn rename_doc() -> Doc {
    Doc::answers::<OneBody>(200, "Gives an organisation another name", one_example())
        .takes(name_field(), json!({"name": "Tea & Co"}))
}

pub(crate) fn dissolve_doc() -> Doc {
    let example = json!(DoneBody { message: "The organisation is deleted." });
    Doc::answers::<DoneBody>(200, "Deletes an organisation", example)
        .refuses(409, "It has stores that are not deleted, or came with an account")
}

fn name(mut form: Form) -> Result<OrganisationName, Problem> {
    let limit = u64::try_from(OrganisationName::LONGEST).unwrap_or(u64::MAX);
    let name = form.required("name");
    let name = form.parse("name", name, |_| Rule::limit("string.max", limit));
    form.refuse_unknown();
    form.finish(name)
}

/// `GET /organisations`.
pub(crate) async fn list(auth: Authenticated, state: Data<State>) -> Result<HttpResponse, Problem> {
    let organisations = state.api.organisations.list(&auth.context).await?;
    let organisations = organisations.into_iter().map(OrganisationBody::from).collect();
    Ok(reply::ok(&auth.context.origin, ListBody { organisations }))
}

/// `POST /organisations`.
pub(crate) async fn create(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let name = name(body::form(&request, payload, &state.api.limits).await?)?;
    let made = state.api.organisations.create(&auth.context, name).await?;
    Ok(reply::reply(&auth.context.origin, StatusCode::CREATED, OneBody::from(made)))
}

/// `GET /organisations/{id}`.
pub(crate) async fn get(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let found = state.api.organisations.get(&auth.context, organisation(&request)?).await?;
    Ok(reply::ok(&auth.context.origin, OneBody::from(found)))
}

/// `PATCH /organisations/{id}`.
pub(crate) async fn rename(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let id = organisation(&request)?;
    let name = name(body::form(&request, payload, &state.api.limits).await?)?;
    let renamed = state.api.organisations.rename(&auth.context, id, name).await?;
    Ok(reply::ok(&auth.context.origin, OneBody::from(renamed)))
}

/// `DELETE /organisations/{id}`.
pub(crate) async fn dissolve(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    state.api.organisations.dissolve(&auth.context, organisation(&request)?).await?;
    Ok(reply::ok(&auth.context.origin, DoneBody { message: "The organisation is deleted." }))
}

#[cfg(test)]
mod tests;
