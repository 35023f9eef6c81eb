//! `DELETE /stores/{id}`: removes a store, from any state; deleting twice is one deletion.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use shopwright_domain::store::StoreState;

use super::{AcceptedBody, accepted, accepted_doc, expect, id_of};
use crate::State;
use crate::auth::Authenticated;
use crate::openapi::doc::Doc;
use crate::openapi::examples;
use crate::problem::Problem;

pub(crate) fn doc() -> Doc {
    accepted_doc("Removes a store and everything it holds", "The store is being deleted.").or::<AcceptedBody>(
        200,
        "It is deleted already",
        examples::accepted("The store is deleted already."),
    )
}

pub(crate) async fn handle(
    mut auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = id_of(&request)?;
    expect(&mut auth, &state, &request, &id).await?;
    let outcome = state.api.stores.delete(&auth.context, &id).await?;
    let message = match outcome.store.state {
        StoreState::Deleted => "The store is deleted already.",
        _ => "The store is being deleted.",
    };
    Ok(accepted(&auth.context.origin, message, &outcome))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use shopwright_domain::store::StoreState;
    use shopwright_ports::stores_api::{Accepted, StoreServiceError};

    use crate::testing::{Bench, OPERATION, OWNER, STORE, STRANGER, operation, ready_store};

    fn delete() -> TestRequest {
        TestRequest::delete().uri(&format!("/api/v1/stores/{STORE}"))
    }

    fn store_in(state: StoreState) -> shopwright_domain::store::Store {
        let mut store = ready_store();
        store.state = state;
        store
    }

    #[actix_web::test]
    async fn a_deletion_is_accepted_with_its_operation() {
        let mut bench = Bench::new();
        bench.stores.expect_delete().once().returning(|_, _| {
            Ok(Accepted { store: store_in(StoreState::Deleting), operation: Some(operation()), is_owner: true })
        });

        let answer = bench.send(OWNER.asks(delete())).await;

        assert_eq!(answer.status, 202);
        assert_eq!(answer.body["store"]["status"], "deleting");
        assert_eq!(answer.body["store"]["operation"]["id"], OPERATION);
        assert_eq!(answer.header("location"), format!("/api/v1/operations/{OPERATION}"));
        assert_eq!(answer.header("retry-after"), "2");
    }

    #[actix_web::test]
    async fn deleting_what_is_deleted_is_200() {
        let mut bench = Bench::new();
        bench
            .stores
            .expect_delete()
            .returning(|_, _| Ok(Accepted { store: store_in(StoreState::Deleted), operation: None, is_owner: true }));

        let answer = bench.send(OWNER.asks(delete())).await;

        assert_eq!(answer.status, 200);
        assert_eq!(answer.body["store"]["operation"], serde_json::Value::Null);
        assert_eq!(answer.header("location"), "");
    }

    #[actix_web::test]
    async fn a_stranger_deletes_nothing() {
        let mut bench = Bench::new();
        bench.stores.expect_delete().returning(|_, _| Err(StoreServiceError::Forbidden));

        assert_eq!(bench.send(STRANGER.asks(delete())).await.status, 403);
    }

    #[actix_web::test]
    async fn what_was_changed_since_it_was_seen_is_not_deleted() {
        let mut bench = Bench::new();
        bench.stores.expect_get().returning(|_, _| Ok(crate::testing::view(true)));
        bench.stores.expect_delete().times(1).returning(|context, _| {
            assert_eq!(context.expected, Some(ready_store().row_version));
            Ok(Accepted { store: store_in(StoreState::Deleting), operation: Some(operation()), is_owner: true })
        });
        let app = bench.app().await;
        let seen = app.send(OWNER.asks(TestRequest::get().uri(&format!("/api/v1/stores/{STORE}")))).await;
        let tag = seen.header("etag").to_owned();

        let stale = app.send(OWNER.asks(delete()).insert_header(("if-match", "\"0\""))).await;
        let current = app.send(OWNER.asks(delete()).insert_header(("if-match", tag.as_str()))).await;

        assert_eq!((stale.status, stale.code()), (412, "PRECONDITION_FAILED"));
        assert_eq!(current.status, 202);
    }

    #[actix_web::test]
    async fn what_is_changed_in_between_is_412_too() {
        let mut bench = Bench::new();
        bench.stores.expect_delete().returning(|_, _| Err(StoreServiceError::Changed));

        let answer = bench.send(OWNER.asks(delete())).await;

        assert_eq!((answer.status, answer.code()), (412, "PRECONDITION_FAILED"));
    }
}
