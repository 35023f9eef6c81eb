//! `GET /stores`: a page of stores, newest first, without credentials.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use shopwright_domain::UserId;
use shopwright_domain::engine::EngineCatalogue;
use shopwright_domain::identity::Actor;
use shopwright_domain::store::StoreState;
use shopwright_ports::storage::{Page, StoreFilter};

use super::store_body::StoreBody;
use crate::State;
use crate::auth::Authenticated;
use crate::form::{Form, Rule};
use crate::openapi::doc::Doc;
use crate::openapi::examples;
use crate::openapi::fields::{one_of, optional, page, text_of};
use crate::problem::Problem;
use crate::{engines, query, reply};
use serde_json::json;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
struct Body {
    stores: Vec<StoreBody>,
    total: u64,
    limit: u32,
    offset: u32,
}

fn question(mut form: Form, actor: &Actor, catalogue: &EngineCatalogue) -> Result<(StoreFilter, Page), Problem> {
    let state = form.choice("status");
    let engine = engines::field(&mut form, catalogue).map(|engine| engine.name().clone());
    let owner_id = owner(&mut form, actor);
    let page = form.page(50, 100);
    form.finish(page.map(|page| (StoreFilter { tenant_id: None, owner_id, state, engine }, page)))
}

/// Whose stores: a question for administrators. Tenants see their own whatever they ask, as in v1.
fn owner(form: &mut Form, actor: &Actor) -> Option<UserId> {
    let text = form.optional("ownerId")?;
    if text.chars().count() > 128 {
        form.refuse("ownerId", Rule::limit("string.max", 128), "ownerId must have at most 128 characters");
        return None;
    }
    if !actor.is_admin() {
        return None;
    }
    let owner = text.parse().ok();
    if owner.is_none() {
        form.refuse("ownerId", Rule::new("string.pattern.base"), "ownerId must be a user id: a UUID");
    }
    owner
}

pub(crate) fn doc() -> Doc {
    let fields = [
        optional(
            "status",
            one_of(StoreState::ALL.map(StoreState::as_str)),
            "Only these; without it all but deleted ones",
        ),
        optional("engine", text_of(1, 32), "Only these"),
        optional("ownerId", text_of(0, 128), "Whose; for administrators, ignored otherwise"),
    ];
    let example = json!({"stores": [examples::store()], "total": 1, "limit": 50, "offset": 0});
    Doc::answers::<Body>(200, "Stores, newest first, without credentials", example).query(fields).query(page(50, 100))
}

pub(crate) async fn handle(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (filter, page) = question(query::form(&request), &auth.context.actor, &state.api.engines)?;
    let found = state.api.stores.list(&auth.context, filter, page).await?;
    let stores = found.stores.iter().map(StoreBody::listed).collect();
    let body = Body { stores, total: found.total, limit: page.limit, offset: page.offset };
    Ok(reply::ok(&auth.context.origin, body))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use shopwright_domain::store::StoreState;
    use shopwright_ports::storage::{Page, StoreFilter};
    use shopwright_ports::stores_api::StorePage;
    use shopwright_ports::testing::engines;

    use crate::testing::{ADMIN, Actor, Answer, Bench, OWNER, view};

    /// The answer to `query`, and what the service was asked.
    async fn list(actor: Actor, query: &str, expected: Option<(StoreFilter, Page)>) -> Answer {
        let mut bench = Bench::new();
        if let Some((filter, page)) = expected {
            bench
                .stores
                .expect_list()
                .once()
                .withf(move |_, asked, paged| *asked == filter && *paged == page)
                .returning(|_, _, _| Ok(StorePage { stores: vec![view(true)], total: 7 }));
        }
        bench.send(actor.asks(TestRequest::get().uri(&format!("/api/v1/stores{query}")))).await
    }

    #[actix_web::test]
    async fn a_page_of_stores_has_its_place_in_the_whole() {
        let answer = list(OWNER, "", Some((StoreFilter::default(), Page { limit: 50, offset: 0 }))).await;

        assert_eq!(answer.status, 200);
        assert_eq!(
            (&answer.body["total"], &answer.body["limit"], &answer.body["offset"]),
            (&7.into(), &50.into(), &0.into())
        );
        assert_eq!(answer.body["stores"][0]["name"], "teashop");
        assert!(!answer.text.contains("KGXv-secret"), "{}", answer.text);
    }

    #[actix_web::test]
    async fn status_and_engine_narrow_the_list_and_unknown_keys_do_not() {
        let filter =
            StoreFilter { state: Some(StoreState::Deleted), engine: Some(engines::medusa()), ..StoreFilter::default() };

        let query = "?status=deleted&engine=medusa&limit=5&offset=10&color=red";
        let answer = list(OWNER, query, Some((filter, Page { limit: 5, offset: 10 }))).await;

        assert_eq!(answer.status, 200);
    }

    #[actix_web::test]
    async fn only_an_administrator_may_ask_for_an_owner() {
        let owner = "00000000-0000-4000-8000-00000000000a";
        let filter = StoreFilter { owner_id: owner.parse().ok(), ..StoreFilter::default() };
        let page = Page { limit: 50, offset: 0 };

        assert_eq!(list(ADMIN, &format!("?ownerId={owner}"), Some((filter, page))).await.status, 200);
        assert_eq!(list(OWNER, "?ownerId=anything", Some((StoreFilter::default(), page))).await.status, 200);
        assert_eq!(list(ADMIN, "?ownerId=anything", None).await.kinds()[0].1, "string.pattern.base");
        assert_eq!(list(OWNER, &format!("?ownerId={}", "x".repeat(129)), None).await.kinds()[0].1, "string.max");
    }

    #[actix_web::test]
    async fn a_wrong_filter_is_400() {
        for (query, kind) in [
            ("?status=", "any.only"),
            ("?status=gone", "any.only"),
            ("?engine=magento", "any.only"),
            ("?status=ready&status=failed", "string.base"),
            ("?limit=0", "number.min"),
        ] {
            let answer = list(OWNER, query, None).await;

            assert_eq!(answer.status, 400, "{query}");
            assert_eq!(answer.kinds()[0].1, kind, "{query}");
        }
    }
}
