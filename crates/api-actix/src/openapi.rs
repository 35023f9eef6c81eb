//! The OpenAPI 3.1 document: put together from the table of routes, so that it can neither miss a route nor invent one.
//!
//! Schemas of answers are derived from the types that are sent. `docs/openapi.json` is this document; a test fails when they differ, and
//! the answers of this crate's HTTP tests are checked against it.

#[cfg(test)]
pub(crate) mod check;
pub(crate) mod doc;
mod document;
pub(crate) mod examples;
pub(crate) mod fields;
pub(crate) mod page;
mod problems;
mod schemas;
pub(crate) mod words;

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use serde_json::json;

use doc::Doc;

static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    // The text of a JSON value cannot fail to be written.
    serde_json::to_string_pretty(&document::document()).unwrap_or_default() + "\n"
});

/// The document, as `docs/openapi.json` holds it.
pub fn openapi() -> &'static str {
    &DOCUMENT
}

pub(crate) fn doc() -> Doc {
    Doc::bare::<words::Document>(200, "This document", json!({"openapi": "3.1.0"}))
}

/// `GET /openapi.json`.
pub(crate) async fn handle() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(openapi())
}

#[cfg(test)]
mod tests;
