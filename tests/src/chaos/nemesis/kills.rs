//! `kill -9` of a replica that works on something, and its return.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::chaos::dice::Dice;
use crate::chaos::{Stage, WORK_PER_KILL};

/// How long a victim is waited for that holds something.
const HUNT: Duration = Duration::from_secs(6);
/// How long a kill is put off at most.
const RESPITE: Duration = Duration::from_secs(30);

pub(super) async fn kill(stage: &Arc<Stage>, mut dice: Dice) -> anyhow::Result<()> {
    for kills in 0..stage.plan.kills {
        tokio::time::sleep(dice.millis(300..3_000)).await;
        respite(stage, kills).await;
        let (slot, worker) = victim(stage, &mut dice).await;
        let struck_at = Instant::now();
        stage.fleet.kill(slot)?;
        let held = struck(stage, worker, struck_at).await;
        stage.deeds.kills.fetch_add(1, Ordering::Relaxed);
        stage.deeds.with_work.fetch_add(u64::from(held > 0), Ordering::Relaxed);
        stage.say(&format!("killed replica {slot}, which held {held}"));
        tokio::time::sleep(dice.millis(200..2_000)).await;
        stage.fleet.start(slot).await?;
    }
    Ok(())
}

/// Waits until as much has succeeded as the kills so far ask for. Struck again and again before it can finish anything, no system would do
/// enough to prove something; one that does nothing any more is not spared for ever.
async fn respite(stage: &Stage, kills: u32) {
    let (start, wanted) = (Instant::now(), i64::from(kills * WORK_PER_KILL));
    let succeeded = || stage.database.count("select count(*) from operations where status = 'succeeded'");
    while succeeded().await.unwrap_or(0) < wanted && start.elapsed() < RESPITE {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// A replica that works, and is not the last; one that holds operations, if there soon is one.
async fn victim(stage: &Stage, dice: &mut Dice) -> (usize, Uuid) {
    let start = Instant::now();
    loop {
        let working = stage.fleet.working();
        if working.len() > 1 {
            let mut busy = Vec::new();
            for (slot, worker) in &working {
                if holds(stage, *worker).await.unwrap_or(0) > 0 {
                    busy.push((*slot, *worker));
                }
            }
            let any = start.elapsed() > HUNT;
            if let Some(victim) = dice.one_of(&busy).or_else(|| if any { dice.one_of(&working) } else { None }) {
                return *victim;
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn holds(stage: &Stage, worker: Uuid) -> anyhow::Result<i64> {
    let mut connection = PgConnection::connect(&stage.database.url).await?;
    let (count,): (i64,) = sqlx::query_as("select count(*) from operations where status = 'running' and worker = $1")
        .bind(worker)
        .fetch_one(&mut connection)
        .await?;
    Ok(count)
}

/// The database may be away at this very moment; what the dead one held is there when it is back.
pub(super) async fn struck(stage: &Stage, worker: Uuid, struck_at: Instant) -> usize {
    for _ in 0..100 {
        if let Ok(mut connection) = PgConnection::connect(&stage.database.url).await
            && let Ok(held) = stage.resumes.struck(worker, struck_at, &mut connection).await
        {
            return held;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stage.violations.add("the database did not come back for five seconds");
    0
}
