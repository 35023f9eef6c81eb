//! Looks for namespaces that should not be there, and removes those whose store is gone for good. It also forgets charts that nothing is
//! brought back to any more.
//!
//! A worker that slept through a deletion may make its store's namespace anew (DECISIONS 7); the fence cannot help, because nothing of the
//! old namespace is left to compare with. Every worker process sweeps now and then. What it decides by is
//! [`shopwright_domain::sweep`]; it removes by uid and version, so that a namespace which somebody has just taken up is left alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use shopwright_domain::audit::{AuditEvent, AuditEventType};
use shopwright_domain::saga::StepError;
use shopwright_domain::store::{Store, StoreState};
use shopwright_domain::sweep::{Owner, Sightings, Verdict, judge};
use shopwright_domain::{ClusterName, StoreId};
use shopwright_ports::clock::{Clock, Entropy};
use shopwright_ports::cluster::StoreNamespace;
use shopwright_ports::storage::{Page, Reach, Storage, StorageError, StoreFilter};
use tokio_util::sync::CancellationToken;

use crate::saga::ClusterGuard;

/// How many rows are read at once.
const PAGE: u32 = 500;
/// How often charts that nobody uses are looked for.
const FORGETTING_PAUSE: Duration = Duration::from_hours(1);
/// How long nobody has installed from one that is forgotten. An installation notes the use and, in its next transaction, that it installs
/// from it: this is longer than a worker may think about that.
const UNUSED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// How many are forgotten at once: each is some ten kilobytes.
const FORGOTTEN_AT_ONCE: u32 = 100;

/// How often to sweep, and how sure to be.
#[derive(Debug, Clone)]
pub struct SweeperSettings {
    /// Between two sweeps, give or take a quarter.
    pub pause: Duration,
    /// A namespace goes only when it was seen to be a stray for so long: two leases. After so long it is looked at again, so that a stray
    /// is gone after a pause and two leases at most.
    pub patience: Duration,
}

impl Default for SweeperSettings {
    fn default() -> Self {
        Self { pause: Duration::from_mins(1), patience: Duration::from_secs(20) }
    }
}

/// What one sweep did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Asked to go.
    pub removed: Vec<StoreId>,
    /// Nobody knows their stores: people decide.
    pub unknown: Vec<StoreId>,
}

/// Why a sweep came to no end. The next one begins anew.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The cluster, or its breaker, said no.
    #[error("{}: {}", .0.code, .0.detail)]
    Cluster(StepError),
    /// The database did.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Sweeps one cluster.
pub struct Sweeper {
    storage: Arc<dyn Storage>,
    guard: Arc<ClusterGuard>,
    cluster: ClusterName,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: SweeperSettings,
    sightings: Mutex<Sightings>,
    reported: Mutex<BTreeSet<String>>,
    unknown: AtomicUsize,
    /// When charts were last looked for, by the monotonic clock.
    forgot_at: Mutex<Option<Duration>>,
}

impl std::fmt::Debug for Sweeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sweeper")
            .field("cluster", &self.cluster)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Sweeper {
    /// A sweeper of the cluster behind `guard`, which is called `cluster` in the stores' rows.
    pub fn new(
        storage: Arc<dyn Storage>,
        guard: Arc<ClusterGuard>,
        cluster: ClusterName,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        settings: SweeperSettings,
    ) -> Self {
        Self {
            storage,
            guard,
            cluster,
            clock,
            entropy,
            settings,
            sightings: Mutex::default(),
            reported: Mutex::default(),
            unknown: AtomicUsize::new(0),
            forgot_at: Mutex::default(),
        }
    }

    /// How many namespaces carry our labels and belong to no store, as of the last sweep.
    pub fn unknown(&self) -> usize {
        self.unknown.load(Ordering::Relaxed)
    }

    /// Sweeps until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        loop {
            let pause = self.pause();
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.clock.sleep(pause) => {}
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.sweep_and_forget() => {}
            }
        }
    }

    async fn sweep_and_forget(&self) {
        match self.sweep().await {
            Ok(swept) => tracing::debug!(?swept, "swept"),
            Err(error) => tracing::info!(%error, "not swept now"),
        }
        let now = self.clock.monotonic();
        let last = *self.forgot_at.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| now.saturating_sub(last) < FORGETTING_PAUSE) {
            return;
        }
        match self.forget_origins().await {
            Ok(0) => {}
            Ok(forgotten) => tracing::info!(forgotten, "forgot charts that no store is brought back to any more"),
            Err(error) => tracing::info!(%error, "unused charts are not forgotten now"),
        }
        *self.forgot_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// Forgets what releases were made of once no store was last seen to work with it, no operation under way installs from it, and nobody
    /// has installed from it for a day. Returns how many; a bounded number at once.
    ///
    /// # Errors
    /// [`StorageError`]; nothing is lost by it.
    pub async fn forget_origins(&self) -> Result<u64, StorageError> {
        let mut tx = self.storage.begin(Reach::Worker).await?;
        let forgotten = tx.releases().purge_origins(self.clock.now() - UNUSED_FOR, FORGOTTEN_AT_ONCE).await?;
        tx.commit().await?;
        Ok(forgotten)
    }

    fn pause(&self) -> Duration {
        let spread = self.settings.pause.mul_f64(0.75 + 0.5 * self.entropy.unit());
        let suspects = self.sightings.lock().unwrap_or_else(PoisonError::into_inner).any();
        if suspects { spread.min(self.settings.patience) } else { spread }
    }

    /// Looks once.
    ///
    /// # Errors
    /// [`SweepError`]; nothing is lost by it.
    pub async fn sweep(&self) -> Result<Swept, SweepError> {
        // The rows are read after the list: what the list holds had its row by then.
        let listed = self.guard.call(self.guard.cluster().list_namespaces()).await.map_err(SweepError::Cluster)?;
        let living = if listed.is_empty() { BTreeMap::new() } else { self.living().await? };
        let (mut strays, mut unknown) = (Vec::new(), Vec::new());
        for namespace in &listed {
            if living.get(&namespace.store_id).is_some_and(|state| *state != StoreState::Failed) {
                continue;
            }
            let row = self.row(&namespace.store_id).await?;
            let owner = row.as_ref().map(|(_, owner)| owner);
            match (judge(namespace.epoch, namespace.terminating, owner), row) {
                (Verdict::Remove, Some((store, _))) => strays.push((namespace, store)),
                (Verdict::Report, _) => unknown.push(namespace),
                (Verdict::Keep | Verdict::Remove, _) => {}
            }
        }
        let lasting = self.lasting(&strays);
        let mut swept = Swept { unknown: self.report(&unknown), ..Swept::default() };
        for (stray, store) in strays.into_iter().filter(|(stray, _)| lasting.contains(&stray.uid)) {
            self.remove(stray, &store).await?;
            swept.removed.push(store.id);
        }
        Ok(swept)
    }

    /// The states of all stores on this cluster that are not deleted. One that is missed while pages shift is read by itself later.
    async fn living(&self) -> Result<BTreeMap<StoreId, StoreState>, StorageError> {
        let mut living = BTreeMap::new();
        for page in 0.. {
            let page = Page { limit: PAGE, offset: page * PAGE };
            let (stores, _) =
                self.storage.begin(Reach::Worker).await?.stores().list(&StoreFilter::default(), page).await?;
            let last = stores.len() < PAGE as usize;
            let ours = stores.into_iter().filter(|store| store.cluster == self.cluster);
            living.extend(ours.map(|store| (store.id, store.state)));
            if last {
                break;
            }
        }
        Ok(living)
    }

    /// The store's row, when there is one and it is on this cluster.
    async fn row(&self, id: &StoreId) -> Result<Option<(Store, Owner)>, StorageError> {
        let mut tx = self.storage.begin(Reach::Worker).await?;
        let Some(store) = tx.stores().get(id).await?.filter(|store| store.cluster == self.cluster) else {
            return Ok(None);
        };
        let latest = match tx.operations().latest_of(id).await {
            Ok(latest) => latest.map(|operation| (operation.kind, operation.status)),
            // Something that a newer version made: whatever it is, it is not for us to judge.
            Err(StorageError::Corrupt { .. }) => None,
            Err(error) => return Err(error),
        };
        let owner = Owner { state: store.state, epoch: store.epoch, was_ready: store.ready_at.is_some(), latest };
        Ok(Some((store, owner)))
    }

    fn lasting(&self, strays: &[(&StoreNamespace, Store)]) -> BTreeSet<String> {
        let patience = SignedDuration::try_from(self.settings.patience).unwrap_or(SignedDuration::MAX);
        let now = jiff::Timestamp::UNIX_EPOCH.checked_add(self.clock.monotonic()).unwrap_or(jiff::Timestamp::MAX);
        let seen = strays.iter().map(|(stray, _)| stray.uid.as_str());
        let mut sightings = self.sightings.lock().unwrap_or_else(PoisonError::into_inner);
        sightings.lasting(seen, now, patience).into_iter().map(str::to_owned).collect()
    }

    /// Tells operators once of each namespace that belongs to no store.
    fn report(&self, unknown: &[&StoreNamespace]) -> Vec<StoreId> {
        self.unknown.store(unknown.len(), Ordering::Relaxed);
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        for namespace in unknown.iter().filter(|namespace| !reported.contains(&namespace.uid)) {
            tracing::warn!(store_id = %namespace.store_id, uid = namespace.uid, epoch = namespace.epoch.0, "a namespace carries our labels and belongs to no store of this database; it is left alone");
        }
        *reported = unknown.iter().map(|namespace| namespace.uid.clone()).collect();
        unknown.iter().map(|namespace| namespace.store_id.clone()).collect()
    }

    async fn remove(&self, stray: &StoreNamespace, store: &Store) -> Result<(), SweepError> {
        tracing::warn!(store_id = %store.id, uid = stray.uid, epoch = stray.epoch.0, "removing a namespace that appeared after its store was gone");
        self.guard.call(self.guard.cluster().remove_stray(stray)).await.map_err(SweepError::Cluster)?;
        let message = "a namespace that appeared after the store was gone is removed";
        let mut event = AuditEvent::new(store.tenant_id, AuditEventType::Warning, message, self.clock.now())
            .with("uid", stray.uid.as_str())
            .with("namespaceEpoch", stray.epoch.0)
            .with("currentEpoch", store.epoch.0);
        event.store_id = Some(store.id.clone());
        let mut tx = self.storage.begin(Reach::Worker).await?;
        tx.tenants().lock(store.tenant_id).await?;
        tx.audit().append(&event).await?;
        Ok(tx.commit().await?)
    }
}
