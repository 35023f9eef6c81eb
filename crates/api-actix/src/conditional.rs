//! Single stores and operations have a strong `ETag`: a poll that finds nothing new costs no body.

use std::fmt::Write as _;

use actix_web::http::header::{ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use sha2::{Digest, Sha256};
use shopwright_ports::identity_api::Origin;

use crate::origin::header;
use crate::problem::Problem;
use crate::reply::ok;

/// The tag of what a client sees. The request id around it is not part of the representation.
fn tag(body: &impl Serialize) -> Result<String, Problem> {
    let bytes = serde_json::to_vec(body).map_err(|error| Problem::internal(error.to_string()))?;
    let mut tag = String::from("\"");
    for byte in &Sha256::digest(bytes)[..16] {
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    Ok(tag)
}

/// 200 with the body, or 304 when the client has it already.
pub(crate) fn conditional(
    request: &HttpRequest,
    origin: &Origin,
    body: impl Serialize,
) -> Result<HttpResponse, Problem> {
    let tag = tag(&body)?;
    let known = header(request.headers(), IF_NONE_MATCH.as_str()).is_some_and(|known| {
        known.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
    });
    if known {
        return Ok(HttpResponse::NotModified().insert_header((ETAG, tag)).finish());
    }
    let mut answer = ok(origin, body);
    if let Ok(value) = tag.parse() {
        answer.headers_mut().insert(ETAG, value);
    }
    Ok(answer)
}
