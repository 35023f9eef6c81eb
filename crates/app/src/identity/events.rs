//! What identity writes into the audit trail.

use shopwright_domain::audit::{AuditEvent, AuditEventType, SecurityAction};
use shopwright_ports::identity_api::Origin;
use shopwright_ports::storage::User;

use super::Identity;
use crate::audit::asked_from;

impl Identity {
    /// A security event about an account. The action is for programs, `message` for people.
    pub(super) fn security_event(
        &self,
        user: &User,
        origin: Option<&Origin>,
        action: SecurityAction,
        message: &str,
    ) -> AuditEvent {
        let event =
            AuditEvent::new(user.tenant_id, AuditEventType::Security, message, self.clock.now()).with("action", action);
        let event = AuditEvent { actor: Some(user.id), actor_email: Some(user.email.as_str().to_owned()), ..event };
        match origin {
            Some(origin) => asked_from(origin, event),
            None => event,
        }
    }
}
