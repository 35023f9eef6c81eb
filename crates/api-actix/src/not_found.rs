//! The answer to everything that is not in the table of routes: the dashboard's files and pages; else 404, also for a known path with
//! another method.

use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};

use crate::State;
use crate::auth::Authenticated;
use crate::deadline::within;
use crate::problem::{NOT_FOUND, Problem};

/// Under these nobody learns without a token what exists.
const PROTECTED: &[&str] = &["/api/v1/stores", "/api/v1/operations", "/api/v1/metrics"];

pub(crate) async fn not_found(state: Data<State>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    if let Some(page) = state.api.dashboard.answer(&request) {
        return Ok(page);
    }
    let path = request.match_info().as_str();
    let below = |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if PROTECTED.iter().any(|prefix| below(prefix)) {
        within(&state, Authenticated::extract(&request)).await??;
    }
    Err(Problem::new(NOT_FOUND, "There is nothing here for this method and path."))
}
