//! Waiting for a namespace and its volumes to be gone, and telling what holds them. What holds them is never taken off: neither an object's
//! finalizers nor the namespace's own (RELIABILITY F55).

mod obstacle;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, PersistentVolume};
use kube::ResourceExt;
use kube::core::params::ListParams;
use shopwright_domain::StoreId;
use shopwright_ports::cluster::{ClusterError, Removal};
use tokio::time::Instant;

use self::obstacle::obstacle;
use crate::KubeCluster;
use crate::calls::Identity;
use crate::names::STORE_ID;
use crate::watch::{claimed_by, is_deleted_with_claim};

/// For how long something must stand in the way before it is called an obstacle: pods take a while to go, and that is none.
const PATIENCE: Duration = Duration::from_secs(10);
/// The least time between two fresh reads of the same store.
const READ_PAUSE: Duration = Duration::from_secs(1);

/// Since when each removal has been seen to be held up.
#[derive(Debug, Default)]
pub(crate) struct Removals(Mutex<HashMap<StoreId, Instant>>);

impl Removals {
    /// Notes whether something stands in the way now, and says for how long something has.
    fn note(&self, store_id: &StoreId, held: bool) -> Duration {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held {
            since.entry(store_id.clone()).or_insert_with(Instant::now).elapsed()
        } else {
            since.remove(store_id);
            Duration::ZERO
        }
    }
}

/// A fresh look at what is left.
enum Left {
    Nothing { retained: Vec<String> },
    Something { obstacle: Option<String> },
}

impl KubeCluster {
    pub(crate) async fn watch_removal(&self, store_id: &StoreId, limit: Duration) -> Result<Removal, ClusterError> {
        let deadline = Instant::now() + limit;
        let mut changes = self.watches.changes();
        let mut next_read = Instant::now();
        loop {
            changes.borrow_and_update();
            let last_look = Instant::now() >= deadline;
            let worth_reading = self.watches.has_remains(store_id) != Some(true);
            if last_look || (worth_reading && Instant::now() >= next_read) {
                next_read = Instant::now() + READ_PAUSE;
                match self.what_is_left(store_id).await? {
                    Left::Nothing { retained } => {
                        self.removals.note(store_id, false);
                        return Ok(Removal::Gone { retained });
                    }
                    Left::Something { obstacle } => {
                        let held_for = self.removals.note(store_id, obstacle.is_some());
                        match obstacle {
                            Some(obstacle) if last_look && held_for >= PATIENCE => {
                                return Ok(Removal::Blocked(self.with_objects(store_id, obstacle).await));
                            }
                            _ if last_look => return Ok(Removal::InProgress),
                            _ => {}
                        }
                    }
                }
            }
            let wake = if worth_reading { next_read.min(deadline) } else { deadline };
            // Either way it is time to look again. The sender lives as long as we do.
            let _ = tokio::time::timeout_at(wake, changes.changed()).await;
        }
    }

    async fn what_is_left(&self, store_id: &StoreId) -> Result<Left, ClusterError> {
        if let Some(namespace) = self.calls.get::<Namespace>(None, store_id.namespace()).await? {
            // Somebody else's namespace of that name is not ours to wait for.
            if namespace.labels().get(STORE_ID).is_some_and(|owner| owner == store_id.as_str()) {
                return Ok(Left::Something { obstacle: obstacle(&namespace) });
            }
        }
        let volumes = self.calls.list::<PersistentVolume>(Identity::Base, None, &ListParams::default()).await?;
        let mut retained = Vec::new();
        for volume in volumes.iter().filter(|volume| claimed_by(volume) == Some(store_id.namespace())) {
            if is_deleted_with_claim(volume) {
                return Ok(Left::Something { obstacle: Some(why_it_stays(volume)) });
            }
            retained.push(volume.name_any());
        }
        retained.sort();
        Ok(Left::Nothing { retained })
    }
}

fn why_it_stays(volume: &PersistentVolume) -> String {
    let status = volume.status.clone().unwrap_or_default();
    let phase = status.phase.unwrap_or_default();
    let finalizers = volume.finalizers().join(", ");
    match status.message.filter(|message| !message.is_empty()) {
        Some(message) => format!("volume {} is {phase}: {message}", volume.name_any()),
        None if finalizers.is_empty() => format!("volume {} is {phase}", volume.name_any()),
        None => format!("volume {} is {phase}; it has the finalizers {finalizers}", volume.name_any()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_obstacle_is_counted_from_when_it_was_first_seen() {
        let removals = Removals::default();
        let store_id = StoreId::from_random(1);

        assert_eq!(removals.note(&store_id, true), Duration::ZERO);
        tokio::time::advance(Duration::from_secs(11)).await;
        assert!(removals.note(&store_id, true) >= PATIENCE);

        removals.note(&store_id, false);
        assert_eq!(removals.note(&store_id, true), Duration::ZERO);
    }
}
