//! What must never be seen, collected from everybody who looks.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Broken promises, each told once.
#[derive(Debug, Default)]
pub(super) struct Violations(Mutex<BTreeSet<String>>);

impl Violations {
    /// One more, said at once and in the report.
    pub(super) fn add(&self, what: impl Into<String>) {
        let what = what.into();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.insert(what.clone()) {
            eprintln!("VIOLATION: {what}");
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
