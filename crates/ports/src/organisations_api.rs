//! Driving port: organisations, their members, invitations.

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use shopwright_domain::identity::Email;
use shopwright_domain::organisation::{Action, OrganisationName, Role};
use shopwright_domain::{InvitationId, TenantId, UserId};

use crate::storage::{Invitation, Member, StorageError, Tenant};
use crate::stores_api::RequestContext;

/// An organisation as one of its members sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The organisation.
    pub organisation: Tenant,
    /// What they are in it.
    pub role: Role,
}

/// What somebody learns who holds an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenInvitation {
    /// What the organisation is called.
    pub organisation: String,
    /// What they would become.
    pub role: Role,
    /// Whom it is for, when it names somebody.
    pub email: Option<Email>,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
}

/// Why a request for an organisation is refused.
#[derive(Debug, thiserror::Error)]
pub enum OrganisationError {
    /// Another's organisation, or none: the same answer.
    #[error("this organisation is not yours")]
    NotAMember,
    /// Their role is not enough.
    #[error("as {role} you may not {}", .action.words())]
    NotAllowed {
        /// What they are.
        role: Role,
        /// What they wanted.
        action: Action,
    },
    /// An organisation has an owner.
    #[error("an organisation has at least one owner: make somebody else one first")]
    LastOwner,
    /// The organisation that came with an account stays as long as that.
    #[error("the organisation that came with an account cannot be deleted")]
    Personal,
    /// Its stores come first.
    #[error("{held} stores are left: delete them first")]
    HasStores {
        /// How many.
        held: u32,
    },
    /// There is no such member.
    #[error("there is no such member")]
    NoSuchMember,
    /// There is no such invitation, or it cannot be accepted any more.
    #[error("there is no such invitation")]
    NoSuchInvitation,
    /// Unknown, used, taken back or expired: indistinguishable.
    #[error("this invitation cannot be accepted: it is unknown, used, taken back or expired")]
    InvitationOver,
    /// It names another address.
    #[error("this invitation is for another e-mail address")]
    InvitationForAnother,
    /// They belong to the organisation already.
    #[error("you are a member already")]
    AlreadyMember,
    /// As many as anybody may have.
    #[error("{limit} {what} are as many as there may be")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many one may have.
        limit: usize,
    },
    /// The database does not answer, or worse.
    #[error("storage")]
    Storage(#[from] StorageError),
}

/// Organisations, their members, invitations.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait OrganisationService: Send + Sync {
    /// The actor's organisations, their own first.
    async fn list(&self, context: &RequestContext) -> Result<Vec<Membership>, OrganisationError>;

    /// Makes an organisation whose owner the actor is.
    async fn create(&self, context: &RequestContext, name: OrganisationName) -> Result<Membership, OrganisationError>;

    /// One organisation of the actor's.
    async fn get(&self, context: &RequestContext, id: TenantId) -> Result<Membership, OrganisationError>;

    /// Gives it another name.
    async fn rename(
        &self,
        context: &RequestContext,
        id: TenantId,
        name: OrganisationName,
    ) -> Result<Membership, OrganisationError>;

    /// Ends it, with all memberships and invitations. Its stores must be deleted before.
    async fn dissolve(&self, context: &RequestContext, id: TenantId) -> Result<(), OrganisationError>;

    /// Its members, the first to join first.
    async fn members(&self, context: &RequestContext, id: TenantId) -> Result<Vec<Member>, OrganisationError>;

    /// Makes a member something else.
    async fn change_role(
        &self,
        context: &RequestContext,
        id: TenantId,
        user_id: UserId,
        role: Role,
    ) -> Result<Member, OrganisationError>;

    /// Ends a membership: another's, or the actor's own.
    async fn remove_member(
        &self,
        context: &RequestContext,
        id: TenantId,
        user_id: UserId,
    ) -> Result<(), OrganisationError>;

    /// Invitations that nobody accepted yet, the newest first.
    async fn invitations(&self, context: &RequestContext, id: TenantId) -> Result<Vec<Invitation>, OrganisationError>;

    /// Invites: what is kept of it, and the token, which nobody can show again.
    async fn invite(
        &self,
        context: &RequestContext,
        id: TenantId,
        email: Option<Email>,
        role: Role,
    ) -> Result<(Invitation, SecretString), OrganisationError>;

    /// Takes an invitation back.
    async fn revoke_invitation(
        &self,
        context: &RequestContext,
        id: TenantId,
        invitation: InvitationId,
    ) -> Result<(), OrganisationError>;

    /// What an invitation is about, for whoever holds its token.
    async fn inspect(&self, token: &SecretString) -> Result<OpenInvitation, OrganisationError>;

    /// Makes the actor a member.
    async fn accept(&self, context: &RequestContext, token: &SecretString) -> Result<Membership, OrganisationError>;
}
