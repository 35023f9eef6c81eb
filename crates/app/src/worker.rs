//! The worker: claims operations, runs them, keeps their leases alive.
//!
//! Any number of workers share one database. A worker that dies simply stops renewing; after the lease any other claims what it had
//! (RELIABILITY F1). A worker that cannot renew in time stops acting before its leases run out (F6), so that two never act at once; the
//! epoch fence in the cluster covers what this cannot (F3).

mod leases;

use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, select};
use shopwright_domain::WorkerId;
use shopwright_ports::clock::{Clock, Entropy};
use shopwright_ports::storage::{Claim, Reach, Storage, StorageError};
use shopwright_ports::telemetry::Observation;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use crate::saga::{Executor, RunEnd};
pub(crate) use leases::Leases;

/// How a worker works.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// How long a claim lasts without renewal.
    pub lease: Duration,
    /// How many operations this process runs at once.
    pub max_running: usize,
    /// How often the queue is looked at when nobody gives a hint.
    pub poll: Duration,
    /// How long a shutdown waits for steps that are under way: longer than helm takes, so that no release is left pending, and shorter
    /// than the half minute after which Kubernetes loses its patience.
    pub grace: Duration,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(10),
            max_running: 32,
            poll: Duration::from_secs(1),
            grace: Duration::from_secs(20),
        }
    }
}

/// Claims and runs operations.
pub struct Worker {
    id: WorkerId,
    executor: Arc<Executor>,
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    settings: WorkerSettings,
    work: Arc<Notify>,
    leases: Arc<Leases>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("id", &self.id).field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Worker {
    /// A worker with an id of its own, random at every start (RELIABILITY F8). `work` is the hint that use cases give.
    pub fn new(executor: Arc<Executor>, entropy: &dyn Entropy, work: Arc<Notify>, settings: WorkerSettings) -> Self {
        let storage = Arc::clone(&executor.storage);
        let clock = Arc::clone(&executor.clock);
        let leases = Arc::new(Leases::new(Arc::clone(&storage), Arc::clone(&clock), settings.lease));
        Self { id: WorkerId::from_random(entropy.u128()), executor, storage, clock, settings, work, leases }
    }

    /// This start's id.
    pub const fn id(&self) -> WorkerId {
        self.id
    }

    /// How many operations run here now.
    pub fn running(&self) -> usize {
        self.leases.count()
    }

    /// How many may.
    pub const fn max_running(&self) -> usize {
        self.settings.max_running
    }

    /// Works until `stop`. Then no more is claimed, steps that are under way get their grace, and what is not finished goes back to the
    /// queue, where any worker finds it at once.
    pub async fn run(&self, stop: CancellationToken) {
        let renewal = CancellationToken::new();
        // Dropping this future is a crash: nothing may go on renewing what nobody works on.
        let renewing = AbortOnDropHandle::new(tokio::spawn(Arc::clone(&self.leases).keep(renewal.clone())));
        let mut running = JoinSet::new();
        while !stop.is_cancelled() {
            while let Some(ended) = running.try_join_next() {
                report(ended);
            }
            let full = running.len() >= self.settings.max_running;
            match if full { Ok(None) } else { self.claim().await } {
                Ok(Some(claim)) => {
                    let (executor, leases, stop) = (Arc::clone(&self.executor), Arc::clone(&self.leases), stop.clone());
                    running.spawn(async move { run_one(&executor, &leases, claim, &stop).await });
                }
                Ok(None) => self.idle(&mut running, &stop).await,
                Err(error) => {
                    tracing::warn!(error = chain(&error), "the queue cannot be read");
                    self.idle(&mut running, &stop).await;
                }
            }
        }
        self.drain(running).await;
        renewal.cancel();
        if let Err(error) = renewing.await {
            tracing::error!(%error, "the renewal of leases ended badly");
        }
    }

    /// Claims and runs, one after another, everything that can be claimed now. For embedders and tests that drive the worker by hand.
    ///
    /// # Errors
    /// What the storage said about the claim.
    pub async fn run_due(&self) -> Result<usize, StorageError> {
        let mut count = 0;
        let stop = CancellationToken::new();
        while let Some(claim) = self.claim().await? {
            run_one(&self.executor, &self.leases, claim, &stop).await;
            count += 1;
        }
        Ok(count)
    }

    async fn claim(&self) -> Result<Option<Claim>, StorageError> {
        let started = self.clock.monotonic();
        let mut tx = self.storage.begin(Reach::Worker).await?;
        let claim = tx.operations().claim(self.id, self.settings.lease).await?;
        tx.commit().await?;
        if let Some(claim) = &claim {
            // Counted from before the claim: our lease is never longer than the database's.
            self.leases.add(&claim.lease, started);
        }
        Ok(claim)
    }

    /// Waits for a hint, for an operation to end, for the next wake time, or for the poll interval.
    async fn idle(&self, running: &mut JoinSet<()>, stop: &CancellationToken) {
        let pause = self.next_pause().await;
        let ended = async {
            if running.is_empty() {
                std::future::pending::<()>().await;
            }
            if let Some(ended) = running.join_next().await {
                report(ended);
            }
        };
        tokio::select! {
            biased;
            () = self.work.notified() => {}
            () = self.clock.sleep(pause) => {}
            () = ended => {}
            () = stop.cancelled() => {}
        }
    }

    async fn next_pause(&self) -> Duration {
        let due = match self.storage.begin(Reach::Worker).await {
            Ok(mut tx) => tx.operations().next_due().await.ok().flatten(),
            Err(_) => None,
        };
        let until_due = due.map(|due| due.duration_since(self.clock.now()));
        match until_due.and_then(|until| Duration::try_from(until).ok()) {
            // A due time that has passed belongs to something that cannot be claimed just now: do not spin on it.
            Some(until) if until > Duration::from_millis(20) => until.min(self.settings.poll),
            Some(_) => self.settings.poll.min(Duration::from_millis(200)),
            None => self.settings.poll,
        }
    }

    async fn drain(&self, mut running: JoinSet<()>) {
        let finish = async {
            while let Some(ended) = running.join_next().await {
                report(ended);
            }
        };
        let grace = self.clock.sleep(self.settings.grace);
        let in_time = matches!(select(Box::pin(finish), grace).await, Either::Left(_));
        if !in_time {
            tracing::warn!(
                left = running.len(),
                "steps did not end in time; their operations are taken over when their leases run out"
            );
            running.shutdown().await;
        }
        self.leases.release_all(self.id).await;
    }
}

async fn run_one(executor: &Executor, leases: &Leases, claim: Claim, stop: &CancellationToken) {
    let span = executor.span(&claim);
    run_claim(executor, leases, claim, stop).instrument(span).await;
}

async fn run_claim(executor: &Executor, leases: &Leases, claim: Claim, stop: &CancellationToken) {
    let claimed = claim.lease.clone();
    let lost = leases.lost(&claimed);
    let end = {
        let run = Box::pin(executor.run(claim, stop, leases));
        let gone = Box::pin(lost.cancelled());
        match select(run, gone).await {
            Either::Left((end, _)) => end,
            // Dropping the run stops its helm and its calls.
            Either::Right(((), _)) => RunEnd::LeaseLost,
        }
    };
    // Its epoch may be another than at the claim.
    let lease = leases.current(&claimed);
    let (store_id, operation_id) = (&lease.store_id, lease.operation_id);
    match end {
        RunEnd::Finished(status) => tracing::info!(%store_id, %operation_id, %status, "operation ended"),
        RunEnd::Parked => tracing::debug!(%store_id, %operation_id, "operation parked"),
        RunEnd::LeaseLost => {
            tracing::warn!(%store_id, %operation_id, epoch = lease.epoch.0, "lease lost, stopped");
            leases.remove(&lease);
            executor.telemetry.observe(Observation::LeaseLost);
            executor.record_fenced_out(&lease).await;
        }
        RunEnd::Abandoned(error @ (StorageError::Unavailable { .. } | StorageError::Conflict)) => {
            tracing::warn!(%store_id, %operation_id, error = chain(&error), "the database did not answer");
            if !executor.give_back(&lease).await {
                tracing::warn!(%store_id, %operation_id, "operation abandoned until its lease runs out");
            }
        }
        // A fault of ours: offered back at once it would come back at once.
        RunEnd::Abandoned(error) => {
            tracing::error!(%store_id, %operation_id, error = chain(&error), "operation abandoned until its lease runs out");
        }
    }
    leases.remove(&lease);
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && !error.is_cancelled()
    {
        tracing::error!(%error, "an operation's task ended badly; it is taken up again when its lease runs out");
    }
}

/// An error with its sources, for logs.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
