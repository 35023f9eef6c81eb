//! The claim's epoch in the cluster, before anything is changed under it (DECISIONS 5, 6).

use futures::future::BoxFuture;
use shopwright_domain::Epoch;
use shopwright_domain::audit::AuditEventType;
use shopwright_domain::saga::StepError;
use shopwright_ports::cluster::{ClusterError, Fence, NamespaceState};
use shopwright_ports::storage::StorageError;

use super::effects::Note;
use super::executor::Executor;
use super::run::{Halt, Run};

impl Executor {
    /// Makes sure that the cluster knows this claim's epoch.
    pub(super) async fn raise(&self, run: &mut Run<'_>) -> Result<NamespaceState, Halt> {
        if run.raised {
            return Ok(NamespaceState::Present);
        }
        let cluster = self.cluster.cluster();
        let state = self.as_newest(run, |fence| Box::pin(async move { cluster.raise_epoch(&fence).await })).await?;
        run.raised = state == NamespaceState::Present;
        Ok(state)
    }

    /// Makes the namespace, or brings it up to date, with this claim's epoch.
    pub(super) async fn make_namespace(&self, run: &mut Run<'_>) -> Result<(), Halt> {
        let (cluster, engine) = (self.cluster.cluster(), run.store.engine.clone());
        let make = |fence| -> BoxFuture<'_, Result<(), ClusterError>> {
            let engine = engine.clone();
            Box::pin(async move { cluster.ensure_namespace(&fence, &engine).await })
        };
        self.as_newest(run, make).await?;
        run.raised = true;
        Ok(())
    }

    /// Makes a call that writes the epoch. A cluster that knows a later one than the database, while the lease holds there, has seen a
    /// database that was restored from before that: this claim goes on above it (DECISIONS 2).
    async fn as_newest<'c, T>(
        &self,
        run: &mut Run<'_>,
        call: impl Fn(Fence) -> BoxFuture<'c, Result<T, ClusterError>>,
    ) -> Result<T, Halt> {
        match self.cluster.ask(call(run.fence())).await? {
            Err(ClusterError::StaleEpoch { known: Some(known) }) if known > run.lease.epoch => {
                self.lift(run, known).await?;
                Ok(self.cluster.call(call(run.fence())).await?)
            }
            answer => Ok(answer.map_err(StepError::from)?),
        }
    }

    /// Raises the epoch of store and claim above `known`. Without the lease it is we who are stale, and nothing is written.
    async fn lift(&self, run: &mut Run<'_>, known: Epoch) -> Result<(), StorageError> {
        let before = run.lease.epoch;
        run.leases.begin_change(&run.lease);
        let lifted = async {
            let mut tx = self.begin_changing(run).await?;
            let lease = tx.operations().lift_epoch(&run.lease, known).await?;
            let note = Note::new(
                AuditEventType::Warning,
                "the cluster knew a later epoch than the database: it was restored from before",
            )
            .with("previousEpoch", before.0)
            .with("knownEpoch", known.0)
            .with("epoch", lease.epoch.0);
            tx.audit().append(&self.event(run, note)).await?;
            tx.commit().await?;
            Ok(lease)
        }
        .await;
        if let Ok(lease) = &lifted {
            run.lease = lease.clone();
            run.store.epoch = lease.epoch;
            run.span.record("epoch", lease.epoch.0);
        }
        run.leases.end_change(&run.lease);
        lifted.map(drop)
    }
}
