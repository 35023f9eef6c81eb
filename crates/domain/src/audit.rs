//! What is written down about every change, in the same transaction as the change.

pub mod chain;
mod security;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::identity::Credential;
use crate::ids::{Epoch, InvalidId, OperationId, RequestId, StoreId, TenantId, UserId};
use crate::store::{Store, StoreState};

pub use chain::{Broken, ChainDigest, ChainHead};
pub use security::SecurityAction;

/// What kind of event it is. These words are part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuditEventType {
    /// A store was asked for.
    StoreCreated,
    /// A store changed its state; the only type that carries both states.
    StatusChange,
    /// Something that happened on the way.
    Info,
    /// Helm installed or upgraded the release.
    HelmInstall,
    /// Helm removed the release.
    HelmUninstall,
    /// Something that was overcome.
    Warning,
    /// Something that was not.
    Error,
    /// A worker took over from one that died or stalled.
    Recovery,
    /// Sign-ins, registrations, credentials.
    Security,
}

impl AuditEventType {
    /// All types.
    pub const ALL: [Self; 9] = [
        Self::StoreCreated,
        Self::StatusChange,
        Self::Info,
        Self::HelmInstall,
        Self::HelmUninstall,
        Self::Warning,
        Self::Error,
        Self::Recovery,
        Self::Security,
    ];

    /// The type as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StoreCreated => "store_created",
            Self::StatusChange => "status_change",
            Self::Info => "info",
            Self::HelmInstall => "helm_install",
            Self::HelmUninstall => "helm_uninstall",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Recovery => "recovery",
            Self::Security => "security",
        }
    }
}

impl fmt::Display for AuditEventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AuditEventType {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| InvalidId { kind: "audit event type", value: text.chars().take(80).collect() })
    }
}

/// One value of an event's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetadataValue {
    /// Words. Never a secret.
    Text(String),
    /// A count or milliseconds.
    Number(i64),
    /// Yes or no.
    Flag(bool),
}

impl From<&str> for MetadataValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for MetadataValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for MetadataValue {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for MetadataValue {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// An event before it has its number: storage gives it the next one of the tenant's chain when it is appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// The organisation in whose chain it stands.
    pub tenant_id: TenantId,
    /// The store it is about.
    pub store_id: Option<StoreId>,
    /// The operation it is about.
    pub operation_id: Option<OperationId>,
    /// What kind of event it is.
    pub event_type: AuditEventType,
    /// The state before, for a change of state.
    pub previous: Option<StoreState>,
    /// The state after.
    pub new: Option<StoreState>,
    /// One sentence for people.
    pub message: String,
    /// Details for programs; keys are camelCase as in the API.
    pub metadata: BTreeMap<String, MetadataValue>,
    /// What was changed, as it was before. Never a secret.
    pub before: BTreeMap<String, MetadataValue>,
    /// The same, as it is since.
    pub after: BTreeMap<String, MetadataValue>,
    /// Who did it; nobody for what a worker does on its own.
    pub actor: Option<UserId>,
    /// The actor's e-mail at that time.
    pub actor_email: Option<String>,
    /// The sign-in or token by which they did it.
    pub credential: Option<Credential>,
    /// The address the request came from.
    pub ip_address: Option<String>,
    /// The request that caused it, also for what happens long after.
    pub request_id: Option<RequestId>,
    /// The epoch under which a worker wrote it.
    pub epoch: Option<Epoch>,
    /// When it happened.
    pub at: Timestamp,
}

impl AuditEvent {
    /// An event with nothing but the necessary.
    pub fn new(tenant_id: TenantId, event_type: AuditEventType, message: impl Into<String>, at: Timestamp) -> Self {
        Self {
            tenant_id,
            store_id: None,
            operation_id: None,
            event_type,
            previous: None,
            new: None,
            message: message.into(),
            metadata: BTreeMap::new(),
            before: BTreeMap::new(),
            after: BTreeMap::new(),
            actor: None,
            actor_email: None,
            credential: None,
            ip_address: None,
            request_id: None,
            epoch: None,
            at,
        }
    }

    /// Adds one detail.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<MetadataValue>) -> Self {
        self.metadata.insert(key.to_owned(), value.into());
        self
    }

    /// Adds what was changed about something: its value before and since. Two that are equal are no change.
    #[must_use]
    pub fn changing(mut self, key: &str, before: impl Into<MetadataValue>, after: impl Into<MetadataValue>) -> Self {
        let (before, after) = (before.into(), after.into());
        if before != after {
            self.before.insert(key.to_owned(), before);
            self.after.insert(key.to_owned(), after);
        }
        self
    }

    /// Adds what is different about a store; without `before` it is new.
    #[must_use]
    pub fn changing_store(mut self, before: Option<&Store>, after: &Store) -> Self {
        let (old, new) = (before.map(facts).unwrap_or_default(), facts(after));
        let differs = |key: &str| old.get(key) != new.get(key);
        let only = |facts: &BTreeMap<&'static str, MetadataValue>| -> BTreeMap<String, MetadataValue> {
            let changed = facts.iter().filter(|(key, _)| differs(key));
            changed.map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
        };
        self.before.extend(only(&old));
        self.after.extend(only(&new));
        self
    }
}

/// What an audit entry says of a store. Never a secret; what comes with every change, such as versions and times, is left out.
fn facts(store: &Store) -> BTreeMap<&'static str, MetadataValue> {
    let mut facts = BTreeMap::from([
        ("name", store.name.as_str().into()),
        ("host", store.host.as_str().into()),
        ("engine", store.engine.as_str().into()),
        ("cluster", store.cluster.as_str().into()),
        ("ownerId", store.owner_id.to_string().into()),
        ("status", store.state.as_str().into()),
        ("retryCount", i64::from(store.retry_count).into()),
    ]);
    let mut optional = |key, value: Option<&str>| {
        if let Some(value) = value {
            facts.insert(key, value.into());
        }
    };
    optional("theme", store.theme.as_ref().map(crate::store::ThemeName::as_str));
    optional("failureCode", store.failure.as_ref().map(|failure| failure.code.as_str()));
    optional("storefrontUrl", store.urls.as_ref().map(|urls| urls.storefront.as_str()));
    optional("adminUrl", store.urls.as_ref().map(|urls| urls.admin.as_str()));
    optional("engineNote", store.engine_note.as_deref());
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::StoreId;
    use crate::store::{StoreEvent, example_store};

    fn text(map: &BTreeMap<String, MetadataValue>) -> String {
        map.iter().map(|(key, value)| format!("{key}={value:?}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn only_what_changed_about_a_store_is_told() {
        let (tenant, now) = (TenantId::from_random(1), Timestamp::UNIX_EPOCH);
        let before = example_store(StoreId::from_random(1), tenant, "teashop".parse().unwrap(), now);
        let mut after = before.clone();
        after.apply(StoreEvent::ProvisioningStarted, now).unwrap();
        let event = || AuditEvent::new(tenant, AuditEventType::StatusChange, "", now);

        let changed = event().changing_store(Some(&before), &after);
        let made = event().changing_store(None, &before);
        let same = event().changing_store(Some(&after), &after);

        assert_eq!(text(&changed.before), r#"status=Text("requested")"#);
        assert_eq!(text(&changed.after), r#"status=Text("provisioning")"#);
        assert!(made.before.is_empty() && made.after.len() >= 7, "{made:?}");
        assert!(same.before.is_empty() && same.after.is_empty(), "{same:?}");
    }

    #[test]
    fn values_that_are_equal_are_no_change() {
        let event = AuditEvent::new(TenantId::from_random(1), AuditEventType::Security, "", Timestamp::UNIX_EPOCH)
            .changing("role", "viewer", "admin")
            .changing("active", true, true);

        assert_eq!(text(&event.before), r#"role=Text("viewer")"#);
        assert_eq!(text(&event.after), r#"role=Text("admin")"#);
    }
}
