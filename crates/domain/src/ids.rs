//! Identifiers: newtypes that cannot be mixed up. Random ones are made from bits that the caller brings.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// A text that is not an identifier of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not a {kind}")]
pub struct InvalidId {
    /// What was expected, in words.
    pub kind: &'static str,
    /// What came instead, cut to 80 characters.
    pub value: String,
}

impl InvalidId {
    fn new(kind: &'static str, value: &str) -> Self {
        Self { kind, value: value.chars().take(80).collect() }
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that is known to be of this kind.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// A version 4 UUID of the caller's random bits.
            pub fn from_random(bits: u128) -> Self {
                Self(uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid())
            }

            /// The UUID inside.
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::parse_str(text).map(Self).map_err(|_| InvalidId::new($kind, text))
            }
        }
    };
}

uuid_id!(
    /// An organisation: what owns stores, and what quotas count.
    TenantId, "tenant id"
);
uuid_id!(
    /// A person who signs in.
    UserId, "user id"
);
uuid_id!(
    /// One sign-in of a person, until they sign out: a family of refresh tokens.
    SessionId, "session id"
);
uuid_id!(
    /// A token that a person made for a program.
    ApiTokenId, "API token id"
);
uuid_id!(
    /// An invitation to an organisation.
    InvitationId, "invitation id"
);
uuid_id!(
    /// One run of a saga on a store.
    OperationId, "operation id"
);
uuid_id!(
    /// One start of one worker process: never a host or pod name, for those come back (RELIABILITY F8).
    WorkerId, "worker id"
);

/// `store-` and 8 hexadecimal digits: the store's id, namespace and release in one. Never reused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreId(String);

impl StoreId {
    /// The id of 32 random bits.
    pub fn from_random(bits: u32) -> Self {
        Self(format!("store-{bits:08x}"))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The namespace that belongs to the store: the id itself.
    pub fn namespace(&self) -> &str {
        &self.0
    }

    /// The name of the store's Helm release: the id itself.
    pub fn release(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for StoreId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let digits = text.strip_prefix("store-").filter(|rest| rest.len() == 8);
        match digits {
            Some(digits) if digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) => Ok(Self(text.to_owned())),
            _ => Err(InvalidId::new("store id", text)),
        }
    }
}

/// The name of a registered cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterName(String);

impl ClusterName {
    /// The cluster that the environment describes.
    pub fn default_cluster() -> Self {
        Self("default".to_owned())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ClusterName {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let ok = (1..=40).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        if ok { Ok(Self(text.to_owned())) } else { Err(InvalidId::new("cluster name", text)) }
    }
}

/// The fencing number of a store: raised at every claim of any of its operations, it never goes back (DECISIONS 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch(pub i64);

impl Epoch {
    /// The epoch of the next claim.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The optimistic lock of a row: raised by every write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RowVersion(pub i64);

impl RowVersion {
    /// The version after one more write.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// What ties log lines, audit rows and operations to the HTTP request that caused them. Bounded, printable ASCII.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(String);

impl RequestId {
    /// `req_` and 12 hexadecimal digits of the caller's random bits.
    pub fn from_random(bits: u64) -> Self {
        Self(format!("req_{:012x}", bits & 0xffff_ffff_ffff))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RequestId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let ok = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if ok { Ok(Self(text.to_owned())) } else { Err(InvalidId::new("request id", text)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_id_is_its_prefix_and_eight_digits() {
        let id = StoreId::from_random(0xab);

        assert_eq!(id.as_str(), "store-000000ab");
        assert_eq!("store-000000ab".parse(), Ok(id));
    }

    #[test]
    fn what_is_not_a_store_id_is_refused() {
        for text in [
            "",
            "store-",
            "store-000000AB",
            "store-000000a",
            "store-000000abc",
            "shop-000000ab",
            "store-00000 ab",
            "store-000000ä",
        ] {
            assert!(text.parse::<StoreId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_request_id_holds_nothing_that_could_break_a_log_line() {
        assert!("abc\n".parse::<RequestId>().is_err());
        assert!("x".repeat(129).parse::<RequestId>().is_err());
        assert!("trace-1/2".parse::<RequestId>().is_ok());
    }
}
