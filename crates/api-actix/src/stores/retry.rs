//! `POST /stores/{id}/retry`: repeats the operation that failed, from the step at which it failed.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::{accepted, accepted_doc, expect, id_of};
use crate::State;
use crate::auth::Authenticated;
use crate::openapi::doc::Doc;
use crate::problem::Problem;

pub(crate) fn doc() -> Doc {
    accepted_doc("Goes on with a failed store, at the step at which it failed", "The store is tried again.")
        .refuses(409, "It is not `failed`, or was retried as often as it may be")
        .refuses(429, "As many stores as the organisation may hold")
}

pub(crate) async fn handle(
    mut auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = id_of(&request)?;
    expect(&mut auth, &state, &request, &id).await?;
    let outcome = state.api.stores.retry(&auth.context, &id).await?;
    Ok(accepted(&auth.context.origin, "The store is tried again.", &outcome))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use shopwright_domain::store::StoreState;
    use shopwright_ports::stores_api::{Accepted, StoreServiceError};

    use crate::testing::{Bench, OPERATION, OWNER, STORE, operation, ready_store};

    fn retry() -> TestRequest {
        TestRequest::post().uri(&format!("/api/v1/stores/{STORE}/retry"))
    }

    #[actix_web::test]
    async fn a_retry_is_accepted_with_its_operation() {
        let mut bench = Bench::new();
        bench
            .stores
            .expect_retry()
            .once()
            .returning(|_, _| Ok(Accepted { store: ready_store(), operation: Some(operation()), is_owner: true }));

        let answer = bench.send(OWNER.asks(retry())).await;

        assert_eq!(answer.status, 202);
        assert_eq!(answer.header("location"), format!("/api/v1/operations/{OPERATION}"));
    }

    #[actix_web::test]
    async fn only_a_failed_store_can_be_retried_and_not_for_ever() {
        for (error, message) in [
            (StoreServiceError::NotRetryable { state: StoreState::Ready }, "A store that is ready cannot be retried"),
            (
                StoreServiceError::RetriesUsedUp { limit: 3 },
                "The store was retried 3 times: look at its logs, or delete it",
            ),
        ] {
            let mut bench = Bench::new();
            bench.stores.expect_retry().return_once(|_, _| Err(error));

            let answer = bench.send(OWNER.asks(retry())).await;

            assert_eq!((answer.status, answer.code()), (409, "CONFLICT"));
            assert_eq!(answer.body["error"]["message"], message);
        }
    }
}
