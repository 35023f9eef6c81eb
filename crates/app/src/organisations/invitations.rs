//! Invitations: shown once, kept as a digest, good for one person.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use shopwright_domain::audit::SecurityAction;
use shopwright_domain::identity::Email;
use shopwright_domain::organisation::{Action, InvitationState, InvitationTimes, Role, is_for};
use shopwright_domain::{InvitationId, TenantId};
use shopwright_ports::organisations_api::{Membership, OpenInvitation, OrganisationError};
use shopwright_ports::secrets::{Digester, random_text};
use shopwright_ports::storage::{Invitation, Reach, StorageError, Unique};
use shopwright_ports::stores_api::RequestContext;

use super::{Opened, Organisations};

/// What invitations begin with, so that people and scanners know one when they see it.
const PREFIX: &str = "swi_";
const SECRET: usize = 40;
/// Ours have 44 characters.
const LONGEST: usize = 256;

/// The digest of what may be an invitation's token.
pub(crate) fn digest_of(digester: &dyn Digester, token: &SecretString) -> Option<[u8; 32]> {
    let text = token.expose_secret();
    (text.starts_with(PREFIX) && text.len() <= LONGEST).then(|| digester.digest(text))
}

/// Whether it can be accepted now.
pub(crate) fn is_open(invitation: &Invitation, now: Timestamp) -> bool {
    invitation.times.state(now) == InvitationState::Open
}

impl Organisations {
    pub(super) async fn make_invitation(
        &self,
        context: &RequestContext,
        id: TenantId,
        email: Option<Email>,
        role: Role,
    ) -> Result<(Invitation, SecretString), OrganisationError> {
        let now = self.clock.now();
        let Opened { mut tx, members, role: own, .. } = self.open(context, id, Action::ManageMembers).await?;
        let needed = Role::to_manage(role);
        if !own.may(needed) {
            return Err(self.refuse(tx, context, id, own, needed).await?);
        }
        let open = tx.invitations().list(id).await?.iter().filter(|row| is_open(row, now)).count();
        let limit = self.rules.members;
        if members.len() + open >= limit {
            return Err(OrganisationError::TooMany { what: "members and invitations", limit });
        }
        let secret = random_text(self.entropy.as_ref(), SECRET);
        let token = SecretString::from(format!("{PREFIX}{}", secret.expose_secret()));
        let invitation = Invitation {
            id: InvitationId::from_random(self.entropy.u128()),
            tenant_id: id,
            email,
            role,
            digest: self.digester.digest(token.expose_secret()),
            invited_by: context.actor.user_id,
            created_at: now,
            times: InvitationTimes {
                expires_at: now.saturating_add(self.rules.invitation_lifetime).unwrap_or(Timestamp::MAX),
                accepted_at: None,
                revoked_at: None,
            },
        };
        tx.invitations().insert(&invitation).await?;
        let mut event = self.event(context, id, SecurityAction::InvitationCreated, "invited somebody");
        if let Some(email) = &invitation.email {
            event = event.with("email", email.as_str());
        }
        let event = event.with("invitationId", invitation.id.to_string()).with("role", role.as_str());
        tx.audit().append(&event).await?;
        tx.commit().await?;
        Ok((invitation, token))
    }

    pub(super) async fn take_back(
        &self,
        context: &RequestContext,
        id: TenantId,
        invitation: InvitationId,
    ) -> Result<(), OrganisationError> {
        let Opened { mut tx, .. } = self.open(context, id, Action::ManageMembers).await?;
        if !tx.invitations().revoke(id, invitation, self.clock.now()).await? {
            return Err(OrganisationError::NoSuchInvitation);
        }
        let event = self.event(context, id, SecurityAction::InvitationRevoked, "took an invitation back");
        tx.audit().append(&event.with("invitationId", invitation.to_string())).await?;
        Ok(tx.commit().await?)
    }

    pub(super) async fn look_at(&self, token: &SecretString) -> Result<OpenInvitation, OrganisationError> {
        let digest = digest_of(self.digester.as_ref(), token).ok_or(OrganisationError::InvitationOver)?;
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let found = tx.invitations().lock_by_digest(&digest).await?;
        let (invitation, organisation) =
            found.filter(|(row, _)| is_open(row, self.clock.now())).ok_or(OrganisationError::InvitationOver)?;
        Ok(OpenInvitation {
            organisation: organisation.name,
            role: invitation.role,
            email: invitation.email,
            expires_at: invitation.times.expires_at,
        })
    }

    /// A member who accepts another invitation uses none up.
    pub(super) async fn join(
        &self,
        context: &RequestContext,
        token: &SecretString,
    ) -> Result<Membership, OrganisationError> {
        let (now, user_id) = (self.clock.now(), context.actor.user_id);
        let digest = digest_of(self.digester.as_ref(), token).ok_or(OrganisationError::InvitationOver)?;
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let found = tx.invitations().lock_by_digest(&digest).await?;
        let (invitation, organisation) =
            found.filter(|(row, _)| is_open(row, now)).ok_or(OrganisationError::InvitationOver)?;
        if !is_for(invitation.email.as_ref(), &context.actor.email) {
            let event = self.event(
                context,
                organisation.id,
                SecurityAction::Refused,
                "was refused an invitation for another address",
            );
            tx.audit().append(&event.with("invitationId", invitation.id.to_string())).await?;
            tx.commit().await?;
            return Err(OrganisationError::InvitationForAnother);
        }
        if tx.memberships().role_of(organisation.id, user_id).await?.is_some() {
            return Err(OrganisationError::AlreadyMember);
        }
        self.check_room_for(tx.as_mut(), user_id).await?;
        let role = invitation.role;
        tx.memberships().insert(organisation.id, user_id, role, now).await.map_err(|error| match error {
            StorageError::NotUnique(Unique::Membership) => OrganisationError::AlreadyMember,
            other => other.into(),
        })?;
        tx.invitations().accept(invitation.id, user_id, now).await?;
        let event = self.event(context, organisation.id, SecurityAction::MemberJoined, "joined the organisation");
        let event = event.with("invitationId", invitation.id.to_string()).with("role", role.as_str());
        tx.audit().append(&event).await?;
        tx.commit().await?;
        Ok(Membership { organisation, role })
    }
}
