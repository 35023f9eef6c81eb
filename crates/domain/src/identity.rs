//! People: e-mail addresses, user names, platform roles, the rules for passwords.

mod common;

use std::fmt;
use std::str::FromStr;

use crate::ids::{ApiTokenId, InvalidId, SessionId, TenantId, UserId};
use crate::organisation::{Action, Role};

pub use common::{is_common, repeats};

/// An e-mail address, lower case, as it is stored and looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

/// A text that is no e-mail address of the public internet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("email must be a valid e-mail address")]
pub struct InvalidEmail;

/// Top-level names that no mail server of the public internet has (RFC 2606, 6761, 6762).
const NOT_PUBLIC: &[&str] = &["local", "localhost", "invalid", "test", "onion", "internal"];

impl Email {
    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Email {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, InvalidEmail> {
        let lower = text.trim().to_lowercase();
        let (local, domain) = lower.rsplit_once('@').ok_or(InvalidEmail)?;
        let labels: Vec<&str> = domain.split('.').collect();
        let label_ok = |label: &&str| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let top_ok = labels
            .last()
            .is_some_and(|top| top.len() >= 2 && !top.chars().all(|c| c.is_ascii_digit()) && !NOT_PUBLIC.contains(top));
        let local_ok = (1..=64).contains(&local.len())
            && !local.chars().any(|c| {
                c.is_whitespace()
                    || c.is_control()
                    || matches!(c, '@' | '"' | '<' | '>' | '(' | ')' | ',' | ':' | ';' | '\\' | '[' | ']')
            })
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..");
        if lower.len() <= 255 && labels.len() >= 2 && labels.iter().all(label_ok) && top_ok && local_ok {
            Ok(Self(lower))
        } else {
            Err(InvalidEmail)
        }
    }
}

/// What a user is called: 3 to 128 letters, digits, `_` or `-`. Case matters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Username(String);

/// Why a text is no user name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUsername {
    /// Fewer than 3 characters.
    #[error("username must have at least 3 characters")]
    TooShort,
    /// More than 128 characters.
    #[error("username must have at most 128 characters")]
    TooLong,
    /// A character that is not allowed.
    #[error("username may hold letters, digits, `_` and `-`")]
    Pattern,
}

impl Username {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Username {
    type Err = InvalidUsername;

    fn from_str(text: &str) -> Result<Self, InvalidUsername> {
        match text.chars().count() {
            ..3 => Err(InvalidUsername::TooShort),
            129.. => Err(InvalidUsername::TooLong),
            _ if text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') => Ok(Self(text.to_owned())),
            _ => Err(InvalidUsername::Pattern),
        }
    }
}

/// Why a password is refused. It never holds the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// Fewer than 8 characters.
    #[error("password must have at least 8 characters")]
    TooShort,
    /// More than 128 characters.
    #[error("password must have at most 128 characters")]
    TooLong,
}

/// Checks the rules for every password that a person chooses: for an account and for a store's administrator.
///
/// # Errors
/// [`InvalidPassword`], with the rule that is broken.
pub fn check_password(password: &str) -> Result<(), InvalidPassword> {
    match password.chars().count() {
        ..8 => Err(InvalidPassword::TooShort),
        129.. => Err(InvalidPassword::TooLong),
        _ => Ok(()),
    }
}

/// What a user may do on the platform as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlatformRole {
    /// Sees and mends everything.
    Admin,
    /// Has stores of their own.
    Tenant,
}

impl PlatformRole {
    /// The role as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Tenant => "tenant",
        }
    }
}

impl FromStr for PlatformRole {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text {
            "admin" => Ok(Self::Admin),
            "tenant" => Ok(Self::Tenant),
            other => Err(InvalidId { kind: "role", value: other.chars().take(80).collect() }),
        }
    }
}

/// What a request proved with who sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Credential {
    /// The access token of this sign-in.
    Session(SessionId),
    /// This API token.
    ApiToken(ApiTokenId),
}

impl Credential {
    /// The sign-in, if it is one.
    pub const fn session(self) -> Option<SessionId> {
        match self {
            Self::Session(id) => Some(id),
            Self::ApiToken(_) => None,
        }
    }

    /// The API token, if it is one.
    pub const fn api_token(self) -> Option<ApiTokenId> {
        match self {
            Self::Session(_) => None,
            Self::ApiToken(id) => Some(id),
        }
    }
}

/// Who makes a request: the one source of the tenant for everything that follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The signed-in user.
    pub user_id: UserId,
    /// The organisation in whose name they act.
    pub tenant_id: TenantId,
    /// What they are in it.
    pub member_role: Role,
    /// Their address, for stores and audit rows.
    pub email: Email,
    /// What they may do beyond their own stores.
    pub role: PlatformRole,
}

impl Actor {
    /// Whether they may do this in the organisation in whose name they act.
    pub fn may(&self, action: Action) -> bool {
        self.member_role.may(action)
    }

    /// Whether they may do this to what an organisation owns: their own by their role in it, any other as platform administrators.
    pub fn may_in(&self, tenant_id: TenantId, action: Action) -> bool {
        (self.tenant_id == tenant_id && self.may(action)) || (self.is_admin() && action.is_for_the_platform())
    }

    /// Whether they may see and delete other tenants' stores.
    pub fn is_admin(&self) -> bool {
        self.role == PlatformRole::Admin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_folded_and_checked() {
        assert_eq!(" Ada@Example.COM ".parse::<Email>().unwrap().as_str(), "ada@example.com");
        for text in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@example",
            "ada@shop.local",
            "a b@example.com",
            "ada@-x.com",
            "ada@1.2.3.4",
            "a..b@example.com",
        ] {
            assert!(text.parse::<Email>().is_err(), "{text}");
        }
        assert!("ü@example.com".parse::<Email>().is_ok());
    }

    #[test]
    fn a_password_is_counted_in_characters() {
        assert_eq!(check_password("1234567"), Err(InvalidPassword::TooShort));
        assert_eq!(check_password("ä".repeat(128).as_str()), Ok(()));
        assert_eq!(check_password("ä".repeat(129).as_str()), Err(InvalidPassword::TooLong));
    }
}
