//! `GET /operations`: what runs and ran, newest first.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::json;
use shopwright_domain::OperationId;
use shopwright_domain::operation::{OperationKind, OperationStatus};
use shopwright_ports::storage::OperationFilter;
use utoipa::ToSchema;

use super::OperationBody;
use crate::State;
use crate::auth::Authenticated;
use crate::form::{Form, Rule};
use crate::openapi::doc::Doc;
use crate::openapi::examples;
use crate::openapi::fields::{number, one_of, optional, page_token, text};
use crate::page_token::List;
use crate::problem::Problem;
use crate::query::read_time;
use crate::{query, reply};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Body {
    operations: Vec<OperationBody>,
    #[schema(required)]
    next_page_token: Option<String>,
}

pub(crate) fn doc() -> Doc {
    let fields = [
        optional("status", one_of(OperationStatus::ALL.map(OperationStatus::as_str)), "Only these"),
        optional("kind", one_of(OperationKind::ALL.map(OperationKind::as_str)), "Only these"),
        optional("storeId", text(), "On this store"),
        optional("limit", number(1, 100, 50), "How many at most"),
        page_token(),
    ];
    let example = json!({"operations": [examples::operation()], "nextPageToken": null});
    Doc::answers::<Body>(200, "What runs and ran, newest first, without steps", example).query(fields)
}

/// What decides which operations are in the list.
const FILTERS: [&str; 3] = ["status", "kind", "storeId"];

fn question(mut form: Form, list: &List) -> Result<(OperationFilter, u32), Problem> {
    let status = form.choice("status");
    let kind = form.choice("kind");
    let text = form.optional("storeId");
    let store_id = text.as_ref().and_then(|text| text.parse().ok());
    if text.is_some() && store_id.is_none() {
        form.refuse("storeId", Rule::new("string.pattern.base"), "storeId must be a store id like store-1a2b3c4d");
    }
    let after = list.after(&mut form, read_place);
    let limit = form.limit(50, 100);
    form.finish(limit.map(|limit| (OperationFilter { tenant_id: None, store_id, status, kind, after }, limit)))
}

fn read_place(place: &str) -> Option<(jiff::Timestamp, OperationId)> {
    let (at, id) = place.split_once('.')?;
    Some((read_time(at)?, id.parse().ok()?))
}

pub(crate) async fn handle(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let form = query::form(&request);
    let list = List::of("operations", &auth.context.actor, &form, &FILTERS);
    let (filter, limit) = question(form, &list)?;
    let found = state.api.stores.operations(&auth.context, filter, limit).await?;
    let operations = found.operations.iter().map(OperationBody::summary).collect();
    let next_page_token = found.next.map(|(at, id)| list.token(&format!("{}.{id}", at.as_microsecond())));
    Ok(reply::ok(&auth.context.origin, Body { operations, next_page_token }))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde_json::Value;
    use shopwright_ports::stores_api::OperationPage;

    use super::*;
    use crate::testing::{Bench, OPERATION, OWNER, STORE, operation};

    fn get(query: &str) -> TestRequest {
        OWNER.asks(TestRequest::get().uri(&format!("/api/v1/operations{query}")))
    }

    #[actix_web::test]
    async fn operations_are_listed_page_by_page() {
        let first = operation();
        let place = (first.created_at, first.id);
        let filter = OperationFilter {
            store_id: STORE.parse().ok(),
            status: Some(OperationStatus::Waiting),
            kind: Some(OperationKind::Delete),
            ..OperationFilter::default()
        };
        let next = OperationFilter { after: Some(place), ..filter.clone() };
        let mut bench = Bench::new();
        bench
            .stores
            .expect_operations()
            .once()
            .withf(move |_, asked, limit| *asked == filter && *limit == 50)
            .returning(move |_, _, _| Ok(OperationPage { operations: vec![operation()], next: Some(place) }));
        bench
            .stores
            .expect_operations()
            .once()
            .withf(move |_, asked, limit| *asked == next && *limit == 3)
            .returning(|_, _, _| Ok(OperationPage { operations: vec![], next: None }));
        let app = bench.app().await;
        let query = format!("?status=waiting&kind=delete&storeId={STORE}");

        let first = app.send(get(&query)).await;
        let token = first.body["nextPageToken"].as_str().unwrap_or_default();
        let second = app.send(get(&format!("{query}&limit=3&pageToken={token}"))).await;

        assert_eq!((first.status, &first.body["operations"][0]["id"]), (200, &OPERATION.into()));
        assert!(first.body["operations"][0].get("steps").is_none(), "steps are shown one operation at a time");
        assert_eq!((second.status, &second.body["nextPageToken"]), (200, &Value::Null), "{}", second.text);
    }

    #[actix_web::test]
    async fn a_wrong_filter_is_400() {
        for (query, kind) in [
            ("?status=gone", "any.only"),
            ("?kind=dance", "any.only"),
            ("?storeId=teashop", "string.pattern.base"),
            ("?limit=101", "number.max"),
            ("?pageToken=x", "any.invalid"),
        ] {
            let answer = Bench::new().send(get(query)).await;

            assert_eq!((answer.status, answer.kinds()[0].1.as_str()), (400, kind), "{query}");
        }
    }
}
