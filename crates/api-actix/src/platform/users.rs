//! `/platform/users`: every account, and whether it may sign in.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use shopwright_domain::UserId;
use shopwright_ports::storage::{Account, UserFilter};
use utoipa::ToSchema;

use crate::auth::Authenticated;
use crate::form::{Form, Rule};
use crate::iso::Iso;
use crate::openapi::doc::Doc;
use crate::openapi::fields::{flag, number, optional, page_token, required, text_of};
use crate::openapi::words;
use crate::page_token::List;
use crate::problem::Problem;
use crate::query::read_time;
use crate::{State, body, query, reply};

/// The longest address.
const SEARCH_MAX: u32 = 255;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PlatformUser)]
struct UserBody {
    id: String,
    email: String,
    username: String,
    #[schema(value_type = words::Role)]
    role: &'static str,
    /// Whether the account may sign in, and its API tokens are taken.
    active: bool,
    /// The organisation that came with the account.
    organisation_id: String,
    /// Where it is signed in: live sessions.
    sessions: u64,
    /// Live API tokens.
    api_tokens: u64,
    created_at: Iso,
}

impl From<Account> for UserBody {
    fn from(Account { user, sessions, api_tokens }: Account) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.as_str().to_owned(),
            username: user.username.as_str().to_owned(),
            role: user.role.as_str(),
            active: user.active,
            organisation_id: user.tenant_id.to_string(),
            sessions,
            api_tokens,
            created_at: Iso(user.created_at),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ListBody {
    users: Vec<UserBody>,
    #[schema(required)]
    next_page_token: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct OneBody {
    message: &'static str,
    user: UserBody,
}

fn example(active: bool) -> Value {
    json!({
        "id": "0b8f6c1e-6a57-4a83-9d0e-3a5d7c2f9b11", "email": "ada@example.com", "username": "ada", "role": "tenant",
        "active": active, "organisationId": "7d3b5d0c-9a0f-4c53-8c1d-0f6a9b2e4d11", "sessions": 2 * u8::from(active),
        "apiTokens": u8::from(active), "createdAt": "2026-11-23T00:14:17.473Z",
    })
}

pub(crate) fn list_doc() -> Doc {
    let fields = [
        optional("search", text_of(1, SEARCH_MAX), "With this in their address or name, whatever its case"),
        optional("limit", number(1, 100, 50), "How many at most"),
        page_token(),
    ];
    let example = json!({"users": [example(true)], "nextPageToken": null});
    Doc::answers::<ListBody>(200, "Accounts of all organisations, newest first. For administrators", example)
        .query(fields)
}

pub(crate) fn change_doc() -> Doc {
    let fields = [required("active", flag(), "Whether the account may sign in")];
    let example = json!({"message": DEACTIVATED, "user": example(false)});
    let summary =
        "Ends an account's access, with all its sessions and API tokens, or gives it back. For administrators";
    Doc::answers::<OneBody>(200, summary, example)
        .takes(fields, json!({"active": false}))
        .refuses(404, "No such user, USER_NOT_FOUND")
        .refuses(409, "One's own account, OWN_ACCOUNT; the last active administrator, LAST_ADMINISTRATOR")
}

const DEACTIVATED: &str = "The account is deactivated: its sessions are ended, its API tokens revoked.";
const ACTIVATED: &str = "The account is active.";

fn search(form: &mut Form) -> Option<String> {
    let text = form.optional("search")?;
    if text.chars().count() > SEARCH_MAX as usize {
        let message = format!("search must have at most {SEARCH_MAX} characters");
        form.refuse("search", Rule::limit("string.max", SEARCH_MAX.into()), message);
        return None;
    }
    Some(text.to_lowercase())
}

fn question(mut form: Form, list: &List) -> Result<(UserFilter, u32), Problem> {
    let search = search(&mut form);
    let after = list.after(&mut form, read_place);
    let limit = form.limit(50, 100);
    form.finish(limit.map(|limit| (UserFilter { id: None, search, after }, limit)))
}

fn read_place(place: &str) -> Option<(Timestamp, UserId)> {
    let (at, id) = place.split_once('.')?;
    Some((read_time(at)?, id.parse().ok()?))
}

/// `GET /platform/users`.
pub(crate) async fn list(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    auth.as_administrator()?;
    let form = query::form(&request);
    let list = List::of("users", &auth.context.actor, &form, &["search"]);
    let (filter, limit) = question(form, &list)?;
    let found = state.api.platform.users(&auth.context, filter, limit).await?;
    let next_page_token = found.next.map(|(at, id)| list.token(&format!("{}.{id}", at.as_microsecond())));
    let users = found.accounts.into_iter().map(UserBody::from).collect();
    Ok(reply::ok(&auth.context.origin, ListBody { users, next_page_token }))
}

/// `PATCH /platform/users/{id}`.
pub(crate) async fn change(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    auth.as_administrator()?;
    let id = Form::path_id(&request, "id", "the id of a user: a UUID")?;
    let mut form = body::form(&request, payload, &state.api.limits).await?;
    let active = form.flag("active");
    form.refuse_unknown();
    let active = form.finish(active)?;
    let account = state.api.platform.set_active(&auth.context, id, active).await?;
    let message = if active { ACTIVATED } else { DEACTIVATED };
    Ok(reply::ok(&auth.context.origin, OneBody { message, user: account.into() }))
}
