//! The endpoints of stores, and what they share: the id in the path, the answer to an accepted request.

pub(crate) mod availability;
pub(crate) mod create;
pub(crate) mod credentials;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod resources;
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

use crate::auth::Authenticated;
use crate::form::Form;
use crate::openapi::doc::Doc;
use crate::openapi::examples;
use crate::problem::Problem;
use crate::{State, conditional, reply};
use store_body::StoreBody;

/// The store that the path names.
pub(crate) fn id_of(request: &HttpRequest) -> Result<StoreId, Problem> {
    Form::path_id(request, "id", "a store id like store-1a2b3c4d")
}

/// Holds the request to its `If-Match`: the store must look as it did, and what is written must still find that version.
async fn expect(auth: &mut Authenticated, state: &State, request: &HttpRequest, id: &StoreId) -> Result<(), Problem> {
    if conditional::has_condition(request) {
        let view = state.api.stores.get(&auth.context, id).await?;
        conditional::check(request, &get::Body { store: StoreBody::detail(&view) })?;
        auth.context.expected = Some(view.store.row_version);
    }
    Ok(())
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
