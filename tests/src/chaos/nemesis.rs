//! What is done to the system, by a plan that the seed decides.
//!
//! Two hands at once: one kills replicas, the other breaks everything around them. At most one replica stands still at a time, and the one
//! that is killed is another, so that somebody is left who can take over: the promise is about the death of an owner, not of all.

mod around;
mod kills;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_util::sync::CancellationToken;

pub(super) use around::Trouble;

use super::Stage;
use super::dice::Dice;

/// What was done, for the report.
#[derive(Debug, Default)]
pub(super) struct Deeds {
    /// Replicas killed.
    pub kills: AtomicU64,
    /// Of them, those that held operations.
    pub with_work: AtomicU64,
    /// Other troubles by kind, in the order of [`Trouble::ALL`].
    troubles: [AtomicU64; Trouble::ALL.len()],
}

impl Deeds {
    fn count(&self, trouble: Trouble) {
        if let Some(index) = Trouble::ALL.iter().position(|other| *other == trouble) {
            self.troubles[index].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often each kind of trouble was made.
    pub(super) fn troubles(&self) -> impl Iterator<Item = (Trouble, u64)> {
        Trouble::ALL.into_iter().zip(self.troubles.iter().map(|count| count.load(Ordering::Relaxed)))
    }
}

/// Kills as many replicas as the plan says, amid all kinds of trouble, and leaves everything mended.
///
/// # Errors
/// When the harness itself cannot do what it must.
pub(super) async fn rage(stage: &Arc<Stage>) -> anyhow::Result<()> {
    let enough = CancellationToken::new();
    let around = {
        let (stage, enough) = (Arc::clone(stage), enough.clone());
        tokio::spawn(async move { around::trouble(&stage, Dice::of(stage.plan.seed, "trouble"), &enough).await })
    };
    let killed = kills::kill(stage, Dice::of(stage.plan.seed, "kills")).await;
    enough.cancel();
    around.await??;
    killed
}
