//! Looking at the audit trail: what the driving port [`AuditService`] promises, and whether the chains are whole.

mod asked;
mod verify;

use std::sync::Arc;

use async_trait::async_trait;
use shopwright_domain::audit::AuditEventType;
use shopwright_domain::organisation::Action;
use shopwright_ports::audit_api::{AuditService, AuditServiceError};
use shopwright_ports::storage::{AuditEntry, AuditFilter, Page, Storage};
use shopwright_ports::stores_api::{LogPage, RequestContext};

pub(crate) use asked::asked_from;
pub use verify::{Verified, verify_chain, verify_chains};

use crate::paging::{cut, with_one_more};
use crate::stores::reach;

/// The audit trail, for readers.
#[derive(Clone)]
pub struct AuditTrail {
    /// Where it is written down.
    pub storage: Arc<dyn Storage>,
}

impl std::fmt::Debug for AuditTrail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuditTrail").finish_non_exhaustive()
    }
}

/// What of `filter` the actor may see. Sign-ins are no news of an organisation's stores: its members see them when they ask for them.
fn seen_by(context: &RequestContext, mut filter: AuditFilter) -> Result<AuditFilter, AuditServiceError> {
    let action = Action::ReadAudit;
    if !context.actor.may_in(context.actor.tenant_id, action) {
        return Err(AuditServiceError::NotAllowed { role: context.actor.member_role, action });
    }
    if !context.actor.is_admin() {
        filter.tenant_id = Some(context.actor.tenant_id);
        filter.of_stores = filter.event_type.as_deref() != Some(AuditEventType::Security.as_str());
    }
    Ok(filter)
}

#[async_trait]
impl AuditService for AuditTrail {
    async fn list(
        &self,
        context: &RequestContext,
        filter: AuditFilter,
        page: Page,
    ) -> Result<LogPage, AuditServiceError> {
        let filter = seen_by(context, filter)?;
        let mut tx = self.storage.begin(reach(context)).await?;
        let (mut entries, total) = tx.audit().list(&filter, with_one_more(page)).await?;
        let next = cut(&mut entries, page.limit, AuditEntry::place);
        Ok(LogPage { entries, total, next })
    }

    async fn stretch(
        &self,
        context: &RequestContext,
        filter: AuditFilter,
        limit: u32,
    ) -> Result<LogPage, AuditServiceError> {
        let filter = seen_by(context, filter)?;
        let mut tx = self.storage.begin(reach(context)).await?;
        let page = with_one_more(Page { limit, offset: 0 });
        let mut entries = tx.audit().entries(&filter, page).await?;
        let next = cut(&mut entries, limit, AuditEntry::place);
        Ok(LogPage { entries, total: 0, next })
    }
}
