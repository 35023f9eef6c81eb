//! The endpoints of stores, and what they share: the id in the path, the answer to an accepted request.

pub(crate) mod create;
pub(crate) mod credentials;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod retry;
mod store_body;
pub(crate) mod upgrade;

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use shopwright_domain::StoreId;
use shopwright_domain::store::StoreState;
use shopwright_ports::identity_api::Origin;
use shopwright_ports::stores_api::Accepted;
use utoipa::ToSchema;

use crate::form::Form;
use crate::openapi::doc::Doc;
use crate::openapi::examples;
use crate::problem::Problem;
use crate::reply;
use store_body::StoreBody;

/// The store that the path names.
pub(crate) fn id_of(request: &HttpRequest) -> Result<StoreId, Problem> {
    Form::path_id(request, "id", "a store id like store-1a2b3c4d")
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AcceptedBody {
    message: String,
    store: StoreBody,
}

/// The documentation of a route that a worker carries out.
pub(crate) fn accepted_doc(summary: &'static str, message: &str) -> Doc {
    Doc::answers::<AcceptedBody>(202, summary, examples::accepted(message))
        .header("Location", "The operation")
        .header("Retry-After", "When to look at it, in seconds")
}

/// 202 while something runs for the store; 200 when it is gone already.
pub(crate) fn accepted(origin: &Origin, message: &str, accepted: &Accepted) -> HttpResponse {
    let running = accepted.operation.as_ref().filter(|_| accepted.store.state != StoreState::Deleted);
    reply::accepted(origin, running, AcceptedBody { message: message.to_owned(), store: StoreBody::accepted(accepted) })
}
