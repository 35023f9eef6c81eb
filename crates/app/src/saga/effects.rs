//! What a step leaves behind besides its log line: audit events and what the store's row learns.

use shopwright_domain::audit::{AuditEventType, MetadataValue};

/// An audit event that a step wants written with its record; the executor adds who, when and under which epoch.
#[derive(Debug, Clone)]
pub(super) struct Note {
    pub(super) kind: AuditEventType,
    pub(super) message: String,
    pub(super) metadata: Vec<(&'static str, MetadataValue)>,
}

impl Note {
    pub(super) fn new(kind: AuditEventType, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), metadata: Vec::new() }
    }

    #[must_use]
    pub(super) fn with(mut self, key: &'static str, value: impl Into<MetadataValue>) -> Self {
        self.metadata.push((key, value.into()));
        self
    }
}

/// What a step that succeeded has to say.
#[derive(Debug, Clone, Default)]
pub(super) struct Effect {
    pub(super) notes: Vec<Note>,
    /// What the set-up found that the owner must know.
    pub(super) engine_note: Option<String>,
}

impl Effect {
    pub(super) fn noting(note: Note) -> Self {
        Self { notes: vec![note], engine_note: None }
    }
}
