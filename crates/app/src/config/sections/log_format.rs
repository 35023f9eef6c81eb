//! How log lines look.

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// For people.
    Text,
}

impl LogFormat {
    pub(in crate::config) const WORDS: [(&'static str, Self); 2] = [("json", Self::Json), ("text", Self::Text)];
}
