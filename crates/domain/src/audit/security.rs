//! What security events are about.

use super::MetadataValue;

/// What happened to an account, an organisation or credentials: the word under `action` in an event's metadata. These words are part of
/// the API, and its document explains each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecurityAction {
    /// An account was made.
    Registration,
    /// Somebody signed in.
    LoginSuccess,
    /// A password was wrong.
    LoginFailed,
    /// A password was wrong once too often.
    AccountLocked,
    /// An account has another password.
    PasswordChanged,
    /// Somebody signed out.
    Logout,
    /// A session was ended from elsewhere.
    SessionRevoked,
    /// All sessions were ended, perhaps but one.
    SessionsRevoked,
    /// A refresh token was used twice: somebody may have a copy.
    RefreshTokenReused,
    /// An API token was made.
    ApiTokenCreated,
    /// An API token was revoked.
    ApiTokenRevoked,
    /// A platform administrator ended an account's access.
    AccountDeactivated,
    /// A platform administrator gave it back.
    AccountActivated,
    /// An organisation was made.
    OrganisationCreated,
    /// It has another name.
    OrganisationRenamed,
    /// It was deleted.
    OrganisationDeleted,
    /// Somebody was invited.
    InvitationCreated,
    /// An invitation was taken back.
    InvitationRevoked,
    /// Somebody accepted an invitation.
    MemberJoined,
    /// A member has another role.
    MemberRoleChanged,
    /// A member was removed.
    MemberRemoved,
    /// A member left.
    MemberLeft,
    /// Somebody may not change an organisation, or not join it.
    Refused,
    /// A store's credentials were looked at.
    CredentialsRevealed,
    /// New passwords were asked for.
    CredentialsRotationRequested,
    /// New passwords are in force.
    CredentialsRotated,
}

impl SecurityAction {
    /// All of them.
    pub const ALL: [Self; 26] = [
        Self::Registration,
        Self::LoginSuccess,
        Self::LoginFailed,
        Self::AccountLocked,
        Self::PasswordChanged,
        Self::Logout,
        Self::SessionRevoked,
        Self::SessionsRevoked,
        Self::RefreshTokenReused,
        Self::ApiTokenCreated,
        Self::ApiTokenRevoked,
        Self::AccountDeactivated,
        Self::AccountActivated,
        Self::OrganisationCreated,
        Self::OrganisationRenamed,
        Self::OrganisationDeleted,
        Self::InvitationCreated,
        Self::InvitationRevoked,
        Self::MemberJoined,
        Self::MemberRoleChanged,
        Self::MemberRemoved,
        Self::MemberLeft,
        Self::Refused,
        Self::CredentialsRevealed,
        Self::CredentialsRotationRequested,
        Self::CredentialsRotated,
    ];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::LoginSuccess => "login_success",
            Self::LoginFailed => "login_failed",
            Self::AccountLocked => "account_locked",
            Self::PasswordChanged => "password_changed",
            Self::Logout => "logout",
            Self::SessionRevoked => "session_revoked",
            Self::SessionsRevoked => "sessions_revoked",
            Self::RefreshTokenReused => "refresh_token_reused",
            Self::ApiTokenCreated => "api_token_created",
            Self::ApiTokenRevoked => "api_token_revoked",
            Self::AccountDeactivated => "account_deactivated",
            Self::AccountActivated => "account_activated",
            Self::OrganisationCreated => "organisation_created",
            Self::OrganisationRenamed => "organisation_renamed",
            Self::OrganisationDeleted => "organisation_deleted",
            Self::InvitationCreated => "invitation_created",
            Self::InvitationRevoked => "invitation_revoked",
            Self::MemberJoined => "member_joined",
            Self::MemberRoleChanged => "member_role_changed",
            Self::MemberRemoved => "member_removed",
            Self::MemberLeft => "member_left",
            Self::Refused => "refused",
            Self::CredentialsRevealed => "credentials_revealed",
            Self::CredentialsRotationRequested => "credentials_rotation_requested",
            Self::CredentialsRotated => "credentials_rotated",
        }
    }
}

impl From<SecurityAction> for MetadataValue {
    fn from(action: SecurityAction) -> Self {
        action.as_str().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_explained_to_callers() {
        let page = include_str!("../../../../docs/API.md");
        let (_, table) = page.split_once("| `action` |").expect("the table of actions");

        for action in SecurityAction::ALL {
            assert!(table.contains(&format!("`{}`", action.as_str())), "docs/API.md says nothing about {action:?}");
        }
    }
}
