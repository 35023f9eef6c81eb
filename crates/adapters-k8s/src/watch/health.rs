//! One line in the log when the cluster begins to refuse watches, and one when it no longer does: an administrator must act, and a line
//! for every try would bury that (RELIABILITY F39).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use kube::runtime::watcher;

/// The kinds whose watch is refused. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Health(Arc<Mutex<BTreeSet<String>>>);

impl Health {
    /// The watch has told something.
    pub(super) fn well(&self, kind: &str) {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.remove(kind) && refused.is_empty() {
            tracing::info!("the cluster lets the control plane watch again");
        }
    }

    /// The watch has ended with an error; it begins again by itself.
    pub(super) fn ill(&self, kind: &str, error: &watcher::Error) {
        tracing::debug!(kind, %error, "a watch was interrupted");
        let Some(words) = refusal(error) else { return };
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.is_empty() {
            tracing::warn!(
                kind,
                reason = words,
                "the cluster refuses the control plane's watches: run `shopwright clusters prepare`; they go on by themselves"
            );
        }
        refused.insert(kind.to_owned());
    }
}

/// The cluster's words, when it is a matter of rights or credentials.
fn refusal(error: &watcher::Error) -> Option<&str> {
    let (watcher::Error::InitialListFailed(cause)
    | watcher::Error::WatchStartFailed(cause)
    | watcher::Error::WatchFailed(cause)) = error
    else {
        return None;
    };
    match cause {
        kube::Error::Api(status) if matches!(status.code, 401 | 403) => Some(&status.message),
        _ => None,
    }
}
