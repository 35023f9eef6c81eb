//! `Idempotency-Key`, on every POST behind a token but those of accounts: a client's promise that requests under one key are one request.
//!
//! The first answer that says yes, or that would be the same the next time, is kept for a day and given to whoever repeats the request,
//! word for word but for secrets, with `Idempotency-Replayed: true`. What writes to stores locks the key inside its own transaction, which
//! also finds what was made before a crash; for everything else the key is claimed here before, so that it happens once at most.

mod fingerprint;
mod secrets;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_TYPE, HeaderName, LOCATION};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, HttpResponse};
use shopwright_ports::gate_api::Promise;
use shopwright_ports::storage::StoredAnswer;

use crate::access::Access;
use crate::auth::Authenticated;
use crate::form::{Form, Rule};
use crate::origin::header;
use crate::problem::{Occurrence, Problem, render};
use crate::{State, body, routes};

const HEADER: &str = "Idempotency-Key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const KEY_MAX: usize = 255;
/// Longer answers are not kept; none of ours is.
const BODY_MAX: usize = 256 * 1024;
/// What comes before the paths of the API.
const BASE: &str = "/api/v1";

/// Whether a key means anything for the route that a request was led to.
fn is_promised(request: &HttpRequest) -> bool {
    let path = request.match_pattern().unwrap_or_default();
    *request.method() == Method::POST && keeps_promises(&path, routes::access(request))
}

/// Whether a POST on this path takes keys.
pub(crate) fn keeps_promises(path: &str, access: Access) -> bool {
    access != Access::Open && path.starts_with(BASE) && !path.starts_with("/api/v1/auth/")
}

/// Whether the use case behind the pattern knows nothing of keys.
fn is_claimed(pattern: &str) -> bool {
    let writes_to_stores = pattern.starts_with("/api/v1/stores") || pattern.starts_with("/api/v1/operations");
    // A look changes no store, and is written down and counted once all the same.
    !writes_to_stores || pattern == "/api/v1/stores/{id}/credentials/reveal"
}

fn key_of(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let Some(value) = request.headers().get(HEADER) else { return Ok(None) };
    let value = value.to_str().unwrap_or_default();
    let mut form = Form::new(serde_json::Map::new());
    let good = !value.is_empty() && value.len() <= KEY_MAX && value.bytes().all(|b| b.is_ascii_graphic());
    if !good {
        let message = format!("{HEADER} must be 1 to {KEY_MAX} printable characters without spaces");
        form.refuse(HEADER, Rule::new("string.pattern.base"), message);
    }
    form.finish(good.then(|| Some(value.to_owned())))
}

/// Wraps every resource.
pub(crate) async fn promises(
    state: Data<State>,
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    if !is_promised(request.request()) || !request.headers().contains_key(HEADER) {
        return next.call(request).await;
    }
    let mut auth = Authenticated::extract(request.request()).await?;
    let Some(key) = key_of(request.request())? else { return next.call(request).await };
    let bytes = take_body(&state, &mut request).await?;
    let promise = Promise {
        route: format!("POST {}", request.path().strip_prefix(BASE).unwrap_or_else(|| request.path())),
        key,
        fingerprint: fingerprint::of(request.request(), auth.context.actor.user_id, &bytes),
    };
    let earlier = state.api.gate.earlier(&auth.context, &promise).await.map_err(Problem::from)?;
    if let Some(answer) = earlier {
        return Ok(request.into_response(replay(&answer)));
    }
    let claimed = is_claimed(&request.match_pattern().unwrap_or_default());
    if claimed {
        state.api.gate.claim(&auth.context, &promise).await.map_err(Problem::from)?;
    }
    auth.context.promise = Some(promise);
    request.extensions_mut().insert(auth.clone());
    request.set_payload(actix_web::dev::Payload::from(bytes));
    let answer = next.call(request).await?;
    if !is_kept(&answer) {
        if claimed && let Some(promise) = &auth.context.promise {
            // Else it is free again after a while.
            let released = state.api.gate.release(&auth.context, promise).await;
            released.unwrap_or_else(|error| tracing::warn!(%error, "an idempotency key was not given back"));
        }
        return Ok(answer);
    }
    kept(&state, &auth, answer).await
}

async fn take_body(state: &State, request: &mut ServiceRequest) -> Result<Bytes, Problem> {
    let mut payload = request.take_payload();
    let payload = Payload::from_request(request.request(), &mut payload).await;
    let payload = payload.map_err(|error| Problem::internal(error.to_string()))?;
    body::read(request.request(), payload, &state.api.limits).await
}

/// An answer that was given before.
fn replay(answer: &StoredAnswer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    response.insert_header((CONTENT_TYPE, answer.content_type.as_str())).insert_header((REPLAYED, "true"));
    if let Some(location) = &answer.location {
        response.insert_header((LOCATION, location.as_str()));
    }
    if status == StatusCode::ACCEPTED {
        response.insert_header((actix_web::http::header::RETRY_AFTER, crate::reply::POLL_SECONDS));
    }
    response.body(answer.body.clone())
}

/// Whether asking again would be answered alike, whatever has happened in between.
fn is_final(status: StatusCode, problem: Option<&Problem>) -> bool {
    match problem {
        None => status.is_success(),
        Some(problem) => {
            !problem.row.retryable && !problem.row.is_about_keys() && matches!(status.as_u16(), 400 | 404 | 409 | 422)
        }
    }
}

/// Whether the answer is one that stands. What actix made of an error is none of ours.
fn is_kept(answer: &ServiceResponse) -> bool {
    let error = answer.response().error();
    let problem = error.and_then(|error| error.as_error::<Problem>());
    error.is_some() == problem.is_some() && is_final(answer.status(), problem)
}

/// Keeps the answer, and gives the one that stands.
async fn kept(state: &State, auth: &Authenticated, answer: ServiceResponse) -> Result<ServiceResponse, Error> {
    let Some(promise) = &auth.context.promise else { return Ok(answer) };
    let problem = answer.response().error().and_then(|error| error.as_error::<Problem>());
    let rendered = problem.and_then(|problem| {
        let occurrence = answer.request().extensions().get::<Occurrence>().cloned()?;
        Some(render(problem, &occurrence))
    });
    let (request, response) = answer.into_parts();
    let response = rendered.unwrap_or(response);
    let (head, body) = response.into_parts();
    let bytes = match body.try_into_bytes() {
        Ok(bytes) if bytes.len() <= BODY_MAX => bytes,
        Ok(bytes) => return Ok(ServiceResponse::new(request, head.set_body(BoxBody::new(bytes)))),
        // A stream; nothing that takes keys answers with one.
        Err(body) => return Ok(ServiceResponse::new(request, head.set_body(body))),
    };
    let (shown, has_secret) = secrets::removed(&bytes);
    let mine = StoredAnswer {
        status: head.status().as_u16(),
        content_type: header(head.headers(), CONTENT_TYPE.as_str()).unwrap_or("application/json").to_owned(),
        body: shown,
        location: header(head.headers(), LOCATION.as_str()).map(str::to_owned),
    };
    let stands = match state.api.gate.keep(&auth.context, promise, mine.clone()).await {
        Ok(stands) => stands,
        // What was done is done, and its client is told so; a repetition is answered from what was made.
        Err(error) => {
            tracing::warn!(%error, "an answer was not kept under its idempotency key");
            mine.clone()
        }
    };
    if has_secret || stands == mine {
        return Ok(ServiceResponse::new(request, head.set_body(BoxBody::new(bytes))));
    }
    Ok(ServiceResponse::new(request, replay(&stands)))
}

#[cfg(test)]
mod tests;
