//! What a program may do in a person's name: the scopes of API tokens.

use std::fmt;
use std::str::FromStr;

use crate::ids::InvalidId;

/// One thing that an API token may be used for. A person who is signed in may do all of them, and some that no token may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// See whose token it is.
    AccountRead,
    /// Look at stores, their logs and operations.
    StoresRead,
    /// Create, delete, retry and cancel.
    StoresWrite,
    /// Use the powers of a platform administrator. Without it an administrator's token is that of an ordinary user.
    PlatformAdmin,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 4] = [Self::AccountRead, Self::StoresRead, Self::StoresWrite, Self::PlatformAdmin];

    /// The scope as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountRead => "account:read",
            Self::StoresRead => "stores:read",
            Self::StoresWrite => "stores:write",
            Self::PlatformAdmin => "platform:admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| InvalidId { kind: "scope", value: text.chars().take(80).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_is_read_from_its_own_word_alone() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
            assert!(scope.as_str().to_uppercase().parse::<Scope>().is_err());
        }
        assert!("stores:*".parse::<Scope>().is_err());
    }
}
