//! Members: what they are, and that they go.

use shopwright_domain::audit::SecurityAction;
use shopwright_domain::organisation::{Action, Role};
use shopwright_domain::{TenantId, UserId};
use shopwright_ports::organisations_api::OrganisationError;
use shopwright_ports::storage::Member;
use shopwright_ports::stores_api::RequestContext;

use super::{Opened, Organisations};

/// Refuses what would leave an organisation without an owner.
fn check_owner_is_left(members: &[Member], leaves: UserId) -> Result<(), OrganisationError> {
    let mut owners = members.iter().filter(|member| member.role == Role::Owner).map(|member| member.user_id);
    let (is_owner, others) = (owners.clone().any(|owner| owner == leaves), owners.any(|owner| owner != leaves));
    if is_owner && !others { Err(OrganisationError::LastOwner) } else { Ok(()) }
}

fn find(members: &[Member], user_id: UserId) -> Result<Member, OrganisationError> {
    members.iter().find(|member| member.user_id == user_id).cloned().ok_or(OrganisationError::NoSuchMember)
}

impl Organisations {
    pub(super) async fn give_role(
        &self,
        context: &RequestContext,
        id: TenantId,
        user_id: UserId,
        role: Role,
    ) -> Result<Member, OrganisationError> {
        let Opened { mut tx, members, role: own, .. } = self.open(context, id, Action::ManageMembers).await?;
        let member = find(&members, user_id)?;
        for needed in [Role::to_manage(member.role), Role::to_manage(role)] {
            if !own.may(needed) {
                return Err(self.refuse(tx, context, id, own, needed).await?);
            }
        }
        if role == member.role {
            return Ok(member);
        }
        check_owner_is_left(&members, user_id)?;
        if !tx.memberships().set_role(id, user_id, role).await? {
            // No membership makes them an owner, but their account.
            return Err(OrganisationError::LastOwner);
        }
        let event = self.event(context, id, SecurityAction::MemberRoleChanged, "gave a member another role");
        let event =
            event.with("userId", user_id.to_string()).with("from", member.role.as_str()).with("to", role.as_str());
        tx.audit().append(&event).await?;
        tx.commit().await?;
        Ok(Member { role, ..member })
    }

    /// Removing somebody else needs the right to; leaving does not.
    pub(super) async fn end_membership(
        &self,
        context: &RequestContext,
        id: TenantId,
        user_id: UserId,
    ) -> Result<(), OrganisationError> {
        let leaves = user_id == context.actor.user_id;
        let action = if leaves { Action::ReadMembers } else { Action::ManageMembers };
        let Opened { mut tx, members, role: own, .. } = self.open(context, id, action).await?;
        let member = find(&members, user_id)?;
        let needed = Role::to_manage(member.role);
        if !leaves && !own.may(needed) {
            return Err(self.refuse(tx, context, id, own, needed).await?);
        }
        check_owner_is_left(&members, user_id)?;
        if !tx.memberships().remove(id, user_id).await? {
            return Err(OrganisationError::LastOwner);
        }
        let (action, message) = if leaves {
            (SecurityAction::MemberLeft, "left the organisation")
        } else {
            (SecurityAction::MemberRemoved, "removed a member")
        };
        let event = self.event(context, id, action, message);
        tx.audit().append(&event.with("userId", user_id.to_string()).with("role", member.role.as_str())).await?;
        Ok(tx.commit().await?)
    }
}
