//! `GET /stores/{id}`: one store, deleted ones too; for its owner with its credentials.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::id_of;
use super::store_body::StoreBody;
use crate::State;
use crate::auth::Authenticated;
use crate::conditional::conditional;
use crate::openapi::doc::Doc;
use crate::openapi::examples;
use crate::problem::Problem;
use serde_json::json;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(super) struct Body {
    pub(super) store: StoreBody,
}

pub(crate) fn doc() -> Doc {
    let example = json!({"store": examples::ready_store()});
    Doc::answers::<Body>(200, "One store, deleted ones too; for its owner with its credentials", example)
        .header("ETag", "For If-None-Match")
        .or_nothing(304, "Nothing has changed since the answer with this ETag")
        .refuses(404, "No such store; told to administrators alone")
}

pub(crate) async fn handle(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let view = state.api.stores.get(&auth.context, &id_of(&request)?).await?;
    conditional(&request, &auth.context.origin, Body { store: StoreBody::detail(&view) })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use shopwright_ports::stores_api::StoreServiceError;

    use crate::testing::{ADMIN, Bench, OWNER, STORE, STRANGER, view};

    fn get() -> TestRequest {
        TestRequest::get().uri(&format!("/api/v1/stores/{STORE}"))
    }

    #[actix_web::test]
    async fn the_owner_sees_the_store_and_nobody_may_keep_the_answer() {
        let mut bench = Bench::new();
        bench.stores.expect_get().once().withf(|_, id| id.as_str() == STORE).returning(|_, _| Ok(view(true)));

        let answer = bench.send(OWNER.asks(get())).await;

        assert_eq!(answer.status, 200);
        assert_eq!(answer.body["store"]["adminCredentials"]["password"], "KGXv-secret");
        assert_eq!(answer.header("cache-control"), "no-store");
    }

    #[actix_web::test]
    async fn a_stranger_is_forbidden_whether_the_store_exists_or_not() {
        let mut bench = Bench::new();
        bench.stores.expect_get().returning(|_, _| Err(StoreServiceError::Forbidden));

        let answer = bench.send(STRANGER.asks(get())).await;

        assert_eq!((answer.status, answer.code()), (403, "FORBIDDEN"));
    }

    #[actix_web::test]
    async fn an_administrator_learns_that_there_is_no_such_store() {
        let mut bench = Bench::new();
        bench.stores.expect_get().returning(|_, _| Err(StoreServiceError::NotFound("store")));

        let answer = bench.send(ADMIN.asks(get())).await;

        assert_eq!((answer.status, answer.code()), (404, "STORE_NOT_FOUND"));
    }

    #[actix_web::test]
    async fn what_is_no_store_id_is_400() {
        for id in ["store-ABCDEF01", "teashop", "store-1", "..%2f", "%00", "store-%F0%9F%98%80"] {
            let answer = Bench::new().send(OWNER.asks(TestRequest::get().uri(&format!("/api/v1/stores/{id}")))).await;

            assert_eq!((answer.status, answer.code()), (400, "VALIDATION_ERROR"), "{id}");
        }
    }

    #[actix_web::test]
    async fn a_poll_that_finds_nothing_new_has_no_body() {
        let mut bench = Bench::new();
        bench.stores.expect_get().returning(|_, _| Ok(view(true)));
        let app = bench.app().await;
        let first = app.send(OWNER.asks(get())).await;
        let tag = first.header("etag").to_owned();

        let again = app.send(OWNER.asks(get()).insert_header(("if-none-match", tag.as_str()))).await;
        let other = app.send(OWNER.asks(get()).insert_header(("if-none-match", "\"0\""))).await;

        assert_eq!((again.status, again.text.as_str()), (304, ""));
        assert_eq!(again.header("etag"), tag);
        assert_eq!(other.status, 200);
    }
}
