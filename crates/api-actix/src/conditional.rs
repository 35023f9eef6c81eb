//! Conditional requests. Single stores and operations have a strong `ETag`: a poll that finds nothing new costs no body, and a write with
//! `If-Match` happens only to what its sender has seen. Every other answer to a GET has a weak one.

use std::fmt::Write as _;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{CONTENT_TYPE, ETAG, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use sha2::{Digest, Sha256};
use shopwright_ports::identity_api::Origin;

use crate::origin::header;
use crate::problem::{PRECONDITION_FAILED, Problem};
use crate::reply::ok;

fn hash(bytes: &[u8]) -> String {
    let mut tag = String::from("\"");
    for byte in &Sha256::digest(bytes)[..16] {
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

/// The tag of what a client sees. The request id around it is not part of the representation.
fn tag(body: &impl Serialize) -> Result<String, Problem> {
    let bytes = serde_json::to_vec(body).map_err(|error| Problem::internal(error.to_string()))?;
    Ok(hash(&bytes))
}

/// Whether the list of a header names the tag, or anything. Weakly: `W/` does not count.
fn names(request: &HttpRequest, name: &str, tag: &str) -> bool {
    header(request.headers(), name).is_some_and(|known| {
        known
            .split(',')
            .map(str::trim)
            .any(|one| one == "*" || one.trim_start_matches("W/") == tag.trim_start_matches("W/"))
    })
}

/// 200 with the body, or 304 when the client has it already.
pub(crate) fn conditional(
    request: &HttpRequest,
    origin: &Origin,
    body: impl Serialize,
) -> Result<HttpResponse, Problem> {
    let tag = tag(&body)?;
    if names(request, IF_NONE_MATCH.as_str(), &tag) {
        return Ok(HttpResponse::NotModified().insert_header((ETAG, tag)).finish());
    }
    let mut answer = ok(origin, body);
    if let Ok(value) = tag.parse() {
        answer.headers_mut().insert(ETAG, value);
    }
    Ok(answer)
}

/// Whether a write depends on what its sender has seen.
pub(crate) fn has_condition(request: &HttpRequest) -> bool {
    request.headers().contains_key(IF_MATCH) || request.headers().contains_key(IF_NONE_MATCH)
}

/// Refuses a write unless what is written to looks as its sender has seen it (RFC 9110, 13.1.1: compared strongly).
pub(crate) fn check(request: &HttpRequest, now: &impl Serialize) -> Result<(), Problem> {
    let tag = tag(now)?;
    // A value that cannot be read names nothing.
    let is_seen = || {
        header(request.headers(), IF_MATCH.as_str())
            .is_some_and(|seen| seen.split(',').map(str::trim).any(|one| one == "*" || one == tag))
    };
    let matches = !request.headers().contains_key(IF_MATCH) || is_seen();
    if matches && !names(request, IF_NONE_MATCH.as_str(), &tag) {
        return Ok(());
    }
    Err(Problem::new(PRECONDITION_FAILED, "It is not what you have seen: it was changed since."))
}

/// The answer with a weak tag, or 304. Nothing happens to one that has a tag, or that is no JSON, or that is no answer to a GET.
pub(crate) fn weakly(answer: ServiceResponse, request_id: &str) -> ServiceResponse {
    let reads = matches!(*answer.request().method(), Method::GET | Method::HEAD);
    let json = header(answer.headers(), CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with("application/json"));
    if !reads || !json || answer.status() != StatusCode::OK || answer.headers().contains_key(ETAG) {
        return answer;
    }
    let (request, response) = answer.into_parts();
    let (mut head, body) = response.into_parts();
    let bytes = match body.try_into_bytes() {
        Ok(bytes) => bytes,
        Err(body) => return ServiceResponse::new(request, head.set_body(body)),
    };
    // The id of the request comes first in every body, and is not part of what is represented.
    let start = format!("{{\"requestId\":\"{request_id}\"");
    let tag = format!("W/{}", hash(bytes.strip_prefix(start.as_bytes()).unwrap_or(&bytes)));
    if names(&request, IF_NONE_MATCH.as_str(), &tag) {
        return ServiceResponse::new(request, HttpResponse::NotModified().insert_header((ETAG, tag)).finish());
    }
    if let Ok(value) = HeaderValue::from_str(&tag) {
        head.headers_mut().insert(ETAG, value);
    }
    ServiceResponse::new(request, head.set_body(BoxBody::new(bytes)))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_write_needs_the_very_tag() {
        let now = json!({"id": 1});
        let tag = tag(&now).unwrap();
        let allowed = |name: &str, value: &str| {
            let request = TestRequest::delete().insert_header((name, value)).to_http_request();
            check(&request, &now).is_ok()
        };

        assert!(allowed("if-match", &tag) && allowed("if-match", "*") && allowed("if-match", &format!("\"0\", {tag}")));
        assert!(!allowed("if-match", "\"0\"") && !allowed("if-match", &format!("W/{tag}")) && !allowed("if-match", ""));
        assert!(!allowed("if-none-match", &tag) && !allowed("if-none-match", "*") && allowed("if-none-match", "\"0\""));
    }
}
