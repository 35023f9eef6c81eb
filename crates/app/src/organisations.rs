//! The use cases of organisations: what the driving port [`OrganisationService`] promises.
//!
//! Who somebody is in an organisation is read first, then everything else happens within that organisation's reach, behind the lock on its
//! row: of two owners who leave at the same moment one stays. Every change and every refusal for want of a role is in the audit trail.

mod invitations;
mod members;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use secrecy::SecretString;
use shopwright_domain::audit::{AuditEvent, AuditEventType, SecurityAction};
use shopwright_domain::identity::Email;
use shopwright_domain::organisation::{Action, OrganisationName, Role};
use shopwright_domain::plans::PlanName;
use shopwright_domain::{InvitationId, TenantId, UserId};
use shopwright_ports::clock::{Clock, Entropy};
use shopwright_ports::organisations_api::{Membership, OpenInvitation, OrganisationError, OrganisationService};
use shopwright_ports::secrets::Digester;
use shopwright_ports::storage::{Invitation, Member, Reach, Storage, Tenant, Transaction};
use shopwright_ports::stores_api::RequestContext;

use crate::audit::asked_from;

pub(crate) use invitations::{digest_of, is_open};

/// What an operator decides about organisations.
#[derive(Debug, Clone)]
pub struct OrganisationRules {
    /// How long an invitation can be accepted.
    pub invitation_lifetime: SignedDuration,
    /// How many organisations one person may belong to.
    pub per_person: usize,
    /// How many people may belong to one organisation, invited ones counted.
    pub members: usize,
}

impl Default for OrganisationRules {
    fn default() -> Self {
        Self { invitation_lifetime: SignedDuration::from_hours(7 * 24), per_person: 50, members: 200 }
    }
}

/// The use cases of organisations.
#[derive(Clone)]
pub struct Organisations {
    /// Where they are.
    pub storage: Arc<dyn Storage>,
    /// Digests of invitations.
    pub digester: Arc<dyn Digester>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and tokens.
    pub entropy: Arc<dyn Entropy>,
    /// The numbers.
    pub rules: OrganisationRules,
}

impl std::fmt::Debug for Organisations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Organisations").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// An organisation that is open for changes: locked, with its members, and what the actor is in it.
struct Opened {
    tx: Box<dyn Transaction>,
    organisation: Tenant,
    members: Vec<Member>,
    role: Role,
}

impl Organisations {
    /// What the actor is in an organisation. A foreign one and none are the same.
    async fn role_in(&self, context: &RequestContext, id: TenantId) -> Result<Role, OrganisationError> {
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let role = tx.memberships().role_of(id, context.actor.user_id).await?;
        role.ok_or(OrganisationError::NotAMember)
    }

    /// Opens an organisation for somebody who may do this in it. A refusal is written down.
    async fn open(&self, context: &RequestContext, id: TenantId, action: Action) -> Result<Opened, OrganisationError> {
        self.role_in(context, id).await?;
        let mut tx = self.storage.begin(Reach::Tenant(id)).await?;
        let organisation = tx.tenants().lock(id).await?.ok_or(OrganisationError::NotAMember)?;
        // Behind the lock it may be another: a role that was taken a moment ago counts no more.
        let members = tx.memberships().list(id).await?;
        let own = members.iter().find(|member| member.user_id == context.actor.user_id);
        let role = own.ok_or(OrganisationError::NotAMember)?.role;
        if !role.may(action) {
            return Err(self.refuse(tx, context, id, role, action).await?);
        }
        Ok(Opened { tx, organisation, members, role })
    }

    /// Writes a refusal into the organisation's trail.
    async fn refuse(
        &self,
        mut tx: Box<dyn Transaction>,
        context: &RequestContext,
        id: TenantId,
        role: Role,
        action: Action,
    ) -> Result<OrganisationError, OrganisationError> {
        let event = self.event(
            context,
            id,
            SecurityAction::Refused,
            format!("was refused: as {role} one may not {}", action.words()),
        );
        tx.audit().append(&event.with("role", role.as_str())).await?;
        tx.commit().await?;
        Ok(OrganisationError::NotAllowed { role, action })
    }

    /// A security event in an organisation's trail. The action is for programs, `message` for people.
    fn event(
        &self,
        context: &RequestContext,
        id: TenantId,
        action: SecurityAction,
        message: impl Into<String>,
    ) -> AuditEvent {
        let event = AuditEvent::new(id, AuditEventType::Security, message, self.clock.now()).with("action", action);
        let event = AuditEvent {
            actor: Some(context.actor.user_id),
            actor_email: Some(context.actor.email.as_str().to_owned()),
            ..event
        };
        asked_from(&context.origin, event)
    }

    async fn found(&self, context: &RequestContext, name: OrganisationName) -> Result<Membership, OrganisationError> {
        let (now, user_id) = (self.clock.now(), context.actor.user_id);
        let organisation = Tenant {
            id: TenantId::from_random(self.entropy.u128()),
            name: name.as_str().to_owned(),
            personal: false,
            plan: PlanName::standard(),
            last_store_created_at: None,
            created_at: now,
        };
        let mut tx = self.storage.begin(Reach::Identity).await?;
        self.check_room_for(tx.as_mut(), user_id).await?;
        tx.tenants().insert(&organisation).await?;
        tx.memberships().insert(organisation.id, user_id, Role::Owner, now).await?;
        let event = self.event(context, organisation.id, SecurityAction::OrganisationCreated, "made the organisation");
        tx.audit().append(&event).await?;
        tx.commit().await?;
        Ok(Membership { organisation, role: Role::Owner })
    }

    /// Nobody belongs to more organisations than they may, whatever else they ask for meanwhile; a closed account joins nothing.
    async fn check_room_for(&self, tx: &mut dyn Transaction, user_id: UserId) -> Result<(), OrganisationError> {
        if !tx.users().lock(user_id).await?.is_some_and(|user| user.active) {
            return Err(OrganisationError::NotAMember);
        }
        let limit = self.rules.per_person;
        if tx.memberships().of_user(user_id).await?.len() >= limit {
            return Err(OrganisationError::TooMany { what: "organisations", limit });
        }
        Ok(())
    }

    async fn end(&self, context: &RequestContext, id: TenantId) -> Result<(), OrganisationError> {
        let Opened { mut tx, organisation, .. } = self.open(context, id, Action::Dissolve).await?;
        if organisation.personal {
            return Err(OrganisationError::Personal);
        }
        let held = tx.stores().count_live(id).await?;
        if held > 0 {
            return Err(OrganisationError::HasStores { held });
        }
        let now = self.clock.now();
        tx.memberships().remove_all(id).await?;
        tx.invitations().revoke_all(id, now).await?;
        tx.tenants().dissolve(id, now).await?;
        let event = self.event(context, id, SecurityAction::OrganisationDeleted, "deleted the organisation");
        tx.audit().append(&event.with("name", organisation.name)).await?;
        Ok(tx.commit().await?)
    }
}

#[async_trait]
impl OrganisationService for Organisations {
    async fn list(&self, context: &RequestContext) -> Result<Vec<Membership>, OrganisationError> {
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let all = tx.memberships().of_user(context.actor.user_id).await?;
        Ok(all.into_iter().map(|(organisation, role)| Membership { organisation, role }).collect())
    }

    async fn create(&self, context: &RequestContext, name: OrganisationName) -> Result<Membership, OrganisationError> {
        self.found(context, name).await
    }

    async fn get(&self, context: &RequestContext, id: TenantId) -> Result<Membership, OrganisationError> {
        let all = self.list(context).await?;
        all.into_iter().find(|membership| membership.organisation.id == id).ok_or(OrganisationError::NotAMember)
    }

    async fn rename(
        &self,
        context: &RequestContext,
        id: TenantId,
        name: OrganisationName,
    ) -> Result<Membership, OrganisationError> {
        let Opened { mut tx, organisation, role, .. } = self.open(context, id, Action::Rename).await?;
        tx.tenants().rename(id, name.as_str()).await?;
        let event = self.event(context, id, SecurityAction::OrganisationRenamed, "renamed the organisation");
        tx.audit().append(&event.with("from", organisation.name.as_str()).with("to", name.as_str())).await?;
        tx.commit().await?;
        Ok(Membership { organisation: Tenant { name: name.as_str().to_owned(), ..organisation }, role })
    }

    async fn dissolve(&self, context: &RequestContext, id: TenantId) -> Result<(), OrganisationError> {
        self.end(context, id).await
    }

    async fn members(&self, context: &RequestContext, id: TenantId) -> Result<Vec<Member>, OrganisationError> {
        Ok(self.open(context, id, Action::ReadMembers).await?.members)
    }

    async fn change_role(
        &self,
        context: &RequestContext,
        id: TenantId,
        user_id: UserId,
        role: Role,
    ) -> Result<Member, OrganisationError> {
        self.give_role(context, id, user_id, role).await
    }

    async fn remove_member(
        &self,
        context: &RequestContext,
        id: TenantId,
        user_id: UserId,
    ) -> Result<(), OrganisationError> {
        self.end_membership(context, id, user_id).await
    }

    async fn invitations(&self, context: &RequestContext, id: TenantId) -> Result<Vec<Invitation>, OrganisationError> {
        let mut opened = self.open(context, id, Action::ManageMembers).await?;
        Ok(opened.tx.invitations().list(id).await?)
    }

    async fn invite(
        &self,
        context: &RequestContext,
        id: TenantId,
        email: Option<Email>,
        role: Role,
    ) -> Result<(Invitation, SecretString), OrganisationError> {
        self.make_invitation(context, id, email, role).await
    }

    async fn revoke_invitation(
        &self,
        context: &RequestContext,
        id: TenantId,
        invitation: InvitationId,
    ) -> Result<(), OrganisationError> {
        self.take_back(context, id, invitation).await
    }

    async fn inspect(&self, token: &SecretString) -> Result<OpenInvitation, OrganisationError> {
        self.look_at(token).await
    }

    async fn accept(&self, context: &RequestContext, token: &SecretString) -> Result<Membership, OrganisationError> {
        self.join(context, token).await
    }
}
