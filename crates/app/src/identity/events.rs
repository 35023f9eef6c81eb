//! What identity writes into the audit trail.

use shopwright_domain::audit::{AuditEvent, AuditEventType};
use shopwright_ports::identity_api::Origin;
use shopwright_ports::storage::User;
use shopwright_ports::telemetry::trace_id;

use super::Identity;

impl Identity {
    /// A security event about an account. `action` is for programs, `message` for people.
    pub(super) fn security_event(
        &self,
        user: &User,
        origin: Option<&Origin>,
        action: &str,
        message: &str,
    ) -> AuditEvent {
        let mut event =
            AuditEvent::new(user.tenant_id, AuditEventType::Security, message, self.clock.now()).with("action", action);
        event.actor = Some(user.id);
        event.actor_email = Some(user.email.as_str().to_owned());
        event.credential = origin.and_then(|origin| origin.credential);
        event.ip_address = origin.and_then(|origin| origin.ip_address.clone());
        event.request_id = origin.map(|origin| origin.request_id.clone());
        match origin.and_then(|origin| trace_id(origin.traceparent.as_deref())) {
            Some(trace) => event.with("traceId", trace),
            None => event,
        }
    }
}
