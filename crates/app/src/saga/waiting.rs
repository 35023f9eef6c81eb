//! What a step under way waits for, told to readers while it waits: nobody has to guess for longer than some seconds.

use std::time::Duration;

use futures::future::{Either, select};
use shopwright_domain::store::Failure;
use shopwright_ports::storage::{Lease, Reach, StorageError};

use super::effects::Effect;
use super::executor::Executor;
use super::run::{Halt, Run};

/// A call that takes longer than this is worth a look at the cluster; and so again each time.
const SLOW: Duration = Duration::from_secs(20);
/// That look itself does not take longer.
const LOOK: Duration = Duration::from_secs(10);

impl Executor {
    /// Tells readers what the step waits for, or that it does not wait any more. Written when it changes, not at each look.
    pub(super) async fn note(&self, run: &mut Run<'_>, waits_for: Option<Failure>) -> Result<(), StorageError> {
        if run.noted == waits_for {
            return Ok(());
        }
        self.write_note(&run.lease, waits_for.as_ref()).await?;
        run.noted = waits_for;
        run.told = true;
        Ok(())
    }

    async fn write_note(&self, lease: &Lease, waits_for: Option<&Failure>) -> Result<(), StorageError> {
        let mut tx = self.storage.begin(Reach::Worker).await?;
        tx.operations().note_waiting(lease, waits_for).await?;
        tx.commit().await
    }

    /// Sees an effect to its end. When it takes long, for instance because an apiserver froze under helm (RELIABILITY F37), the cluster is
    /// asked, and readers learn what it says. Returns whether they were told something.
    pub(super) async fn attend(
        &self,
        lease: &Lease,
        effect: impl Future<Output = Result<Effect, Halt>>,
    ) -> (Result<Effect, Halt>, bool) {
        let mut effect = Box::pin(effect);
        let mut told = false;
        loop {
            match select(effect, self.clock.sleep(SLOW)).await {
                Either::Left((outcome, _)) => return (outcome, told),
                Either::Right(((), pending)) => effect = pending,
            }
            let look = async {
                let check = Box::pin(self.cluster.check());
                let Either::Left((Err(error), _)) = select(check, self.clock.sleep(LOOK)).await else { return false };
                let failure = Failure::new(error.code, error.detail);
                // Best effort: who really lost the lease learns it from the next record.
                self.write_note(lease, Some(&failure)).await.is_ok()
            };
            match select(effect, Box::pin(look)).await {
                Either::Left((outcome, _)) => return (outcome, told),
                Either::Right((noted, pending)) => {
                    told |= noted;
                    effect = pending;
                }
            }
        }
    }
}
