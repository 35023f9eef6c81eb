//! By which request an audit event came about.

use shopwright_domain::audit::AuditEvent;
use shopwright_ports::identity_api::Origin;
use shopwright_ports::telemetry::trace_id;

/// The event, with what is known of the request it came about by: what that was signed in with, from where, its id and its trace.
pub(crate) fn asked_from(origin: &Origin, event: AuditEvent) -> AuditEvent {
    let event = match trace_id(origin.traceparent.as_deref()) {
        Some(trace) => event.with("traceId", trace),
        None => event,
    };
    AuditEvent {
        credential: origin.credential,
        ip_address: origin.ip_address.clone(),
        request_id: Some(origin.request_id.clone()),
        ..event
    }
}
