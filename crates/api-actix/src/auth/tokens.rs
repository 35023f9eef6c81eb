//! `/auth/tokens`: API tokens, shown once when they are made.

use std::collections::BTreeSet;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::{Value, json};
use shopwright_domain::Scope;
use shopwright_ports::identity_api::NewApiToken;
use shopwright_ports::storage::ApiToken;

use super::Authenticated;
use crate::form::{Form, Rule};
use crate::iso::Iso;
use crate::openapi::doc::Doc;
use crate::openapi::fields::{number, optional, required, some_of, text_of};
use crate::openapi::{examples, words};
use crate::problem::Problem;
use crate::{State, body, reply};
use utoipa::ToSchema;

const NAME_MAX: u32 = 64;
const DAYS_DEFAULT: u32 = 90;
const DAYS_MAX: u32 = 365;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ApiToken)]
struct TokenBody {
    id: String,
    name: String,
    prefix: String,
    #[schema(value_type = Vec<words::TokenScope>)]
    scopes: Vec<&'static str>,
    organisation_id: String,
    created_at: Iso,
    expires_at: Iso,
    #[schema(required)]
    last_used_at: Option<Iso>,
}

impl From<ApiToken> for TokenBody {
    fn from(token: ApiToken) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.name,
            prefix: token.prefix,
            scopes: token.scopes.into_iter().map(Scope::as_str).collect(),
            organisation_id: token.acts_in.to_string(),
            created_at: Iso(token.created_at),
            expires_at: Iso(token.expires_at),
            last_used_at: token.last_used_at.map(Iso),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CreatedBody {
    message: &'static str,
    token: String,
    api_token: TokenBody,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ListBody {
    api_tokens: Vec<TokenBody>,
}

#[derive(Serialize, ToSchema)]
struct RevokedBody {
    message: &'static str,
}

fn name(form: &mut Form) -> Option<String> {
    let name = form.required("name")?;
    let shown = name.trim().chars().count();
    if shown == 0 || shown > NAME_MAX as usize || name.chars().any(char::is_control) {
        let message = format!("name must have 1 to {NAME_MAX} printable characters");
        form.refuse("name", Rule::limit("string.max", NAME_MAX.into()), message);
        return None;
    }
    Some(name.trim().to_owned())
}

fn scopes(form: &mut Form) -> Option<BTreeSet<Scope>> {
    let known = Scope::ALL.map(Scope::as_str).join(", ");
    let words: Vec<String> = match form.take("scopes") {
        None => {
            form.refuse("scopes", Rule::new("any.required"), "scopes is required");
            return None;
        }
        Some(Value::Array(values)) => {
            values.iter().map(|value| value.as_str().unwrap_or_default().to_owned()).collect()
        }
        // As OAuth writes them, and forms can.
        Some(Value::String(text)) => text.split_whitespace().map(str::to_owned).collect(),
        Some(_) => Vec::new(),
    };
    let scopes: Result<BTreeSet<Scope>, _> = words.iter().map(|word| word.parse()).collect();
    match scopes {
        Ok(scopes) if !scopes.is_empty() => Some(scopes),
        _ => {
            form.refuse("scopes", Rule::new("any.only"), format!("scopes must be a list of: {known}"));
            None
        }
    }
}

fn command(mut form: Form) -> Result<NewApiToken, Problem> {
    let name = name(&mut form);
    let scopes = scopes(&mut form);
    let days = form.whole_number("expiresInDays", DAYS_DEFAULT, 1, DAYS_MAX);
    form.refuse_unknown();
    let values = name.zip(scopes).zip(days);
    form.finish(values.map(|((name, scopes), days)| NewApiToken {
        name,
        scopes,
        lifetime: Duration::from_hours(24 * u64::from(days)),
    }))
}

pub(crate) fn create_doc() -> Doc {
    let fields = [
        required("name", text_of(1, NAME_MAX), "What it is called"),
        required("scopes", some_of(Scope::ALL.map(Scope::as_str)), "What it may be used for"),
        optional("expiresInDays", number(1, DAYS_MAX, DAYS_DEFAULT), "How long it is good"),
    ];
    let example = json!({"message": "Keep the token now: it is not shown again.", "token": "swt_1a2b3c4d...", "apiToken": examples::api_token()});
    Doc::answers::<CreatedBody>(201, "Makes an API token, shown this once", example)
        .takes(fields, json!({"name": "CI", "scopes": ["stores:read"], "expiresInDays": 30}))
        .refuses(409, "As many API tokens as one may have")
}

pub(crate) fn list_doc() -> Doc {
    Doc::answers::<ListBody>(200, "The own API tokens", json!({"apiTokens": [examples::api_token()]}))
}

pub(crate) fn revoke_doc() -> Doc {
    let example = json!(RevokedBody { message: "The API token is revoked." });
    Doc::answers::<RevokedBody>(200, "Revokes an API token at once", example).refuses(404, "No such API token")
}

/// `POST /auth/tokens`.
pub(crate) async fn create(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let wanted = command(body::form(&request, payload, &state.api.limits).await?)?;
    let context = auth.context;
    let (row, token) = state.api.identity.create_api_token(&context.origin, &context.actor, wanted).await?;
    let body = CreatedBody {
        message: "Keep the token now: it is not shown again.",
        token: token.expose_secret().to_owned(),
        api_token: row.into(),
    };
    Ok(reply::reply(&context.origin, StatusCode::CREATED, body))
}

/// `GET /auth/tokens`.
pub(crate) async fn list(auth: Authenticated, state: Data<State>) -> Result<HttpResponse, Problem> {
    let tokens = state.api.identity.api_tokens(&auth.context.actor).await?;
    Ok(reply::ok(&auth.context.origin, ListBody { api_tokens: tokens.into_iter().map(TokenBody::from).collect() }))
}

/// `DELETE /auth/tokens/{id}`.
pub(crate) async fn revoke(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = Form::path_id(&request, "id", "the id of an API token: a UUID")?;
    state.api.identity.revoke_api_token(&auth.context.origin, &auth.context.actor, id).await?;
    Ok(reply::ok(&auth.context.origin, RevokedBody { message: "The API token is revoked." }))
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
