//! Many creations at the same moment: every one becomes ready, and none is refused because a queue is full.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use sqlx::{Connection, PgConnection};

use super::Stage;
use super::caller::{Caller, Heard, send};
use super::record::Outcome;

/// No more than this may pass without one more store becoming ready.
const STANDSTILL: Duration = Duration::from_mins(3);
/// How many stores one merchant may hold.
pub(super) const PER_MERCHANT: usize = 100;
/// Longer than a server takes over any request: it is the server that says whether it was too much.
const PATIENCE: Duration = Duration::from_mins(1);
/// Requests on their way at once: a client cannot open more connections than this in one moment without being refused by its own machine.
const IN_FLIGHT: usize = 256;

/// What was measured.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Burst {
    /// How many were asked for.
    pub asked: usize,
    /// How long it took until all were accepted.
    pub accepted_in: Duration,
    /// How long it took until all were ready.
    pub ready_in: Duration,
}

/// Asks for all of them, and waits for all.
///
/// # Errors
/// When one is refused, fails, or nothing goes on any more.
pub(super) async fn burst(stage: &Arc<Stage>, callers: &[Caller]) -> anyhow::Result<Burst> {
    let asked = stage.plan.creates;
    let start = Instant::now();
    let bases = stage.fleet.bases();
    let create = |number: usize| {
        let (caller, base) = (&callers[number / PER_MERCHANT], &bases[number % bases.len()]);
        let engine = if number.is_multiple_of(2) { "medusa" } else { "woocommerce" };
        let request = caller.create(base, &format!("burst-{number}"), engine, &format!("burst-{number}"));
        async move {
            match send(request, Some(PATIENCE)).await {
                Heard::Outcome(Outcome::Done { .. }, Some(_)) => Ok(()),
                other => Err(anyhow::anyhow!("creation {number} was answered {other:?}")),
            }
        }
    };
    let answers: Vec<_> = stream::iter(0..asked).map(create).buffer_unordered(IN_FLIGHT).collect().await;
    for answer in answers {
        answer?;
    }
    let accepted_in = start.elapsed();
    stage.say(&format!("{asked} creations were accepted in {accepted_in:.1?}"));

    let (mut ready, mut since) = (0, Instant::now());
    while ready < asked {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut connection = PgConnection::connect(&stage.database.url).await?;
        let (now_ready, failed): (i64, i64) = sqlx::query_as(
            "select count(*) filter (where state = 'ready'), count(*) filter (where state = 'failed')
             from stores where name like 'burst-%'",
        )
        .fetch_one(&mut connection)
        .await?;
        anyhow::ensure!(failed == 0, "{failed} stores failed");
        let now_ready = usize::try_from(now_ready)?;
        if now_ready > ready {
            if now_ready / 100 > ready / 100 {
                stage.say(&format!("{now_ready} stores are ready after {:.0?}", start.elapsed()));
            }
            (ready, since) = (now_ready, Instant::now());
        }
        anyhow::ensure!(since.elapsed() < STANDSTILL, "only {ready} of {asked} stores are ready, and nothing goes on");
    }
    Ok(Burst { asked, accepted_in, ready_in: start.elapsed() })
}
