//! Organisations: roles, what each may do, names, invitations.
//!
//! [`Role::may`] is the one table of roles and actions. Use cases ask it, the documentation prints it, and the tests of the API are
//! generated from it.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::identity::Email;
use crate::ids::InvalidId;

/// What somebody is in an organisation, the most powerful first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Everything, and who else is an owner. An organisation always has one.
    Owner,
    /// Everything but that.
    Admin,
    /// Makes stores and mends them.
    Developer,
    /// Looks.
    Viewer,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Developer, Self::Viewer];

    /// The role as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Developer => "developer",
            Self::Viewer => "viewer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| InvalidId { kind: "role", value: text.chars().take(80).collect() })
    }
}

/// Declares every action with its words, the least powerful role that may do it, and whether a platform administrator may do it to
/// organisations that they are no member of.
macro_rules! actions {
    ($($(#[$doc:meta])* $action:ident = $words:literal, from $role:ident, elsewhere $elsewhere:literal;)*) => {
        /// What can be done in an organisation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $($(#[$doc])* $action,)*
        }

        impl Action {
            /// All actions.
            pub const ALL: &[Self] = &[$(Self::$action,)*];

            /// The action in words that follow `may`.
            pub const fn words(self) -> &'static str {
                match self {
                    $(Self::$action => $words,)*
                }
            }

            /// The least powerful role that may do it.
            const fn least(self) -> Role {
                match self {
                    $(Self::$action => Role::$role,)*
                }
            }

            /// Whether a platform administrator may do it to what other organisations own.
            pub const fn is_for_the_platform(self) -> bool {
                match self {
                    $(Self::$action => $elsewhere,)*
                }
            }
        }
    };
}

actions! {
    /// Stores, their logs, operations and progress; limits.
    ReadStores = "look at stores, their logs and operations", from Viewer, elsewhere true;
    /// Asking for a store.
    CreateStores = "create stores", from Developer, elsewhere false;
    /// Retrying, cancelling, upgrading.
    ChangeStores = "retry, cancel and upgrade", from Developer, elsewhere true;
    /// Deleting a store with all its data.
    DeleteStores = "delete stores", from Admin, elsewhere true;
    /// The administrator's credentials of stores: seeing and replacing them.
    UseCredentials = "see and replace the credentials of stores", from Admin, elsewhere false;
    /// The audit trail of the whole organisation, with addresses of people.
    ReadAudit = "read the audit trail", from Developer, elsewhere true;
    /// The organisation and its members.
    ReadMembers = "see the members", from Viewer, elsewhere false;
    /// Inviting, removing and changing members who are no owners; seeing and revoking invitations.
    ManageMembers = "invite, change and remove members", from Admin, elsewhere false;
    /// The same with owners, and making some.
    ManageOwners = "make, change and remove owners", from Owner, elsewhere false;
    /// The organisation's name.
    Rename = "rename the organisation", from Admin, elsewhere false;
    /// The organisation itself.
    Dissolve = "delete the organisation", from Owner, elsewhere false;
}

impl Role {
    /// Whether this role may do it.
    pub const fn may(self, action: Action) -> bool {
        self as u8 <= action.least() as u8
    }

    /// What somebody of this role needs to be allowed to make, change or remove a member of `other`.
    pub const fn to_manage(other: Self) -> Action {
        match other {
            Self::Owner => Action::ManageOwners,
            Self::Admin | Self::Developer | Self::Viewer => Action::ManageMembers,
        }
    }
}

/// The table of roles and actions in Markdown, as the documentation has it.
pub fn table() -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mark = |may: bool| if may { "yes" } else { "-" }.to_owned();
    let roles = Role::ALL.map(|role| role.to_string());
    let head = ["may".to_owned()].into_iter().chain(roles).chain(["platform administrator, elsewhere".to_owned()]);
    let rule = line(vec!["---".to_owned(); Role::ALL.len() + 2]);
    let row = |action: &Action| {
        let allowed = Role::ALL.map(|role| mark(role.may(*action)));
        let cells = [action.words().to_owned()].into_iter().chain(allowed).chain([mark(action.is_for_the_platform())]);
        line(cells.collect())
    };
    let rows = Action::ALL.iter().map(row);
    [line(head.collect()), rule].into_iter().chain(rows).collect()
}

/// What an organisation is called: 1 to 64 printable characters, without blanks around them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganisationName(String);

/// A text that is no name for an organisation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("name must have 1 to {} printable characters", OrganisationName::LONGEST)]
pub struct InvalidOrganisationName;

impl OrganisationName {
    /// Characters of the longest name.
    pub const LONGEST: usize = 64;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OrganisationName {
    type Err = InvalidOrganisationName;

    fn from_str(text: &str) -> Result<Self, InvalidOrganisationName> {
        let name = text.trim();
        let shown = name.chars().count();
        if shown == 0 || shown > Self::LONGEST || name.chars().any(char::is_control) {
            return Err(InvalidOrganisationName);
        }
        Ok(Self(name.to_owned()))
    }
}

/// What became of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationState {
    /// It can be accepted.
    Open,
    /// Somebody accepted it: it is good for one person.
    Accepted,
    /// It was taken back.
    Revoked,
    /// Its time is over.
    Expired,
}

/// When what happened to an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvitationTimes {
    /// From then on it is worth nothing.
    pub expires_at: Timestamp,
    /// When it was accepted.
    pub accepted_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

impl InvitationTimes {
    /// What it is now.
    pub fn state(&self, now: Timestamp) -> InvitationState {
        match self {
            Self { accepted_at: Some(_), .. } => InvitationState::Accepted,
            Self { revoked_at: Some(_), .. } => InvitationState::Revoked,
            Self { expires_at, .. } if now >= *expires_at => InvitationState::Expired,
            Self { .. } => InvitationState::Open,
        }
    }
}

/// Whether an invitation that is meant for `meant` is for whoever has this address. One that names nobody is for its bearer.
pub fn is_for(meant: Option<&Email>, address: &Email) -> bool {
    meant.is_none_or(|meant| meant == address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_role_may_every_more_powerful_one_may_too() {
        for action in Action::ALL {
            let allowed = Role::ALL.map(|role| role.may(*action));
            assert!(allowed.is_sorted_by(|more, less| more >= less), "{action:?}: {allowed:?}");
            assert!(Role::Owner.may(*action), "{action:?}");
        }
    }

    #[test]
    fn a_viewer_changes_nothing_and_sees_no_secret() {
        let allowed: Vec<_> = Action::ALL.iter().filter(|action| Role::Viewer.may(**action)).collect();

        assert_eq!(allowed, [&Action::ReadStores, &Action::ReadMembers]);
    }

    #[test]
    fn credentials_are_for_owners_and_admins_and_no_platform_administrator() {
        let allowed = Role::ALL.map(|role| role.may(Action::UseCredentials));

        assert_eq!(allowed, [true, true, false, false]);
        assert!(!Action::UseCredentials.is_for_the_platform());
    }

    #[test]
    fn only_owners_make_owners() {
        for role in Role::ALL {
            assert_eq!(role.may(Role::to_manage(Role::Owner)), role == Role::Owner);
            assert_eq!(role.may(Role::to_manage(Role::Admin)), role <= Role::Admin);
        }
    }

    #[test]
    fn every_role_is_read_from_its_own_word_alone() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert!("Owner".parse::<Role>().is_err());
    }

    #[test]
    fn names_are_trimmed_and_checked() {
        let name = |text: &str| text.parse::<OrganisationName>().map(|name| name.as_str().to_owned());

        assert_eq!(name("  Tea & Söhne "), Ok("Tea & Söhne".to_owned()));
        for text in ["", "  ", "a\nb", "x".repeat(65).as_str()] {
            assert_eq!(name(text), Err(InvalidOrganisationName), "{text:?}");
        }
        assert!(name(&"ä".repeat(64)).is_ok());
    }

    #[test]
    fn an_invitation_is_good_once_until_it_ends_or_is_taken_back() {
        let at = |seconds| Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(seconds);
        let open = InvitationTimes { expires_at: at(10), accepted_at: None, revoked_at: None };

        assert_eq!(open.state(at(9)), InvitationState::Open);
        assert_eq!(open.state(at(10)), InvitationState::Expired);
        assert_eq!(InvitationTimes { revoked_at: Some(at(1)), ..open }.state(at(2)), InvitationState::Revoked);
        let accepted = InvitationTimes { accepted_at: Some(at(1)), ..open };
        assert_eq!(accepted.state(at(99)), InvitationState::Accepted);
    }

    #[test]
    fn an_invitation_that_names_an_address_is_for_nobody_else() {
        let (ada, bob): (Email, Email) = ("ada@example.com".parse().unwrap(), "bob@example.com".parse().unwrap());

        assert!(is_for(None, &ada) && is_for(Some(&ada), &ada) && !is_for(Some(&ada), &bob));
    }

    #[test]
    fn the_documentation_has_the_table_of_the_code() {
        let text = include_str!("../../../docs/API.md");

        assert!(text.contains(&table()), "put this into docs/API.md:\n\n{}", table());
    }
}
