//! An answer that is no error: the request id and whatever the endpoint tells.

use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, RETRY_AFTER};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use shopwright_domain::operation::Operation;
use shopwright_ports::identity_api::Origin;

/// When to look at a running operation again.
pub(crate) const POLL_SECONDS: &str = "2";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reply<'a, T> {
    request_id: &'a str,
    #[serde(flatten)]
    body: T,
}

/// `body` under `status`.
pub(crate) fn reply(origin: &Origin, status: StatusCode, body: impl Serialize) -> HttpResponse {
    finish(&mut HttpResponse::build(status), origin, body)
}

pub(crate) fn ok(origin: &Origin, body: impl Serialize) -> HttpResponse {
    reply(origin, StatusCode::OK, body)
}

/// 202 with the way to the operation; 200 when nothing is left to do.
pub(crate) fn accepted(origin: &Origin, operation: Option<&Operation>, body: impl Serialize) -> HttpResponse {
    let Some(operation) = operation else { return ok(origin, body) };
    let mut answer = HttpResponse::Accepted();
    answer.insert_header((LOCATION, format!("/api/v1/operations/{}", operation.id)));
    answer.insert_header((RETRY_AFTER, POLL_SECONDS));
    finish(&mut answer, origin, body)
}

fn finish(answer: &mut HttpResponseBuilder, origin: &Origin, body: impl Serialize) -> HttpResponse {
    answer.json(Reply { request_id: origin.request_id.as_str(), body })
}
