//! `GET /`: what this is; for a browser, the dashboard.

use actix_web::http::header::{ACCEPT, VARY};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::State;
use crate::openapi::doc::Doc;

#[derive(Serialize, ToSchema)]
struct Endpoints {
    stores: &'static str,
    health: &'static str,
}

#[derive(Serialize, ToSchema)]
struct Body {
    name: &'static str,
    version: &'static str,
    docs: &'static str,
    openapi: &'static str,
    endpoints: Endpoints,
}

const BODY: Body = Body {
    name: "Shopwright",
    version: env!("CARGO_PKG_VERSION"),
    docs: "/docs/",
    openapi: "/api/v1/openapi.json",
    endpoints: Endpoints { stores: "/api/v1/stores", health: "/api/v1/health" },
};

pub(crate) fn doc() -> Doc {
    Doc::bare::<Body>(200, "What this is", json!(BODY))
}

pub(crate) async fn handle(state: Data<State>, request: HttpRequest) -> HttpResponse {
    if let Some(page) = state.api.dashboard.answer(&request) {
        return page;
    }
    HttpResponse::Ok().insert_header((VARY, ACCEPT.as_str())).json(BODY)
}
