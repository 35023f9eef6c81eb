//! `GET /audit`: who did what, newest first.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use serde_json::json;
use utoipa::ToSchema;

use super::{EntryBody, FILTERS, filter, filter_fields, read_place, write_place};
use crate::State;
use crate::auth::Authenticated;
use crate::openapi::doc::Doc;
use crate::openapi::examples;
use crate::openapi::fields::{page, page_token};
use crate::page_token::List;
use crate::problem::Problem;
use crate::{query, reply};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Body {
    logs: Vec<EntryBody>,
    total: u64,
    limit: u32,
    offset: u32,
    #[schema(required)]
    next_page_token: Option<String>,
}

pub(crate) fn doc() -> Doc {
    let example =
        json!({"logs": [examples::audit_entry()], "total": 1, "limit": 100, "offset": 0, "nextPageToken": null});
    Doc::answers::<Body>(200, "Who did what, newest first", example)
        .query(filter_fields())
        .query([page_token()])
        .query(page(100, 500))
}

pub(crate) async fn handle(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut form = query::form(&request);
    let list = List::of("audit", &auth.context.actor, &form, &FILTERS);
    let mut filter = filter(&mut form);
    filter.after = list.after(&mut form, read_place);
    let page = form.page(100, 500);
    let page = form.finish(page)?;
    let found = state.api.audit.list(&auth.context, filter, page).await?;
    let logs = found.entries.iter().map(EntryBody::from).collect();
    let next_page_token = found.next.map(|place| list.token(&write_place(place)));
    let body = Body { logs, total: found.total, limit: page.limit, offset: page.offset, next_page_token };
    Ok(reply::ok(&auth.context.origin, body))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde_json::{Value, json};
    use shopwright_ports::storage::{AuditFilter, Page};
    use shopwright_ports::stores_api::LogPage;

    use crate::audit::example_entry;
    use crate::testing::{Bench, OPERATION, OWNER, STORE};

    fn get(query: &str) -> TestRequest {
        OWNER.asks(TestRequest::get().uri(&format!("/api/v1/audit{query}")))
    }

    #[actix_web::test]
    async fn an_entry_says_who_it_was_from_where_and_by_which_request() {
        let mut bench = Bench::new();
        bench
            .audit
            .expect_list()
            .once()
            .withf(|_, filter, page| *filter == AuditFilter::default() && *page == Page { limit: 100, offset: 0 })
            .returning(|_, _, _| Ok(LogPage { entries: vec![example_entry(24)], total: 31, next: None }));

        let answer = bench.send(get("")).await;

        assert_eq!((answer.status, &answer.body["total"], &answer.body["limit"]), (200, &json!(31), &json!(100)));
        assert_eq!(answer.body["nextPageToken"], Value::Null);
        assert_eq!(
            answer.body["logs"][0],
            json!({
                "id": "24", "storeId": STORE, "storeName": "teashop", "eventType": "status_change", "previousStatus": "ready",
                "newStatus": "deleting", "message": "deletion was asked for",
                "metadata": {"engine": "medusa", "forced": false, "steps": 4}, "ipAddress": "192.0.2.1",
                "userEmail": "owner@example.com", "createdAt": "2026-01-01T00:00:00.000Z", "operationId": null,
                "organisationId": "00000000-0000-4000-8000-00000000000a", "requestId": "req_0123456789ab",
                "actor": {"id": "00000000-0000-4000-8000-00000000000a", "email": "owner@example.com"},
                "sessionId": crate::testing::SESSION.to_string(), "tokenId": null, "before": {"status": "ready"},
                "after": {"status": "deleting"}, "digest": "ab".repeat(32),
            })
        );
    }

    #[actix_web::test]
    async fn every_filter_reaches_the_trail_and_the_next_page_follows() {
        let query = format!(
            "?storeId={STORE}&eventType=status_change&actorId=00000000-0000-4000-8000-00000000000a&operationId={OPERATION}\
             &from=2026-01-01T00:00:00Z&to=2026-02-01T01:00:00%2B01:00"
        );
        let filter = AuditFilter {
            store_id: STORE.parse().ok(),
            event_type: Some("status_change".into()),
            actor: "00000000-0000-4000-8000-00000000000a".parse().ok(),
            operation_id: OPERATION.parse().ok(),
            from: "2026-01-01T00:00:00Z".parse().ok(),
            until: "2026-02-01T00:00:00Z".parse().ok(),
            ..AuditFilter::default()
        };
        let next = AuditFilter { after: Some(example_entry(7).place()), ..filter.clone() };
        let mut bench = Bench::new();
        bench.audit.expect_list().once().withf(move |_, asked, _| *asked == filter).returning(|_, _, _| {
            Ok(LogPage { entries: vec![example_entry(7)], total: 2, next: Some(example_entry(7).place()) })
        });
        bench
            .audit
            .expect_list()
            .once()
            .withf(move |_, asked, _| *asked == next)
            .returning(|_, _, _| Ok(LogPage { entries: vec![example_entry(6)], total: 2, next: None }));
        let app = bench.app().await;

        let first = app.send(get(&query)).await;
        let token = first.body["nextPageToken"].as_str().unwrap_or_default();
        let second = app.send(get(&format!("{query}&pageToken={token}"))).await;

        assert_eq!((first.status, second.status, &second.body["logs"][0]["id"]), (200, 200, &json!("6")));
        assert_eq!(app.send(get(&format!("?pageToken={token}"))).await.kinds()[0].0, "pageToken");
    }

    #[actix_web::test]
    async fn a_wrong_filter_is_400_by_name() {
        for (query, field, kind) in [
            ("?storeId=store-XYZ", "storeId", "string.pattern.base"),
            ("?storeId=", "storeId", "string.empty"),
            ("?actorId=ada", "actorId", "string.pattern.base"),
            ("?operationId=1", "operationId", "string.pattern.base"),
            ("?from=yesterday", "from", "date.format"),
            ("?to=2026-13-01T00:00:00Z", "to", "date.format"),
            ("?limit=501", "limit", "number.max"),
        ] {
            let answer = Bench::new().send(get(query)).await;

            assert_eq!((answer.status, answer.kinds()), (400, vec![(field.into(), kind.into())]), "{query}");
        }
        let long = Bench::new().send(get(&format!("?eventType={}", "x".repeat(65)))).await;
        assert_eq!(long.kinds(), [("eventType".into(), "string.max".into())]);
    }
}
