//! What is written down about every change, in the same transaction as the change.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::ids::{Epoch, InvalidId, OperationId, RequestId, StoreId, TenantId, UserId};
use crate::store::StoreState;

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
    /// Who did it; nobody for what a worker does on its own.
    pub actor: Option<UserId>,
    /// The actor's e-mail at that time.
    pub actor_email: Option<String>,
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
            actor: None,
            actor_email: None,
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
}
