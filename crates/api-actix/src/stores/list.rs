//! `GET /stores`: a page of stores without credentials, by offset as in v1 or by page token.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use shopwright_domain::UserId;
use shopwright_domain::engine::EngineCatalogue;
use shopwright_domain::identity::Actor;
use shopwright_domain::store::StoreState;
use shopwright_ports::storage::{Page, StoreFilter, StorePlace, StoreSort};

use super::store_body::StoreBody;
use crate::State;
use crate::auth::Authenticated;
use crate::form::{Form, Rule};
use crate::openapi::doc::Doc;
use crate::openapi::examples;
use crate::openapi::fields::{one_of, optional, page, page_token, text_of};
use crate::page_token::List;
use crate::problem::Problem;
use crate::query::read_time;
use crate::{engines, query, reply};
use serde_json::json;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Body {
    stores: Vec<StoreBody>,
    total: u64,
    limit: u32,
    offset: u32,
    #[schema(required)]
    next_page_token: Option<String>,
}

/// What decides which stores are in the list, and in which order.
const FILTERS: [&str; 5] = ["status", "engine", "ownerId", "search", "sort"];

fn question(
    mut form: Form,
    actor: &Actor,
    list: &List,
    catalogue: &EngineCatalogue,
) -> Result<(StoreFilter, Page), Problem> {
    let state = form.choice("status");
    let engine = engines::field(&mut form, catalogue).map(|engine| engine.name().clone());
    let owner_id = owner(&mut form, actor);
    let search = search(&mut form);
    let sort = form.choice::<StoreSort>("sort").unwrap_or_default();
    let after = list.after(&mut form, |place| read_place(sort, place));
    let page = form.page(50, 100);
    form.finish(page.map(|page| (StoreFilter { tenant_id: None, owner_id, state, engine, search, sort, after }, page)))
}

/// A part of a name. Names are in lower case, and no longer.
fn search(form: &mut Form) -> Option<String> {
    let text = form.optional("search")?;
    if text.chars().count() > 63 {
        form.refuse("search", Rule::limit("string.max", 63), "search must have at most 63 characters");
        return None;
    }
    Some(text.to_lowercase())
}

fn read_place(sort: StoreSort, place: &str) -> Option<StorePlace> {
    let (key, id) = place.split_once('.')?;
    let id = id.parse().ok()?;
    match sort {
        StoreSort::Newest | StoreSort::Oldest => Some(StorePlace::Time(read_time(key)?, id)),
        StoreSort::Name | StoreSort::NameBackwards => Some(StorePlace::Name(key.parse().ok()?, id)),
    }
}

fn write_place(place: &StorePlace) -> String {
    match place {
        StorePlace::Time(at, id) => format!("{}.{id}", at.as_microsecond()),
        StorePlace::Name(name, id) => format!("{name}.{id}"),
    }
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
        optional("search", text_of(1, 63), "With this in their name"),
        optional("sort", one_of(StoreSort::ALL.map(StoreSort::as_str)), "In this order; the newest first otherwise"),
        page_token(),
    ];
    let example = json!({"stores": [examples::store()], "total": 1, "limit": 50, "offset": 0, "nextPageToken": null});
    Doc::answers::<Body>(200, "A page of stores without credentials", example).query(fields).query(page(50, 100))
}

pub(crate) async fn handle(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (form, actor) = (query::form(&request), &auth.context.actor);
    let list = List::of("stores", actor, &form, &FILTERS);
    let (filter, page) = question(form, actor, &list, &state.api.engines)?;
    let found = state.api.stores.list(&auth.context, filter, page).await?;
    let stores = found.stores.iter().map(StoreBody::listed).collect();
    let next_page_token = found.next.as_ref().map(|place| list.token(&write_place(place)));
    let body = Body { stores, total: found.total, limit: page.limit, offset: page.offset, next_page_token };
    Ok(reply::ok(&auth.context.origin, body))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use shopwright_domain::store::StoreState;
    use shopwright_ports::storage::{Page, StoreFilter, StorePlace};
    use shopwright_ports::stores_api::StorePage;
    use shopwright_ports::testing::engines;

    use crate::testing::{ADMIN, Actor, Answer, Bench, OWNER, STORE, view};

    /// The answer to `query`, and what the service was asked.
    async fn list(actor: Actor, query: &str, expected: Option<(StoreFilter, Page)>) -> Answer {
        let mut bench = Bench::new();
        if let Some((filter, page)) = expected {
            bench
                .stores
                .expect_list()
                .once()
                .withf(move |_, asked, paged| *asked == filter && *paged == page)
                .returning(|_, _, _| Ok(StorePage { stores: vec![view(true)], total: 7, next: None }));
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
    async fn the_next_page_begins_where_this_one_ended() {
        for (query, place) in [
            ("sort=name&search=Tea", StorePlace::Name("teashop".parse().unwrap(), STORE.parse().unwrap())),
            ("search=Tea", StorePlace::Time(view(true).store.created_at, STORE.parse().unwrap())),
        ] {
            let mut bench = Bench::new();
            let (given, wanted) = (place.clone(), place.clone());
            bench.stores.expect_list().once().withf(|_, filter, _| filter.after.is_none()).returning(move |_, _, _| {
                Ok(StorePage { stores: vec![view(true)], total: 2, next: Some(given.clone()) })
            });
            let is_next = move |filter: &StoreFilter| {
                filter.after.as_ref() == Some(&wanted) && filter.search.as_deref() == Some("tea")
            };
            bench
                .stores
                .expect_list()
                .once()
                .withf(move |_, filter, _| is_next(filter))
                .returning(|_, _, _| Ok(StorePage { stores: vec![view(true)], total: 2, next: None }));
            let app = bench.app().await;
            let get = |more: &str| OWNER.asks(TestRequest::get().uri(&format!("/api/v1/stores?{query}{more}")));

            let first = app.send(get("")).await;
            let token = first.body["nextPageToken"].as_str().unwrap_or_default().to_owned();
            let second = app.send(get(&format!("&limit=7&pageToken={token}"))).await;

            assert_eq!(
                (second.status, &second.body["nextPageToken"]),
                (200, &serde_json::Value::Null),
                "{}",
                second.text
            );
            let with_offset = app.send(get(&format!("&offset=1&pageToken={token}"))).await;
            assert_eq!(with_offset.kinds(), [("offset".into(), "object.oxor".into())]);
            let elsewhere = OWNER.asks(TestRequest::get().uri(&format!("/api/v1/stores?pageToken={token}")));
            let refused = app.send(elsewhere).await;
            assert_eq!((refused.status, refused.kinds()), (400, vec![("pageToken".into(), "any.invalid".into())]));
        }
    }

    #[actix_web::test]
    async fn a_wrong_filter_is_400() {
        for (query, kind) in [
            ("?status=", "any.only"),
            ("?status=gone", "any.only"),
            ("?engine=magento", "any.only"),
            ("?status=ready&status=failed", "string.base"),
            ("?limit=0", "number.min"),
            ("?sort=size", "any.only"),
            ("?search=", "string.empty"),
            ("?pageToken=AXl5", "any.invalid"),
        ] {
            let answer = list(OWNER, query, None).await;

            assert_eq!(answer.status, 400, "{query}");
            assert_eq!(answer.kinds()[0].1, kind, "{query}");
        }
    }
}
