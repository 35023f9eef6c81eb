//! Nothing of the cluster can be reached, for a long time, under load: no store fails for it, the calls become few, and everything goes on
//! when it is over (RELIABILITY F30, F32, P6).

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};

use super::Stage;
use super::clients::Load;
use super::proxy::Outage;

/// How long the normal rate of calls is measured.
const WARM_UP: Duration = Duration::from_secs(12);
/// By when everything goes on.
const RESUMED_WITHIN: Duration = Duration::from_mins(1);
/// The share of normal calls that an outage may cost.
const SHARE: f64 = 0.10;

/// What was measured.
#[derive(Debug, Clone, Default)]
pub(super) struct Weathered {
    /// Calls a second before it.
    pub normal: f64,
    /// Calls a second during it.
    pub during: f64,
    /// The same by its kinds, with the part of helm.
    pub by_kind: Vec<(Outage, (f64, f64))>,
    /// Operations that were waiting when it ended.
    pub waiting: usize,
    /// How long after its end the last of them had gone on.
    pub resumed: Duration,
}

/// Lets it happen.
///
/// # Errors
/// When the harness cannot do it.
pub(super) async fn weather(stage: &Arc<Stage>) -> anyhow::Result<Weathered> {
    let load = Load::begin(stage, "o");
    let mut measured = Weathered::default();
    // The load needs a moment to get going.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let begin = Instant::now();
    tokio::time::sleep(WARM_UP).await;
    let struck = Instant::now();
    measured.normal = stage.proxy.meter().rate(begin, struck).0;

    let turn = stage.plan.outage / u32::try_from(Outage::ALL.len())?;
    for kind in Outage::ALL {
        let from = Instant::now();
        stage.proxy.faults().set_outage(Some(kind));
        stage.proxy.cut();
        stage.say(&format!("the apiserver is away: {kind:?}"));
        tokio::time::sleep(turn).await;
        measured.by_kind.push((kind, stage.proxy.meter().rate(from, Instant::now())));
    }
    let over = Instant::now();
    measured.during = stage.proxy.meter().rate(struck, over).0;
    let waiting = unfinished(stage).await?;
    measured.waiting = waiting.len();
    stage.proxy.faults().cease();
    stage.proxy.cut();
    stage.say(&format!("the apiserver is back; {} operations wait for it", waiting.len()));

    loop {
        let left = not_resumed(stage, &waiting, over).await?;
        measured.resumed = over.elapsed();
        if left.is_empty() {
            break;
        }
        if measured.resumed > RESUMED_WITHIN {
            stage.violations.add(format!("not resumed a minute after the outage: {left:?}"));
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    if measured.during > measured.normal * SHARE {
        let Weathered { normal, during, by_kind, .. } = &measured;
        stage
            .violations
            .add(format!("{during:.1} calls a second during the outage, {normal:.1} before: {by_kind:.1?}"));
    }
    if measured.waiting == 0 {
        stage.violations.add("the outage met no operation: it proves nothing");
    }
    load.end(stage).await;
    Ok(measured)
}

async fn unfinished(stage: &Stage) -> anyhow::Result<Vec<uuid::Uuid>> {
    let mut connection = PgConnection::connect(&stage.database.url).await?;
    let statement = "select id from operations where status in ('queued', 'running', 'waiting', 'stuck')";
    let rows: Vec<(uuid::Uuid,)> = sqlx::query_as(statement).fetch_all(&mut connection).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Those that have not finished a step since. The times of steps are the replicas' own, and they are on this machine.
async fn not_resumed(
    stage: &Stage,
    waiting: &[uuid::Uuid],
    over: Instant,
) -> anyhow::Result<Vec<(uuid::Uuid, String)>> {
    let mut connection = PgConnection::connect(&stage.database.url).await?;
    let seconds = over.elapsed().as_secs_f64();
    let statement = "
        select o.id, o.status || coalesce(' ' || o.failure_code, '') from operations o
        where o.id = any($1)
            and (o.finished_at is null or o.finished_at < clock_timestamp() - $2 * interval '1 second')
            and not exists (
                select from operation_steps s
                where s.operation_id = o.id and s.status = 'succeeded'
                    and s.finished_at >= clock_timestamp() - $2 * interval '1 second')";
    Ok(sqlx::query_as(statement).bind(waiting).bind(seconds).fetch_all(&mut connection).await?)
}
