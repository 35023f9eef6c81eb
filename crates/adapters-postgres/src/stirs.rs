//! Hints that there are new events, within this process.

use std::sync::Arc;

use tokio::sync::Notify;

/// Told at every commit that has written events. Storages of one process share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stirs(Arc<Notify>);

impl Stirs {
    /// There may be new events.
    pub(crate) fn stir(&self) {
        // One that nobody waits for is kept for whoever waits next.
        self.0.notify_one();
    }

    /// Returns after the next [`Stirs::stir`].
    pub(crate) async fn wait(&self) {
        self.0.notified().await;
    }
}
