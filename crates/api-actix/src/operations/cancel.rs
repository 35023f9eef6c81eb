//! `POST /operations/{id}/cancel`: stops a provision and takes back what it has made; cancelling twice is one cancellation.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use shopwright_domain::operation::OperationKind;
use shopwright_ports::stores_api::Accepted;

use super::{Body, OperationBody, id_of};
use crate::auth::Authenticated;
use crate::openapi::doc::Doc;
use crate::openapi::examples;
use crate::problem::Problem;
use crate::stores::{AcceptedBody, accepted, accepted_doc};
use crate::{State, conditional};

pub(crate) fn doc() -> Doc {
    let message = "The provision is cancelled; what it had made is being removed.";
    accepted_doc("Stops a provision and takes back what it has made", message)
        .or::<AcceptedBody>(
            200,
            "It is cancelled and taken back already",
            examples::accepted("The provision is cancelled already."),
        )
        .refuses(404, "No such operation; told to administrators alone")
        .refuses(409, "Only a provision that is not finished can be cancelled")
}

pub(crate) async fn handle(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = id_of(&request)?;
    if conditional::has_condition(&request) {
        let view = state.api.stores.operation(&auth.context, id).await?;
        conditional::check(&request, &Body { operation: OperationBody::detail(&view) })?;
    }
    let mut outcome = state.api.stores.cancel(&auth.context, id).await?;
    let message = message(&outcome);
    // What has ended is not worth following.
    outcome.operation = outcome.operation.filter(|operation| !operation.status.is_finished());
    Ok(accepted(&auth.context.origin, message, &outcome))
}

fn message(outcome: &Accepted) -> &'static str {
    match &outcome.operation {
        Some(operation) if operation.kind == OperationKind::Unwind && !operation.status.is_finished() => {
            "The provision is cancelled; what it had made is being removed."
        }
        Some(_) | None => "The provision is cancelled already.",
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use shopwright_domain::operation::OperationStatus;
    use shopwright_domain::store::StoreState;
    use shopwright_ports::stores_api::StoreServiceError;

    use super::*;
    use crate::testing::{ADMIN, Bench, OPERATION, OWNER, STRANGER, operation, ready_store};

    fn cancel() -> TestRequest {
        TestRequest::post().uri(&format!("/api/v1/operations/{OPERATION}/cancel"))
    }

    fn cancelled(unwind: OperationStatus) -> Accepted {
        let (mut store, mut operation) = (ready_store(), operation());
        store.state = StoreState::Failed;
        operation.kind = OperationKind::Unwind;
        operation.status = unwind;
        Accepted { store, operation: Some(operation), is_owner: true }
    }

    #[actix_web::test]
    async fn a_cancellation_is_accepted_with_the_operation_that_takes_back() {
        let mut bench = Bench::new();
        let asked = bench.stores.expect_cancel().once().withf(|_, id| id.to_string() == OPERATION);
        asked.returning(|_, _| Ok(cancelled(OperationStatus::Queued)));

        let answer = bench.send(OWNER.asks(cancel())).await;

        assert_eq!(answer.status, 202);
        assert_eq!(answer.body["store"]["status"], "failed");
        assert_eq!(answer.body["store"]["operation"]["kind"], "unwind");
        assert_eq!(answer.header("location"), format!("/api/v1/operations/{OPERATION}"));
    }

    #[actix_web::test]
    async fn what_is_cancelled_and_taken_back_is_200() {
        let mut bench = Bench::new();
        bench.stores.expect_cancel().returning(|_, _| Ok(cancelled(OperationStatus::Succeeded)));

        let answer = bench.send(OWNER.asks(cancel())).await;

        assert_eq!((answer.status, answer.header("location")), (200, ""));
    }

    #[actix_web::test]
    async fn only_a_provision_that_is_not_finished_can_be_cancelled() {
        let mut bench = Bench::new();
        let refusal =
            || StoreServiceError::NotCancellable { kind: OperationKind::Delete, status: OperationStatus::Running };
        bench.stores.expect_cancel().returning(move |_, _| Err(refusal()));

        let answer = bench.send(OWNER.asks(cancel())).await;

        assert_eq!((answer.status, answer.code()), (409, "CONFLICT"));
        assert_eq!(answer.body["error"]["message"], "A delete that is running cannot be cancelled");
        assert!(answer.body["error"]["suggestion"].as_str().is_some_and(|hint| hint.contains("delete the store")));
    }

    #[actix_web::test]
    async fn a_stranger_is_forbidden_and_an_administrator_learns_that_there_is_none() {
        for (who, error, status) in
            [(STRANGER, StoreServiceError::Forbidden, 403), (ADMIN, StoreServiceError::NotFound("operation"), 404)]
        {
            let mut bench = Bench::new();
            bench.stores.expect_cancel().return_once(|_, _| Err(error));

            assert_eq!(bench.send(who.asks(cancel())).await.status, status);
        }
    }
}
