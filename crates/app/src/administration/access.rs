//! Who may come in: accounts are closed and opened again.

use shopwright_domain::UserId;
use shopwright_domain::audit::{AuditEvent, AuditEventType, SecurityAction};
use shopwright_ports::platform_api::PlatformError;
use shopwright_ports::storage::{Account, Reach, StorageError, Transaction, User, UserFilter};
use shopwright_ports::stores_api::RequestContext;

use super::Administration;
use crate::audit::asked_from;

/// Refuses to end the access of the last who runs the platform, or one's own. `people` are the account and all administrators.
fn check_somebody_is_left(context: &RequestContext, user: &User, people: &[User]) -> Result<(), PlatformError> {
    let runs_it = |person: &&User| person.active && person.is_administrator();
    if runs_it(&user) && people.iter().filter(runs_it).count() == 1 {
        return Err(PlatformError::LastAdministrator);
    }
    if user.id == context.actor.user_id { Err(PlatformError::OwnAccount) } else { Ok(()) }
}

impl Administration {
    pub(super) async fn give_access(
        &self,
        context: &RequestContext,
        id: UserId,
        active: bool,
    ) -> Result<Account, PlatformError> {
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let people = tx.users().lock_with_administrators(id).await?;
        // Behind the lock: whoever was an administrator until a moment ago is none.
        let is_one = |person: &User| person.id == context.actor.user_id && person.active && person.is_administrator();
        if !people.iter().any(is_one) {
            return Err(PlatformError::NotAdministrator);
        }
        let user = people.iter().find(|person| person.id == id).ok_or(PlatformError::NoSuchUser)?;
        if user.active == active {
            return self.account(tx.as_mut(), id).await;
        }
        if active {
            tx.users().set_active(id, true).await?;
            let event = self.event(context, user, SecurityAction::AccountActivated, "let an account sign in again");
            tx.audit().append(&event).await?;
        } else {
            check_somebody_is_left(context, user, &people)?;
            self.close(tx.as_mut(), context, user).await?;
        }
        let account = self.account(tx.as_mut(), id).await?;
        tx.commit().await?;
        Ok(account)
    }

    async fn close(
        &self,
        tx: &mut dyn Transaction,
        context: &RequestContext,
        user: &User,
    ) -> Result<(), PlatformError> {
        let now = self.clock.now();
        tx.users().set_active(user.id, false).await?;
        let sessions = tx.sessions().revoke_all(user.id, None, now).await?;
        let tokens = tx.api_tokens().revoke_all(user.id, now).await?;
        let event = self.event(context, user, SecurityAction::AccountDeactivated, "ended an account's access");
        let event = event.with("sessionsEnded", i64::from(sessions)).with("apiTokensRevoked", i64::from(tokens));
        Ok(tx.audit().append(&event).await?)
    }

    async fn account(&self, tx: &mut dyn Transaction, id: UserId) -> Result<Account, PlatformError> {
        let only = UserFilter { id: Some(id), ..UserFilter::default() };
        let found = tx.users().accounts(&only, 1, self.clock.now()).await?;
        found.into_iter().next().ok_or(PlatformError::Storage(StorageError::Stale))
    }

    /// A security event in the trail of the organisation that came with the account: its owner sees who did it.
    fn event(&self, context: &RequestContext, user: &User, action: SecurityAction, message: &str) -> AuditEvent {
        let event = AuditEvent::new(user.tenant_id, AuditEventType::Security, message, self.clock.now());
        let event = event.with("action", action).with("userId", user.id.to_string());
        let event = AuditEvent {
            actor: Some(context.actor.user_id),
            actor_email: Some(context.actor.email.as_str().to_owned()),
            ..event
        };
        asked_from(&context.origin, event.changing("active", user.active, !user.active))
    }
}
