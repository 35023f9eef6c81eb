//! `GET /stores/{id}/logs`: what happened to a store, newest first.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::json;

use super::id_of;
use crate::State;
use crate::audit::{LogBody, read_place, write_place};
use crate::auth::Authenticated;
use crate::openapi::doc::Doc;
use crate::openapi::examples;
use crate::openapi::fields::{page, page_token};
use crate::page_token::List;
use crate::problem::Problem;
use crate::{query, reply};
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Body {
    store_id: String,
    logs: Vec<LogBody>,
    total: u64,
    #[schema(required)]
    next_page_token: Option<String>,
}

pub(crate) fn doc() -> Doc {
    let example = json!({"storeId": "store-1a2b3c4d", "logs": [examples::log()], "total": 1, "nextPageToken": null});
    Doc::answers::<Body>(200, "What happened to a store, newest first", example)
        .query([page_token()])
        .query(page(100, 500))
}

pub(crate) async fn handle(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = id_of(&request)?;
    let mut form = query::form(&request);
    let list = List::of(&format!("logs of {id}"), &auth.context.actor, &form, &[]);
    let after = list.after(&mut form, read_place);
    let page = form.page(100, 500);
    let page = form.finish(page)?;
    let found = state.api.stores.logs(&auth.context, &id, after, page).await?;
    let logs = found.entries.iter().map(LogBody::from).collect();
    let next_page_token = found.next.map(|place| list.token(&write_place(place)));
    Ok(reply::ok(&auth.context.origin, Body { store_id: id.to_string(), logs, total: found.total, next_page_token }))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde_json::json;
    use shopwright_domain::TenantId;
    use shopwright_domain::audit::{AuditEvent, AuditEventType, ChainDigest};
    use shopwright_domain::store::StoreState;
    use shopwright_ports::clock::Clock;
    use shopwright_ports::storage::{AuditEntry, Page};
    use shopwright_ports::stores_api::LogPage;
    use shopwright_ports::testing::ManualClock;

    use crate::testing::{Bench, OWNER, STORE};

    fn entry() -> AuditEntry {
        let now = ManualClock::default().now();
        let event =
            AuditEvent::new(TenantId::from_random(1), AuditEventType::StatusChange, "deletion was asked for", now);
        let mut event = event.with("steps", 4).with("forced", false).with("engine", "medusa");
        event.store_id = STORE.parse().ok();
        event.previous = Some(StoreState::Ready);
        event.new = Some(StoreState::Deleting);
        event.ip_address = Some("192.0.2.1".into());
        event.actor_email = Some("owner@example.com".into());
        AuditEntry { sequence: 24, event, digest: ChainDigest::default(), store_name: None }
    }

    #[actix_web::test]
    async fn an_entry_has_the_shape_of_v1_and_hides_who_was_where() {
        let mut bench = Bench::new();
        bench
            .stores
            .expect_logs()
            .once()
            .withf(|_, id, after, page| {
                id.as_str() == STORE && after.is_none() && *page == Page { limit: 500, offset: 3 }
            })
            .returning(|_, _, _, _| Ok(LogPage { entries: vec![entry()], total: 24, next: None }));

        let request = TestRequest::get().uri(&format!("/api/v1/stores/{STORE}/logs?limit=500&offset=3"));
        let answer = bench.send(OWNER.asks(request)).await;

        assert_eq!(answer.status, 200);
        assert_eq!((&answer.body["storeId"], &answer.body["total"]), (&json!(STORE), &json!(24)));
        assert_eq!(
            answer.body["logs"][0],
            json!({
                "id": "24", "storeId": STORE, "eventType": "status_change", "previousStatus": "ready",
                "newStatus": "deleting", "message": "deletion was asked for",
                "metadata": {"steps": 4, "forced": false, "engine": "medusa"}, "ipAddress": null, "userEmail": null,
                "createdAt": "2026-01-01T00:00:00.000Z", "operationId": null,
            })
        );
    }

    #[actix_web::test]
    async fn more_than_500_at_once_is_refused() {
        let request = TestRequest::get().uri(&format!("/api/v1/stores/{STORE}/logs?limit=501"));

        let answer = Bench::new().send(OWNER.asks(request)).await;

        assert_eq!(answer.kinds(), [("limit".to_owned(), "number.max".to_owned())]);
    }
}
