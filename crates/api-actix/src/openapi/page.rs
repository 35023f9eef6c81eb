//! `/docs/`: a page that shows the document and tries requests. It is inside the program: no other host is asked for anything.

use std::sync::Arc;

use actix_web::http::header::ContentEncoding;
use actix_web::{HttpRequest, HttpResponse};
use utoipa_swagger_ui::{Config, SwaggerFile};

use super::doc::Doc;
use crate::problem::{NOT_FOUND, Problem};

/// Ours, for the base: the page is the same with and without a slash at the end of its path. No script stands in it: the policy of this
/// origin lets none run.
const INDEX: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Shopwright API</title>
<base href="/docs/">
<link rel="stylesheet" href="swagger-ui.css">
<link rel="icon" href="data:,">
</head>
<body>
<div id="swagger-ui"></div>
<script src="swagger-ui-bundle.js"></script>
<script src="swagger-initializer.js"></script>
</body>
</html>
"#;

/// Ours too: the page asks this origin for the document, and no other for a verdict on it.
const INITIALIZER: &str = r##"window.ui = SwaggerUIBundle({
  url: "/api/v1/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null, persistAuthorization: false,
});
"##;

pub(crate) fn index_doc() -> Doc {
    Doc::text(200, "text/html", "This document as a page", "<!DOCTYPE html>")
}

pub(crate) fn file_doc() -> Doc {
    Doc::text(200, "text/css", "A file of the page", "body {}").refuses(404, "The page has no such file")
}

/// `GET /docs/`.
pub(crate) async fn index() -> HttpResponse {
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(INDEX)
}

/// `GET /docs/{file}`.
pub(crate) async fn file(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let missing = || Problem::new(NOT_FOUND, "The page has no such file.");
    let name = request.match_info().get("file").unwrap_or_default();
    if name == "swagger-initializer.js" {
        return Ok(HttpResponse::Ok().content_type("text/javascript; charset=utf-8").body(INITIALIZER));
    }
    let file = utoipa_swagger_ui::serve(name, Arc::new(Config::from("/api/v1/openapi.json")));
    let SwaggerFile { bytes, content_type, gzpipped, .. } = file.ok().flatten().ok_or_else(missing)?;
    let mut answer = HttpResponse::Ok();
    if gzpipped {
        // Every browser takes it, and the page is for browsers.
        answer.insert_header(ContentEncoding::Gzip);
    }
    Ok(answer.content_type(content_type).body(bytes.into_owned()))
}
