//! `GET /`: what this is.

use actix_web::HttpResponse;
use serde_json::json;

pub(crate) async fn handle() -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "name": "Shopwright",
        "version": env!("CARGO_PKG_VERSION"),
        "docs": "/api/v1/health",
        "endpoints": {"stores": "/api/v1/stores", "health": "/api/v1/health"},
    }))
}
