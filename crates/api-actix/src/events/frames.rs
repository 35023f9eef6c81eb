//! Server-sent events as bytes: `id`, `event`, `data`, and an empty line.

use std::time::Duration;

use actix_web::web::Bytes;
use serde::Serialize;
use shopwright_domain::audit::AuditEventType;
use shopwright_domain::operation::{OperationKind, OperationStatus};
use shopwright_domain::saga::{Step, StepStatus};
use shopwright_domain::store::StoreState;
use shopwright_ports::events_api::Told;
use shopwright_ports::storage::{Event, News};

use crate::iso::Iso;
use crate::operations::FailureBody;

/// A comment, which clients leave out.
pub(super) fn heartbeat() -> Bytes {
    Bytes::from_static(b": alive\n\n")
}

/// The data of an event. What does not belong to its type is null.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventBody<'a> {
    /// The number in the organisation's stream.
    id: u64,
    #[serde(rename = "type")]
    topic: &'static str,
    at: Iso,
    organisation_id: String,
    store_id: &'a str,
    operation_id: Option<String>,
    /// What the operation does.
    kind: Option<&'static str>,
    status: Option<&'static str>,
    step: Option<&'static str>,
    step_status: Option<&'static str>,
    attempt: Option<u32>,
    message: String,
    failure: Option<FailureBody>,
    /// The number and type of an entry of the audit trail.
    audit_id: Option<String>,
    event_type: Option<&'static str>,
}

impl<'a> EventBody<'a> {
    fn new(event: &'a Event) -> Self {
        let mut body = Self {
            id: event.sequence,
            topic: "store",
            at: Iso(event.at),
            organisation_id: event.tenant_id.to_string(),
            store_id: event.store_id.as_str(),
            operation_id: event.operation_id.map(|id| id.to_string()),
            kind: None,
            status: None,
            step: None,
            step_status: None,
            attempt: None,
            message: String::new(),
            failure: None,
            audit_id: None,
            event_type: None,
        };
        match &event.news {
            News::Store { state, failure } => {
                body.status = Some(state.as_str());
                body.message = format!("the store is {state}");
                body.failure = failure.as_ref().map(FailureBody::from);
            }
            News::Operation { kind, status, step, step_status, attempt, failure } => {
                body.topic = "operation";
                body.kind = Some(OperationKind::as_str(*kind));
                body.status = Some(OperationStatus::as_str(*status));
                body.step = step.map(Step::as_str);
                body.step_status = step_status.map(StepStatus::as_str);
                body.attempt = Some(*attempt);
                body.message = sentence(*kind, *status, *step, *step_status);
                body.failure = failure.as_ref().map(FailureBody::from);
            }
            News::Audit { number, event_type, state, message } => {
                body.topic = "audit";
                body.status = state.map(StoreState::as_str);
                body.message.clone_from(message);
                body.audit_id = Some(number.to_string());
                body.event_type = Some(AuditEventType::as_str(*event_type));
            }
        }
        body
    }
}

fn sentence(
    kind: OperationKind,
    status: OperationStatus,
    step: Option<Step>,
    step_status: Option<StepStatus>,
) -> String {
    match (step, step_status) {
        (Some(step), Some(step_status)) => format!("{kind} is {status}; {step} is {}", step_status.as_str()),
        (Some(step), None) => format!("{kind} is {status}; {step} is next"),
        (None, _) => format!("{kind} is {status}"),
    }
}

/// What a client is told, as bytes. None for what cannot be written, which is a fault of ours.
pub(super) fn of(told: &Told, come_back: Duration) -> Option<Bytes> {
    let text = match told {
        // An id without data: it is remembered, and nothing happens.
        Told::Begins { place } => format!("retry: {}\nid: {place}\n\n", come_back.as_millis()),
        Told::Reset { place } => {
            let data = serde_json::json!({
                "type": "reset",
                "message": "events were missed that are not kept any more: read everything anew",
            });
            format!("retry: {}\nid: {place}\nevent: reset\ndata: {data}\n\n", come_back.as_millis())
        }
        Told::Event { place, event } => {
            let body = EventBody::new(event);
            let data = serde_json::to_string(&body)
                .inspect_err(|error| tracing::error!(%error, "an event cannot be written"))
                .ok()?;
            format!("id: {place}\nevent: {}\ndata: {data}\n\n", body.topic)
        }
    };
    Some(Bytes::from(text))
}
