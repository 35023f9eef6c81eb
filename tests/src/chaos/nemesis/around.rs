//! Everything else that breaks: pauses, the apiserver, its storage, the network, the database.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::kills::struck;
use crate::chaos::Stage;
use crate::chaos::dice::Dice;
use crate::chaos::proxy::Fault;

/// A kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// SIGSTOP of a replica and its helms for five leases, then SIGCONT (RELIABILITY F3).
    Pause,
    /// The apiserver is killed and started again (F32).
    ApiserverKilled,
    /// The apiserver stands still with its connections open (F37).
    ApiserverFrozen,
    /// The same with its storage (F38).
    EtcdFrozen,
    /// Calls to the apiserver fail by 429, 500, resets and silence, or are done and not answered (F31-F33).
    BadNetwork,
    /// Writes to the apiserver arrive after their senders have lost their leases (F3).
    LateWrites,
    /// The database server is restarted, or crashes (F16 without a standby).
    DatabaseRestarted,
    /// All connections to the database end.
    DatabaseCut,
    /// The database cannot be reached for some seconds.
    DatabaseAway,
    /// Commits are done and not answered (F15).
    CommitsLost,
}

impl Trouble {
    /// All kinds.
    pub(crate) const ALL: [Self; 10] = [
        Self::Pause,
        Self::ApiserverKilled,
        Self::ApiserverFrozen,
        Self::EtcdFrozen,
        Self::BadNetwork,
        Self::LateWrites,
        Self::DatabaseRestarted,
        Self::DatabaseCut,
        Self::DatabaseAway,
        Self::CommitsLost,
    ];

    /// A few words for the report.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pause => "pauses of 5 leases",
            Self::ApiserverKilled => "apiserver kills",
            Self::ApiserverFrozen => "apiserver freezes",
            Self::EtcdFrozen => "etcd freezes",
            Self::BadNetwork => "spells of bad network",
            Self::LateWrites => "spells of late writes",
            Self::DatabaseRestarted => "database restarts and crashes",
            Self::DatabaseCut => "cuts of all database connections",
            Self::DatabaseAway => "database outages",
            Self::CommitsLost => "spells of lost commits",
        }
    }
}

/// Makes trouble until it is enough, every kind before any comes again, and leaves everything mended.
pub(super) async fn trouble(stage: &Arc<Stage>, mut dice: Dice, enough: &CancellationToken) -> anyhow::Result<()> {
    let mut pause: Option<JoinHandle<anyhow::Result<()>>> = None;
    let mut deck = Vec::new();
    while !enough.is_cancelled() {
        if deck.is_empty() {
            deck = dice.shuffled(&Trouble::ALL);
        }
        let Some(kind) = deck.pop() else { continue };
        if kind == Trouble::Pause {
            if pause.as_ref().is_none_or(JoinHandle::is_finished)
                && let Some((slot, worker)) = dice.one_of(&stage.fleet.working()).copied()
            {
                stage.deeds.count(kind);
                pause = Some(tokio::spawn(pause_one(Arc::clone(stage), slot, worker, enough.clone())));
            }
            continue;
        }
        stage.deeds.count(kind);
        make(stage, kind, &mut dice).await?;
        let quiet = dice.millis(500..3_000);
        tokio::select! {
            () = tokio::time::sleep(quiet) => {}
            () = enough.cancelled() => {}
        }
    }
    if let Some(pause) = pause {
        pause.await??;
    }
    Ok(())
}

async fn pause_one(
    stage: Arc<Stage>,
    slot: usize,
    worker: uuid::Uuid,
    enough: CancellationToken,
) -> anyhow::Result<()> {
    let struck_at = Instant::now();
    stage.fleet.pause(slot)?;
    let held = struck(&stage, worker, struck_at).await;
    stage.say(&format!("paused replica {slot}, which held {held}"));
    tokio::select! {
        () = tokio::time::sleep(stage.plan.lease * 5) => {}
        // A run that is over does not wait for five leases; three are enough for others to have taken over.
        () = async { enough.cancelled().await; tokio::time::sleep_until((struck_at + stage.plan.lease * 3).into()).await } => {}
    }
    stage.fleet.resume(slot)?;
    stage.say(&format!("replica {slot} goes on"));
    Ok(())
}

async fn make(stage: &Stage, kind: Trouble, dice: &mut Dice) -> anyhow::Result<()> {
    let kit = &stage.plan.kit;
    stage.say(kind.name());
    match kind {
        Trouble::Pause => {}
        Trouble::ApiserverKilled => {
            kit.cluster(&["kill", "kube-apiserver"]).await?;
            tokio::time::sleep(dice.millis(100..4_000)).await;
            kit.cluster(&["up", "--fake", "2"]).await?;
        }
        Trouble::ApiserverFrozen => frozen(stage, "kube-apiserver", dice.millis(2_000..14_000)).await?,
        Trouble::EtcdFrozen => frozen(stage, "etcd", dice.millis(1_000..6_000)).await?,
        Trouble::BadNetwork => {
            let mix = [Fault::Throttled, Fault::Error, Fault::Reset, Fault::ReplyLost, Fault::ReplyLost, Fault::Hang];
            stage.proxy.faults().break_some(dice.within(10..40), &mix);
            tokio::time::sleep(dice.millis(3_000..9_000)).await;
            stage.proxy.faults().cease();
        }
        Trouble::LateWrites => {
            let lease = u64::try_from(stage.plan.lease.as_millis())?;
            stage.proxy.faults().break_some(40, &[Fault::Late(dice.millis(lease / 2..lease * 3))]);
            tokio::time::sleep(dice.millis(3_000..6_000)).await;
            stage.proxy.faults().cease();
        }
        Trouble::DatabaseRestarted => {
            kit.postgres(if dice.percent(50) { "restart" } else { "crash" }).await?;
        }
        Trouble::DatabaseCut => stage.wire.cut(),
        Trouble::DatabaseAway => {
            stage.wire.set_away(true);
            tokio::time::sleep(dice.millis(500..4_000)).await;
            stage.wire.set_away(false);
        }
        Trouble::CommitsLost => {
            stage.wire.lose_commits(dice.within(5..30));
            tokio::time::sleep(dice.millis(2_000..5_000)).await;
            stage.wire.lose_commits(0);
        }
    }
    Ok(())
}

async fn frozen(stage: &Stage, process: &str, duration: Duration) -> anyhow::Result<()> {
    stage.plan.kit.cluster(&["pause", process]).await?;
    tokio::time::sleep(duration).await;
    stage.plan.kit.cluster(&["resume", process]).await
}
