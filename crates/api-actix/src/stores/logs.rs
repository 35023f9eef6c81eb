//! `GET /stores/{id}/logs`: what happened to a store, newest first.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Map, Value, json};
use shopwright_domain::audit::MetadataValue;
use shopwright_domain::store::StoreState;
use shopwright_ports::storage::AuditEntry;

use super::id_of;
use crate::State;
use crate::auth::Authenticated;
use crate::iso::Iso;
use crate::openapi::doc::Doc;
use crate::openapi::fields::page;
use crate::openapi::{examples, words};
use crate::problem::Problem;
use crate::{query, reply};
use utoipa::ToSchema;

/// One entry. Whose address and e-mail stood behind it is the audit trail's matter: here both are null, as in v1.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StoreLog)]
struct LogBody {
    id: String,
    #[schema(required)]
    store_id: Option<String>,
    #[schema(value_type = words::EventType)]
    event_type: &'static str,
    #[schema(required, value_type = Option<words::StoreStatus>)]
    previous_status: Option<&'static str>,
    #[schema(required, value_type = Option<words::StoreStatus>)]
    new_status: Option<&'static str>,
    message: String,
    #[schema(value_type = Object)]
    metadata: Map<String, Value>,
    #[schema(required)]
    ip_address: Option<String>,
    #[schema(required)]
    user_email: Option<String>,
    created_at: Iso,
    #[schema(required)]
    operation_id: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Body {
    store_id: String,
    logs: Vec<LogBody>,
    total: u64,
}

fn metadata(value: &MetadataValue) -> Value {
    match value {
        MetadataValue::Text(text) => text.as_str().into(),
        MetadataValue::Number(number) => (*number).into(),
        MetadataValue::Flag(flag) => (*flag).into(),
    }
}

impl From<&AuditEntry> for LogBody {
    fn from(entry: &AuditEntry) -> Self {
        let event = &entry.event;
        Self {
            id: entry.sequence.to_string(),
            store_id: event.store_id.as_ref().map(ToString::to_string),
            event_type: event.event_type.as_str(),
            previous_status: event.previous.map(StoreState::as_str),
            new_status: event.new.map(StoreState::as_str),
            message: event.message.clone(),
            metadata: event.metadata.iter().map(|(key, value)| (key.clone(), metadata(value))).collect(),
            ip_address: None,
            user_email: None,
            created_at: Iso(event.at),
            operation_id: event.operation_id.map(|id| id.to_string()),
        }
    }
}

pub(crate) fn doc() -> Doc {
    let example = json!({"storeId": "store-1a2b3c4d", "logs": [examples::log()], "total": 1});
    Doc::answers::<Body>(200, "What happened to a store, newest first", example).query(page(100, 500))
}

pub(crate) async fn handle(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = id_of(&request)?;
    let mut form = query::form(&request);
    let page = form.page(100, 500);
    let page = form.finish(page)?;
    let found = state.api.stores.logs(&auth.context, &id, page).await?;
    let logs = found.entries.iter().map(LogBody::from).collect();
    Ok(reply::ok(&auth.context.origin, Body { store_id: id.to_string(), logs, total: found.total }))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde_json::json;
    use shopwright_domain::TenantId;
    use shopwright_domain::audit::{AuditEvent, AuditEventType};
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
        AuditEntry { sequence: 24, event }
    }

    #[actix_web::test]
    async fn an_entry_has_the_shape_of_v1_and_hides_who_was_where() {
        let mut bench = Bench::new();
        bench
            .stores
            .expect_logs()
            .once()
            .withf(|_, id, page| id.as_str() == STORE && *page == Page { limit: 500, offset: 3 })
            .returning(|_, _, _| Ok(LogPage { entries: vec![entry()], total: 24 }));

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
