//! Driving port: what may be asked of the audit trail.

use async_trait::async_trait;
use shopwright_domain::organisation::{Action, Role};

use crate::storage::{AuditFilter, Page, StorageError};
use crate::stores_api::{LogPage, RequestContext};

/// Why the audit trail gives no answer. What of it one may not see is not refused: it is not in the list.
#[derive(Debug, thiserror::Error)]
pub enum AuditServiceError {
    /// The actor's role in the organisation does not allow looking at it at all.
    #[error("as {role} you may not {}", .action.words())]
    NotAllowed {
        /// What they are.
        role: Role,
        /// What they wanted.
        action: Action,
    },
    /// The database does not answer, or worse.
    #[error("storage")]
    Storage(#[from] StorageError),
}

/// The audit trail.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait AuditService: Send + Sync {
    /// A page of what the actor may see, newest first, with the number of all.
    ///
    /// Platform administrators see everything. Others see what their organisation's chain says about stores, and its security events when
    /// they ask for that type.
    async fn list(
        &self,
        context: &RequestContext,
        filter: AuditFilter,
        page: Page,
    ) -> Result<LogPage, AuditServiceError>;

    /// At most `limit` entries of the same list, to go through it from end to end. The total is not counted: it is 0.
    async fn stretch(
        &self,
        context: &RequestContext,
        filter: AuditFilter,
        limit: u32,
    ) -> Result<LogPage, AuditServiceError>;
}
