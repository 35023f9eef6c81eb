//! Looks all the time at what must hold at every moment, past every fault: straight at the database, the apiserver and the processes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use sqlx::{Connection, PgConnection};
use tokio_util::task::AbortOnDropHandle;

use super::Stage;
use super::doom::{self, Doom};
use super::processes;
use crate::real::program;

const STORE_LABEL: &str = "shopwright.dev/store-id";
const EPOCH: &str = "shopwright.dev/epoch";
/// How often the take-overs are looked at: the error of their times.
const LOOK: Duration = Duration::from_millis(100);
/// Every so many looks, everything else.
const LOOKS_PER_ROUND: u32 = 10;
const PATIENCE: Duration = Duration::from_secs(2);

/// A store's row.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct StoreRow {
    /// Its id.
    pub id: String,
    /// What the merchant calls it.
    pub name: String,
    /// Where it is in its life.
    pub state: String,
    /// Its fencing number.
    pub epoch: i64,
    /// Raised by every change.
    pub row_version: i64,
    /// Why it is failed.
    pub failure_code: Option<String>,
    /// The same in words.
    pub failure_detail: Option<String>,
}

/// A store's namespace.
#[derive(Debug, Clone)]
pub(super) struct StoreNamespace {
    /// The epoch that the fence lets through.
    pub epoch: i64,
    /// Whether it is going away.
    pub terminating: bool,
}

/// What was seen over time.
#[derive(Debug, Default)]
pub(super) struct Seen {
    rows: Mutex<BTreeMap<String, StoreRow>>,
    /// Deleted stores whose namespace a sleeper made anew.
    late: Mutex<BTreeSet<String>>,
    orphans: Mutex<BTreeSet<u32>>,
    rounds: Mutex<u32>,
}

impl Seen {
    /// How many deleted stores were seen with a namespace: the sweeper's work (DECISIONS 7).
    pub(super) fn late(&self) -> usize {
        self.late.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// How many rounds saw everything: a run that was not looked at proves nothing.
    pub(super) fn rounds(&self) -> u32 {
        *self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks until dropped.
pub(super) fn watch(stage: &Arc<Stage>) -> AbortOnDropHandle<()> {
    let stage = Arc::clone(stage);
    AbortOnDropHandle::new(tokio::spawn(async move {
        let mut connection = None;
        let mut looks = 0u32;
        loop {
            tokio::time::sleep(LOOK).await;
            looks += 1;
            if connection.is_none() {
                connection = PgConnection::connect(&stage.database.url).await.ok();
            }
            let Some(open) = &mut connection else { continue };
            // The database may go away at any time: that is no violation, and the next look is another one.
            let mut lost = stage.resumes.look(open).await.is_err();
            if looks.is_multiple_of(LOOKS_PER_ROUND) {
                look_for_orphans(&stage);
                lost |= round(&stage, open).await.is_err();
            }
            if lost {
                connection = None;
            }
        }
    }))
}

/// All stores of the run.
///
/// # Errors
/// The database's own.
pub(super) async fn stores(connection: &mut PgConnection) -> sqlx::Result<BTreeMap<String, StoreRow>> {
    let statement = "select id, name, state, epoch, row_version, failure_code, failure_detail from stores";
    let rows: Vec<StoreRow> = sqlx::query_as(statement).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.id.clone(), row)).collect())
}

/// All namespaces of stores.
///
/// # Errors
/// The cluster's own, or its silence.
pub(super) async fn namespaces(stage: &Stage) -> anyhow::Result<BTreeMap<String, StoreNamespace>> {
    let api = Api::<Namespace>::all(stage.cluster.client());
    let labelled = ListParams::default().labels(STORE_LABEL);
    let list = tokio::time::timeout(PATIENCE, api.list(&labelled)).await??;
    let found = list.items.into_iter().map(|namespace| {
        let epoch = namespace.annotations().get(EPOCH).and_then(|text| text.parse().ok()).unwrap_or_default();
        let terminating = namespace.metadata.deletion_timestamp.is_some();
        (namespace.name_any(), StoreNamespace { epoch, terminating })
    });
    Ok(found.collect())
}

async fn round(stage: &Stage, connection: &mut PgConnection) -> sqlx::Result<()> {
    let before = stores(connection).await?;
    let Ok(namespaces) = namespaces(stage).await else { return Ok(()) };
    let after = stores(connection).await?;
    let bad = |what: String| stage.violations.add(what);

    let gone = |id: &&String| before.get(*id).is_some_and(|row| row.state == "deleted");
    let late = namespaces.keys().filter(gone).cloned();
    stage.seen.late.lock().unwrap_or_else(PoisonError::into_inner).extend(late);
    for (id, namespace) in &namespaces {
        match after.get(id) {
            // The row is always first: its claim is committed before anything is made.
            None => bad(format!("{id}: a namespace without a row")),
            Some(row) if namespace.epoch > row.epoch => {
                bad(format!("{id}: the namespace's epoch {} is above the row's {}", namespace.epoch, row.epoch));
            }
            Some(_) => {}
        }
    }
    for (id, row) in &after {
        if row.state == "ready"
            && before.get(id) == Some(row)
            && namespaces.get(id).is_none_or(|found| found.terminating)
        {
            bad(format!("{id}: ready, and its namespace is gone or going"));
        }
        let code = row.failure_code.as_deref().unwrap_or_default();
        let detail = row.failure_detail.as_deref().unwrap_or_default();
        if row.state == "failed" && code != "cancelled" && !(Doom::strikes(id) && detail.contains(doom::NAME)) {
            bad(format!("{id}: failed without a cause: {code}: {detail}"));
        }
        if row.state == "failed" && code.is_empty() {
            bad(format!("{id}: failed, and nobody says why"));
        }
    }
    let mut seen = stage.seen.rows.lock().unwrap_or_else(PoisonError::into_inner);
    for (id, earlier) in seen.iter() {
        match after.get(id) {
            None => bad(format!("{id}: its row is gone")),
            Some(row) if row.epoch < earlier.epoch || row.row_version < earlier.row_version => {
                bad(format!("{id}: went back from {earlier:?} to {row:?}"));
            }
            Some(_) => {}
        }
    }
    *seen = after;
    *stage.seen.rounds.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    Ok(())
}

/// A helm must not outlive its parent (RELIABILITY F2). What is seen in two rounds is no matter of moments.
fn look_for_orphans(stage: &Stage) {
    let found: BTreeSet<u32> = processes::orphaned_helms(&stage.directory, &program()).into_iter().collect();
    let mut earlier = stage.seen.orphans.lock().unwrap_or_else(PoisonError::into_inner);
    for pid in found.intersection(&earlier) {
        stage.violations.add(format!("helm {pid} runs on without its parent"));
    }
    *earlier = found;
}
