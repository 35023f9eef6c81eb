//! The audit trail: one entry as it is shown, and its place in a list. `GET /audit` is in [`list`], its export in [`export`].

pub(crate) mod export;
pub(crate) mod list;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use shopwright_domain::UserId;
use shopwright_domain::audit::MetadataValue;
use shopwright_domain::identity::Credential;
use shopwright_domain::store::StoreState;
use shopwright_ports::storage::{AuditEntry, AuditFilter, AuditPlace};
use utoipa::ToSchema;

use crate::form::{Form, Rule};
use crate::iso::Iso;
use crate::openapi::fields::{Field, optional, text, text_as, text_of};
use crate::openapi::words;
use crate::query::read_time;

/// Who did it.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditActor)]
pub(crate) struct ActorBody {
    #[schema(required)]
    id: Option<String>,
    #[schema(required)]
    email: Option<String>,
}

/// An entry among a store's logs, with the fields of v1.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StoreLog)]
pub(crate) struct LogBody {
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

/// An entry of the audit trail: besides what a log has, whose chain it is, who it was, by which request, and what makes it a link.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditEntry)]
pub(crate) struct EntryBody {
    id: String,
    #[schema(required)]
    store_id: Option<String>,
    #[schema(required)]
    store_name: Option<String>,
    organisation_id: String,
    #[schema(value_type = words::EventType)]
    event_type: &'static str,
    #[schema(required, value_type = Option<words::StoreStatus>)]
    previous_status: Option<&'static str>,
    #[schema(required, value_type = Option<words::StoreStatus>)]
    new_status: Option<&'static str>,
    message: String,
    #[schema(value_type = Object)]
    metadata: Map<String, Value>,
    #[schema(value_type = Object)]
    before: Map<String, Value>,
    #[schema(value_type = Object)]
    after: Map<String, Value>,
    #[schema(required, value_type = Option<ActorBody>)]
    actor: Option<ActorBody>,
    #[schema(required)]
    session_id: Option<String>,
    #[schema(required)]
    token_id: Option<String>,
    #[schema(required)]
    ip_address: Option<String>,
    #[schema(required)]
    user_email: Option<String>,
    #[schema(required)]
    request_id: Option<String>,
    #[schema(required)]
    operation_id: Option<String>,
    created_at: Iso,
    digest: String,
}

fn values(entries: &BTreeMap<String, MetadataValue>) -> Map<String, Value> {
    let value = |value: &MetadataValue| match value {
        MetadataValue::Text(text) => Value::from(text.as_str()),
        MetadataValue::Number(number) => (*number).into(),
        MetadataValue::Flag(flag) => (*flag).into(),
    };
    entries.iter().map(|(key, entry)| (key.clone(), value(entry))).collect()
}

impl From<&AuditEntry> for LogBody {
    /// Whose address and e-mail stood behind it is the audit trail's matter: here both are null, as in v1.
    fn from(entry: &AuditEntry) -> Self {
        let event = &entry.event;
        Self {
            id: entry.sequence.to_string(),
            store_id: event.store_id.as_ref().map(ToString::to_string),
            event_type: event.event_type.as_str(),
            previous_status: event.previous.map(StoreState::as_str),
            new_status: event.new.map(StoreState::as_str),
            message: event.message.clone(),
            metadata: values(&event.metadata),
            ip_address: None,
            user_email: None,
            created_at: Iso(event.at),
            operation_id: event.operation_id.map(|id| id.to_string()),
        }
    }
}

impl From<&AuditEntry> for EntryBody {
    fn from(entry: &AuditEntry) -> Self {
        let event = &entry.event;
        let actor = ActorBody { id: event.actor.map(|id| id.to_string()), email: event.actor_email.clone() };
        Self {
            id: entry.sequence.to_string(),
            store_id: event.store_id.as_ref().map(ToString::to_string),
            store_name: entry.store_name.as_ref().map(ToString::to_string),
            organisation_id: event.tenant_id.to_string(),
            event_type: event.event_type.as_str(),
            previous_status: event.previous.map(StoreState::as_str),
            new_status: event.new.map(StoreState::as_str),
            message: event.message.clone(),
            metadata: values(&event.metadata),
            before: values(&event.before),
            after: values(&event.after),
            actor: (actor.id.is_some() || actor.email.is_some()).then_some(actor),
            session_id: event.credential.and_then(Credential::session).map(|id| id.to_string()),
            token_id: event.credential.and_then(Credential::api_token).map(|id| id.to_string()),
            ip_address: event.ip_address.clone(),
            user_email: event.actor_email.clone(),
            request_id: event.request_id.as_ref().map(ToString::to_string),
            operation_id: event.operation_id.map(|id| id.to_string()),
            created_at: Iso(event.at),
            digest: entry.digest.to_string(),
        }
    }
}

/// What decides which entries are in a list of the trail.
const FILTERS: [&str; 6] = ["storeId", "eventType", "actorId", "operationId", "from", "to"];

/// The filters of the trail. Ids that are none are refused; ids that one may not know match nothing.
fn filter(form: &mut Form) -> AuditFilter {
    let store_id = id(form, "storeId", "a store id like store-1a2b3c4d");
    let event_type = form.optional("eventType");
    if event_type.as_ref().is_some_and(|text| text.chars().count() > 64) {
        form.refuse("eventType", Rule::limit("string.max", 64), "eventType must have at most 64 characters");
    }
    let actor: Option<UserId> = id(form, "actorId", "a user id: a UUID");
    let operation_id = id(form, "operationId", "an operation id: a UUID");
    let (from, until) = (time(form, "from"), time(form, "to"));
    AuditFilter { store_id, event_type, actor, operation_id, from, until, ..AuditFilter::default() }
}

/// The filters as the document describes them.
fn filter_fields() -> [Field; 6] {
    [
        optional("storeId", text(), "About this store"),
        optional(
            "eventType",
            text_of(1, 64),
            "Of this type. Sign-ins and changes of accounts are shown for `security` alone",
        ),
        optional("actorId", text_as("uuid"), "Done by this person"),
        optional("operationId", text_as("uuid"), "About this operation"),
        optional("from", text_as("date-time"), "At this time or later"),
        optional("to", text_as("date-time"), "Before this time"),
    ]
}

fn id<T: std::str::FromStr>(form: &mut Form, key: &str, what: &str) -> Option<T> {
    let id = form.optional(key)?.parse().ok();
    if id.is_none() {
        form.refuse(key, Rule::new("string.pattern.base"), format!("{key} must be {what}"));
    }
    id
}

fn time(form: &mut Form, key: &str) -> Option<jiff::Timestamp> {
    let at = form.optional(key)?.parse().ok();
    if at.is_none() {
        form.refuse(key, Rule::new("date.format"), format!("{key} must be a time like 2026-11-25T10:00:00Z"));
    }
    at
}

pub(crate) fn read_place(place: &str) -> Option<AuditPlace> {
    let mut parts = place.split('.');
    let (at, sequence, tenant) = (parts.next()?, parts.next()?, parts.next()?);
    Some(AuditPlace { at: read_time(at)?, sequence: sequence.parse().ok()?, tenant_id: tenant.parse().ok()? })
}

pub(crate) fn write_place(place: AuditPlace) -> String {
    format!("{}.{}.{}", place.at.as_microsecond(), place.sequence, place.tenant_id)
}

/// An entry for tests: the owner's deletion of their store.
#[cfg(test)]
pub(crate) fn example_entry(sequence: u64) -> AuditEntry {
    use shopwright_domain::audit::{AuditEvent, AuditEventType, ChainDigest};
    use shopwright_ports::clock::Clock as _;

    let actor = crate::testing::OWNER.actor();
    let now = shopwright_ports::testing::ManualClock::default().now();
    let event = AuditEvent::new(actor.tenant_id, AuditEventType::StatusChange, "deletion was asked for", now);
    let mut event = event.with("steps", 4).with("forced", false).with("engine", "medusa");
    event.store_id = crate::testing::STORE.parse().ok();
    event.previous = Some(StoreState::Ready);
    event.new = Some(StoreState::Deleting);
    event.ip_address = Some("192.0.2.1".into());
    event.actor = Some(actor.user_id);
    event.actor_email = Some(actor.email.as_str().to_owned());
    event.credential = Some(Credential::Session(crate::testing::SESSION));
    event.request_id = "req_0123456789ab".parse().ok();
    let event = event.changing("status", "ready", "deleting");
    AuditEntry { sequence, event, digest: ChainDigest([0xab; 32]), store_name: "teashop".parse().ok() }
}
