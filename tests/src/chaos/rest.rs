//! What must hold when all faults have ceased and everything has come to rest.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::Context;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::ResourceExt;
use kube::api::ListParams;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::Stage;
use super::caller::{Heard, send};
use super::observer::{self, StoreRow};
use super::record::{Call, Outcome, Record};
use crate::real::Inventory;

/// How long the last deletions of a run may take, beside a while for each.
const DELETED_WITHIN: Duration = Duration::from_mins(2);
/// Two cores are the whole cluster, whose namespaces one controller empties, while all other stores go on living in it.
const DELETED_EACH: Duration = Duration::from_secs(3);
/// Deletions that are asked for at once.
const IN_FLIGHT: usize = 8;
/// The sweeper comes by every minute, give or take a quarter, and waits for two leases before it believes that a namespace is nobody's.
const SWEEP: Duration = Duration::from_secs(75);

/// An operation's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct OperationRow {
    /// Its id.
    pub id: Uuid,
    /// Its store.
    pub store_id: String,
    /// What it does.
    pub kind: String,
    /// How it is doing.
    pub status: String,
    /// Why it waits or failed.
    pub failure_code: Option<String>,
    /// The same in words.
    pub failure_detail: Option<String>,
    /// Its last step.
    pub step: Option<String>,
    /// When it was asked for, in microseconds of Unix time.
    created_us: i64,
}

impl OperationRow {
    fn line(&self) -> String {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (step, code, detail) = (text(&self.step), text(&self.failure_code), text(&self.failure_detail));
        format!("{} {} is {} at {step}: {code} {detail}", self.store_id, self.kind, self.status)
    }
}

/// All operations of the run.
///
/// # Errors
/// The database's own.
pub(super) async fn operations(connection: &mut PgConnection) -> sqlx::Result<Vec<OperationRow>> {
    sqlx::query_as(
        "select id, store_id, kind, status, failure_code, failure_detail, step,
            (extract(epoch from created_at) * 1000000)::bigint as created_us
         from operations order by ordinal",
    )
    .fetch_all(connection)
    .await
}

fn unfinished(operation: &OperationRow) -> bool {
    matches!(operation.status.as_str(), "queued" | "running" | "waiting" | "stuck")
}

/// Waits until no operation is left to do.
///
/// # Errors
/// When some are left after `limit`: which, and why.
pub(super) async fn come_to_rest(stage: &Stage, limit: Duration) -> anyhow::Result<Duration> {
    let start = Instant::now();
    loop {
        let mut connection = PgConnection::connect(&stage.database.url).await?;
        let left: Vec<OperationRow> = operations(&mut connection).await?.into_iter().filter(unfinished).collect();
        if left.is_empty() {
            return Ok(start.elapsed());
        }
        if start.elapsed() > limit {
            let left: Vec<String> = left.iter().map(OperationRow::line).collect();
            anyhow::bail!("not at rest after {limit:?}:\n{}", left.join("\n"));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Everything that can be told of a system at rest. What is wrong goes to the violations.
///
/// # Errors
/// When the database or the cluster cannot be read.
pub(super) async fn examine(stage: &Stage) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(&stage.database.url).await.context("the database is back")?;
    let stores = observer::stores(&mut connection).await?;
    let operations = operations(&mut connection).await?;
    let credentials: Vec<(String,)> =
        sqlx::query_as("select store_id from store_credentials").fetch_all(&mut connection).await?;
    let credentials: BTreeSet<String> = credentials.into_iter().map(|(id,)| id).collect();
    for (id, row) in &stores {
        if credentials.contains(id) != (row.state != "deleted") {
            stage.violations.add(format!(
                "{id}: {}, and its credentials are {}",
                row.state,
                if row.state == "deleted" { "still there" } else { "gone" }
            ));
        }
        if !matches!(row.state.as_str(), "ready" | "failed" | "deleted") {
            stage.violations.add(format!("{id}: at rest, and {}", row.state));
        }
    }
    acknowledged(stage, &stores, &operations);
    in_the_cluster(stage, &stores).await
}

/// Whatever a client was told is true (RELIABILITY P5, F65).
fn acknowledged(stage: &Stage, stores: &BTreeMap<String, StoreRow>, operations: &[OperationRow]) {
    let by_id: BTreeMap<String, &OperationRow> = operations.iter().map(|row| (row.id.to_string(), row)).collect();
    let bad = |what: String| stage.violations.add(what);
    for Record { call, outcome, store, .. } in stage.recorder.all() {
        let named = |name: &str| stores.values().filter(|row| row.name == name).count();
        match (&call, &outcome) {
            (Call::Create { name, .. }, Outcome::Done { .. }) if named(name) != 1 => {
                bad(format!("{name}: accepted once, and there are {}", named(name)));
            }
            (Call::Create { name, .. }, Outcome::Unknown) if named(name) > 1 => {
                bad(format!("{name}: asked for under one key, and there are {}", named(name)));
            }
            (Call::Create { name, .. }, Outcome::Refused { code, .. }) => {
                bad(format!("{name}: a creation that nothing stands against was refused: {code}"));
            }
            (Call::Delete, Outcome::Done { .. }) => {
                let now = store.as_ref().and_then(|id| stores.get(id)).map(|row| row.state.as_str());
                if now != Some("deleted") {
                    bad(format!("{store:?}: its deletion was accepted, and it is {now:?}"));
                }
            }
            (Call::Cancel { operation }, Outcome::Done { .. }) => {
                let status = by_id.get(operation).map(|row| row.status.as_str());
                if status != Some("cancelled") {
                    bad(format!("operation {operation} was cancelled, and is {status:?}"));
                }
            }
            _ => {}
        }
        if let (Outcome::Done { operation: Some(told), .. }, Some(store)) = (&outcome, &store)
            && by_id.get(&told.id).is_none_or(|row| row.store_id != *store || row.kind != told.kind)
        {
            bad(format!("{store}: {call:?} was answered with {told:?}, which is not there"));
        }
    }
}

/// How long a namespace can stay that a sleeper makes now: until the next sweep, and two leases, and a moment for it to go.
fn swept_within(stage: &Stage) -> Duration {
    SWEEP + stage.plan.lease * 2 + Duration::from_secs(15)
}

/// The stores' namespaces, as soon as the sweeper has had its time for those that sleepers made after a deletion.
async fn swept(
    stage: &Stage,
    stores: &BTreeMap<String, StoreRow>,
) -> anyhow::Result<BTreeMap<String, observer::StoreNamespace>> {
    let start = Instant::now();
    loop {
        let namespaces = observer::namespaces(stage).await?;
        let late = namespaces.keys().any(|id| stores.get(id).is_some_and(|row| row.state == "deleted"));
        if !late || start.elapsed() > swept_within(stage) {
            return Ok(namespaces);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// One namespace, one release, nothing half done, nothing of what is gone (RELIABILITY F1, F44, P11).
async fn in_the_cluster(stage: &Stage, stores: &BTreeMap<String, StoreRow>) -> anyhow::Result<()> {
    let namespaces = swept(stage, stores).await?;
    let helm = ListParams::default().labels("owner=helm");
    let secrets = Api::<Secret>::all(stage.cluster.client()).list(&helm).await?;
    let mut records: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for secret in secrets {
        let status = secret.labels().get("status").cloned().unwrap_or_default();
        records.entry(secret.namespace().unwrap_or_default()).or_default().push(status);
    }
    let bad = |what: String| stage.violations.add(what);
    for (id, row) in stores {
        let of_store = records.remove(id).unwrap_or_default();
        let deployed = of_store.iter().filter(|status| *status == "deployed").count();
        match row.state.as_str() {
            "ready" => {
                if namespaces.get(id).is_none_or(|found| found.terminating) {
                    bad(format!("{id}: ready, without a namespace"));
                }
                if deployed != 1 {
                    bad(format!("{id}: ready, with the records {of_store:?}"));
                }
            }
            "deleted" if namespaces.contains_key(id) => bad(format!("{id}: deleted, and its namespace is there")),
            _ => {}
        }
        if of_store.iter().any(|status| status.starts_with("pending") || status == "uninstalling") {
            bad(format!("{id}: {}, with a record half done: {of_store:?}", row.state));
        }
    }
    let foreign: Vec<_> = records.keys().filter(|namespace| namespace.starts_with("store-")).collect();
    if !foreign.is_empty() {
        bad(format!("records of no store: {foreign:?}"));
    }
    Ok(())
}

/// A provision makes one namespace. Another one may only follow when the first was taken back by a cancellation, or when a sleeper made it
/// after the store's deletion had begun, and then it has been removed again (DECISIONS 7).
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn count_namespaces(stage: &Stage, made: &BTreeMap<String, Vec<Timestamp>>) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(&stage.database.url).await?;
    let stores = observer::stores(&mut connection).await?;
    let operations = operations(&mut connection).await?;
    for (id, made) in made {
        if !stores.contains_key(id) {
            stage.violations.add(format!("{id}: a namespace was made for a store that nobody asked for"));
        }
        let of_kind = |kind: &'static str| operations.iter().filter(move |row| row.store_id == *id && row.kind == kind);
        let leaves = of_kind("delete").map(|row| row.created_us).min().unwrap_or(i64::MAX);
        let before = made.iter().filter(|at| at.as_microsecond() < leaves).count();
        if before > 1 + of_kind("unwind").count() {
            stage.violations.add(format!("{id}: its namespace was made {before} times before it was to go: {made:?}"));
        }
    }
    Ok(())
}

/// Every store's merchant asks for its deletion, and all are gone in the end.
///
/// # Errors
/// When a deletion is refused or does not come to an end.
pub(super) async fn delete_all(stage: &Stage) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(&stage.database.url).await?;
    let mut left = observer::stores(&mut connection).await?;
    left.retain(|_, row| row.state != "deleted");
    let base = stage.fleet.bases().first().cloned().context("no replica is up")?;
    let asked = stream::iter(left.keys()).map(|id| ask_to_delete(stage, &base, id)).buffer_unordered(IN_FLIGHT);
    asked.try_collect::<()>().await?;
    come_to_rest(stage, DELETED_WITHIN + DELETED_EACH * u32::try_from(left.len())?).await?;
    let after = observer::stores(&mut connection).await?;
    for row in after.values().filter(|row| row.state != "deleted") {
        stage.violations.add(format!("{}: was to be deleted, and is {}", row.id, row.state));
    }
    Ok(())
}

/// Whose it is nobody needs to know: one merchant after the other asks, until it is theirs.
async fn ask_to_delete(stage: &Stage, base: &str, id: &str) -> anyhow::Result<()> {
    for caller in &stage.callers {
        if matches!(send(caller.delete(base, id), None).await, Heard::Outcome(Outcome::Done { .. }, _)) {
            return Ok(());
        }
    }
    anyhow::bail!("{id}: nobody may delete it")
}

/// The cluster is as it was before the first store. What a sleeper made late the sweeper removes, which takes it some leases.
///
/// # Errors
/// When the cluster cannot be read.
pub(super) async fn nothing_left(stage: &Stage, before: &Inventory) -> anyhow::Result<()> {
    let start = Instant::now();
    loop {
        let now = stage.cluster.inventory().await?;
        let more: Vec<_> =
            now.difference(before).filter(|what| what.contains("store-") || what.starts_with("volume")).collect();
        if more.is_empty() {
            return Ok(());
        }
        if start.elapsed() > swept_within(stage) {
            stage.violations.add(format!("left of deleted stores: {more:#?}"));
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
