//! One watch for as long as the process lives: it lists, follows, and begins again after whatever ends it.
//!
//! Only what the cluster really tells shortens its pauses. The driver's own pauses would not grow in an outage, for it says "I begin to
//! list" before each try, and would not heed `Retry-After`.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use kube::api::Api;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Config, DefaultBackoff, Event, watcher};
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::health::Health;
use super::index::Index;
use crate::stack::Throttle;

/// What a watch fills and tells.
pub(super) struct Follower<K> {
    pub(super) index: Arc<Index<K>>,
    pub(super) changes: watch::Sender<u64>,
    pub(super) health: Health,
    pub(super) throttle: Throttle,
}

impl<K> Follower<K>
where
    K: Resource<DynamicType = ()> + ResourceExt + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    /// Never returns.
    pub(super) async fn follow(self, api: Api<K>, config: Config) {
        let kind = K::kind(&());
        let mut pauses = DefaultBackoff::default();
        loop {
            let mut events = watcher(api.clone(), config.clone()).boxed();
            while let Some(event) = events.next().await {
                match event {
                    Ok(event) => {
                        if !matches!(event, Event::Init | Event::InitApply(_)) {
                            pauses.reset();
                            self.health.well(&kind);
                        }
                        self.index.take(event);
                        self.tell();
                    }
                    Err(error) => {
                        // Until it speaks again, readers ask the cluster.
                        self.index.doubt();
                        self.tell();
                        self.health.ill(&kind, &error);
                        self.pause(&mut pauses).await;
                        if is_too_old(&error) {
                            break;
                        }
                    }
                }
            }
        }
    }

    fn tell(&self) {
        self.changes.send_modify(|version| *version = version.wrapping_add(1));
    }

    async fn pause(&self, pauses: &mut DefaultBackoff) {
        let own = pauses.next().unwrap_or(Duration::from_secs(30));
        tokio::time::sleep(own.max(self.throttle.remaining())).await;
    }
}

/// Whether the version to go on from is forgotten, so that only a new list helps. The driver sees to it when that is told within a watch,
/// and asks for the same version for ever when it is the answer to the request itself.
fn is_too_old(error: &watcher::Error) -> bool {
    matches!(error, watcher::Error::WatchStartFailed(kube::Error::Api(status)) if status.code == 410)
}

#[cfg(test)]
mod tests;
