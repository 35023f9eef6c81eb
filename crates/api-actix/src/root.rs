//! `GET /`: what this is; for a browser, the dashboard.

use actix_web::http::header::{ACCEPT, VARY};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use crate::State;

pub(crate) async fn handle(state: Data<State>, request: HttpRequest) -> HttpResponse {
    if let Some(page) = state.api.dashboard.answer(&request) {
        return page;
    }
    HttpResponse::Ok().insert_header((VARY, ACCEPT.as_str())).json(json!({
        "name": "Shopwright",
        "version": env!("CARGO_PKG_VERSION"),
        "docs": "/api/v1/health",
        "endpoints": {"stores": "/api/v1/stores", "health": "/api/v1/health"},
    }))
}
