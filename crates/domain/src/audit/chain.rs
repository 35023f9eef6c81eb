//! The chain that makes tampering visible: each entry's digest covers the entry and the digest before it (RELIABILITY S24).
//!
//! What is covered are the entry's bytes: every field in a fixed order, each with its length before it, so that no two entries have the
//! same bytes. A tenant's head remembers number and digest of its last entry: what is cut off at the end is missed there. Whoever can
//! change every row *and* the head can make a new chain; the head's digest, noted elsewhere, shows that too.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use sha2::{Digest, Sha256};

use super::{AuditEvent, MetadataValue};
use crate::identity::Credential;
use crate::ids::TenantId;

/// A digest of the chain; the one before the first entry is all zeros. Shown as 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ChainDigest(pub [u8; 32]);

impl fmt::Display for ChainDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The end of a tenant's chain, as its row remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainHead {
    /// Whose chain.
    pub tenant_id: TenantId,
    /// The number of its last entry; 0 when there is none.
    pub sequence: u64,
    /// That entry's digest.
    pub digest: ChainDigest,
}

/// The bytes of an entry, one field after another.
struct Bytes(String);

impl Bytes {
    fn field(&mut self, text: &str) {
        // Writing to a string does not fail.
        let _ = write!(self.0, "{}:{text}", text.len());
    }

    fn optional(&mut self, value: Option<impl fmt::Display>) {
        match value {
            Some(value) => self.field(&value.to_string()),
            None => self.0.push('-'),
        }
    }

    fn map(&mut self, entries: &BTreeMap<String, MetadataValue>) {
        let mut inner = Self(String::new());
        for (key, value) in entries {
            inner.field(key);
            let (kind, text) = match value {
                MetadataValue::Text(text) => ("string", text.clone()),
                MetadataValue::Number(number) => ("number", number.to_string()),
                MetadataValue::Flag(flag) => ("boolean", flag.to_string()),
            };
            inner.field(kind);
            inner.field(&text);
        }
        self.field(&inner.0);
    }
}

/// The digest of the entry `sequence`, when `previous` is the one before it. A database that computes digests itself must come to the
/// same: `migrations/20261125100100_chain_audit_events.sql`.
pub fn digest(previous: ChainDigest, sequence: u64, event: &AuditEvent) -> ChainDigest {
    let mut bytes = Bytes(String::from("shopwright-audit-1"));
    bytes.field(&event.tenant_id.to_string());
    bytes.field(&sequence.to_string());
    bytes.optional(event.store_id.as_ref());
    bytes.optional(event.operation_id);
    bytes.field(event.event_type.as_str());
    bytes.optional(event.previous);
    bytes.optional(event.new);
    bytes.field(&event.message);
    bytes.map(&event.metadata);
    bytes.map(&event.before);
    bytes.map(&event.after);
    bytes.optional(event.actor);
    bytes.optional(event.actor_email.as_ref());
    bytes.optional(event.credential.and_then(Credential::session));
    bytes.optional(event.credential.and_then(Credential::api_token));
    bytes.optional(event.ip_address.as_ref());
    bytes.optional(event.request_id.as_ref());
    bytes.optional(event.epoch.map(|epoch| epoch.0));
    bytes.field(&event.at.as_microsecond().to_string());
    let mut hash = Sha256::new();
    hash.update(previous.0);
    hash.update(bytes.0);
    ChainDigest(hash.finalize().into())
}

/// Where a chain is broken. It names the first entry at which it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The number is not there, and later ones are: the entry was removed.
    #[error("entry {sequence} is missing")]
    Missing {
        /// The missing number.
        sequence: u64,
    },
    /// The digest does not follow from the entry and the one before: it was edited or inserted, or entries changed places.
    #[error("entry {sequence} is not what was written: it was edited or inserted, or stands in another's place")]
    Altered {
        /// The entry.
        sequence: u64,
    },
    /// The chain ends before its head: entries were cut off.
    #[error("entry {sequence} is missing, with all up to {head}: the chain was cut off")]
    CutOff {
        /// The first number that is missing.
        sequence: u64,
        /// The last number that was ever given.
        head: u64,
    },
    /// There are entries behind the head: somebody appended without the chain.
    #[error("entry {sequence} is behind the head of the chain: it was added from outside")]
    Beyond {
        /// The entry.
        sequence: u64,
    },
    /// The last entry follows from the one before, but it is not the one that the head remembers: entries were replaced together with
    /// their digests.
    #[error("entry {sequence} is not the one that the head of the chain remembers: the end of the chain was replaced")]
    Replaced {
        /// The last entry.
        sequence: u64,
    },
}

/// Goes along a chain from its first entry.
#[derive(Debug, Clone)]
pub struct Verifier {
    head: ChainHead,
    last: u64,
    digest: ChainDigest,
}

impl Verifier {
    /// At the beginning of the chain that ends at `head`.
    pub fn new(head: ChainHead) -> Self {
        Self { head, last: 0, digest: ChainDigest::default() }
    }

    /// The number of the last entry that was looked at.
    pub const fn last(&self) -> u64 {
        self.last
    }

    /// Looks at the next entry by its number. Entries that were added since the head was read are left alone.
    ///
    /// # Errors
    /// [`Broken`], and then the chain need not be looked at any further.
    pub fn next(&mut self, sequence: u64, event: &AuditEvent, digest: ChainDigest) -> Result<(), Broken> {
        if self.last == self.head.sequence {
            return Ok(());
        }
        let expected = self.last + 1;
        if sequence > expected {
            return Err(Broken::Missing { sequence: expected });
        }
        if sequence < expected || self::digest(self.digest, sequence, event) != digest {
            return Err(Broken::Altered { sequence });
        }
        (self.last, self.digest) = (sequence, digest);
        Ok(())
    }

    /// All entries were looked at.
    ///
    /// # Errors
    /// [`Broken`] when the chain does not end where its head says.
    pub fn end(&self) -> Result<(), Broken> {
        if self.last < self.head.sequence {
            return Err(Broken::CutOff { sequence: self.last + 1, head: self.head.sequence });
        }
        if self.digest != self.head.digest {
            return Err(Broken::Replaced { sequence: self.last });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
