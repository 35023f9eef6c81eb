//! Chaos on real parts: three replicas of the program on a real PostgreSQL, apiserver and helm, under load, while everything breaks.
//!
//! One seed decides what breaks and what clients ask for. Whatever happens: a store has one namespace, one release, one row; what is deleted
//! leaves nothing; what was acknowledged is there; what clients were told could have come from a store that does one thing at a time; what a
//! dead replica held is taken up by another within two leases; and nobody whose time is over writes anything. A run that gets too little done
//! fails as well.

mod audit;
mod burst;
mod caller;
mod clients;
mod dice;
mod distribution;
mod doom;
mod fleet;
mod judge;
mod nemesis;
mod observer;
mod outage;
mod plan;
mod processes;
mod proxy;
mod record;
mod report;
mod rest;
mod resumes;
mod rolling;
mod shop;
mod violations;
mod wire;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures::future::try_join_all;

pub use plan::Plan;
pub use report::Report;

use crate::client::Merchant;
use crate::real::{Inventory, Parts, Remains, TestCluster, TestDatabase};

/// As many as two cores can carry at once.
const STORES_ALIVE: usize = 20;
const MERCHANTS: usize = 4;
/// How long everything may take to come to rest when all faults have ceased.
const REST: Duration = Duration::from_mins(3);
/// Operations that succeed for every kill, at least.
const WORK_PER_KILL: u32 = 2;

/// Everything that the actors of a run share.
#[derive(Debug)]
struct Stage {
    plan: Plan,
    fleet: fleet::Fleet,
    proxy: proxy::FaultProxy,
    wire: wire::WireProxy,
    callers: Vec<caller::Caller>,
    shop: shop::Shop,
    recorder: record::Recorder,
    resumes: resumes::Resumes,
    violations: violations::Violations,
    deeds: nemesis::Deeds,
    seen: observer::Seen,
    doom: doom::Doom,
    directory: PathBuf,
    database: TestDatabase,
    cluster: TestCluster,
    _remains: Remains,
    began: Instant,
}

impl Stage {
    async fn set(plan: Plan, directory: PathBuf) -> anyhow::Result<Self> {
        let mut parts = Parts::on_kwok(&plan.environment).await?;
        let faults = proxy::Faults::new(dice::Dice::of(plan.seed, "calls"));
        let proxy = proxy::FaultProxy::start(&plan.environment.admin_kubeconfig, faults).await?;
        proxy.redirect(&parts.kubeconfig())?;
        let wire = wire::WireProxy::start(&plan.kit.postgres_directory, dice::Dice::of(plan.seed, "commits")).await?;
        parts.set("DATABASE_URL", wire.url(&parts.database.url)?);
        // Retries are part of the load, not a way to be locked out of it.
        parts.set("PROVISIONING_MAX_RETRIES", "100");
        parts.set("SHOPWRIGHT_LEASE", format!("{}s", plan.lease.as_secs()));
        let (database, cluster, settings, remains) = parts.apart();
        let fleet = fleet::Fleet::new(settings, directory.clone());
        try_join_all((0..plan::REPLICAS).map(|slot| fleet.start(slot))).await?;
        let merchants = MERCHANTS.max(plan.creates.div_ceil(burst::PER_MERCHANT));
        let mut callers = Vec::new();
        for number in 0..merchants {
            let base = fleet.bases().first().cloned().context("no replica is up")?;
            callers.push(caller::Caller::new(Merchant::register(&base, &format!("merchant-{number}")).await?.token())?);
        }
        let doom = doom::Doom::over(cluster.client());
        Ok(Self {
            plan,
            fleet,
            proxy,
            wire,
            callers,
            shop: shop::Shop::new(STORES_ALIVE),
            recorder: record::Recorder::default(),
            resumes: resumes::Resumes::default(),
            violations: violations::Violations::default(),
            deeds: nemesis::Deeds::default(),
            seen: observer::Seen::default(),
            doom,
            directory,
            database,
            cluster,
            _remains: remains,
            began: Instant::now(),
        })
    }

    fn say(&self, what: &str) {
        eprintln!("{:>8.1} s  {what}", self.began.elapsed().as_secs_f64());
    }

    /// The apiserver may be away: then the store fails once more, and is pardoned at another time.
    async fn pardon(&self, id: &str) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.doom.pardon(id)).await;
    }
}

/// Runs the plan. Logs and scratch files of replicas are below `directory`.
///
/// # Errors
/// When the harness cannot do what it must; broken promises are in the report.
pub async fn run(plan: Plan, directory: PathBuf) -> anyhow::Result<Report> {
    shopwright_app::crypto::install_crypto();
    let audit = audit::AuditLog::from_now(&plan.environment.admin_kubeconfig)?;
    let before = TestCluster::connect(&plan.environment.admin_kubeconfig).await?.inventory().await?;
    eprintln!("{}", plan.command());
    let stage = Arc::new(Stage::set(plan, directory).await?);
    let watching = observer::watch(&stage);
    let mut report = Report::default();
    let ran = phases(&stage, &mut report).await;
    // Faults never outlive a run, however it ends.
    stage.proxy.faults().cease();
    if let Err(error) = &ran {
        stage.violations.add(format!("{error:#}"));
    }
    settle(&stage, &mut report, &audit, before).await?;
    drop(watching);
    report.close(&stage);
    Ok(report)
}

async fn phases(stage: &Arc<Stage>, report: &mut Report) -> anyhow::Result<()> {
    if stage.plan.creates > 0 {
        stage.say(&format!("{} stores are asked for at once", stage.plan.creates));
        report.burst = Some(burst::burst(stage, &stage.callers).await?);
    }
    // Only now: of a burst, every store becomes ready.
    stage.doom.impose().await?;
    if stage.plan.kills > 0 {
        let load = clients::Load::begin(stage, "k");
        stage.say("a rollout under load");
        report.rolled = Some(rolling::roll(stage).await?);
        stage.say("faults begin");
        let raged = nemesis::rage(stage).await;
        load.end(stage).await;
        stage.say("faults cease");
        raged?;
        report.rest = rest::come_to_rest(stage, REST).await?;
        rest::examine(stage).await?;
    }
    if !stage.plan.outage.is_zero() {
        report.weathered = Some(outage::weather(stage).await?);
        report.rest = report.rest.max(rest::come_to_rest(stage, REST).await?);
        rest::examine(stage).await?;
    }
    Ok(())
}

/// The end of every run: all stores are deleted, nothing of them may be left, and what was recorded is judged.
async fn settle(
    stage: &Arc<Stage>,
    report: &mut Report,
    audit: &audit::AuditLog,
    before: Inventory,
) -> anyhow::Result<()> {
    stage.say("everything is deleted");
    report.note_operations(stage).await?;
    if let Err(error) = rest::delete_all(stage).await {
        stage.violations.add(format!("{error:#}"));
    }
    stage.doom.lift().await?;
    rest::nothing_left(stage, &before).await?;
    for (slot, log) in stage.fleet.deserters()? {
        stage.violations.add(format!("replica {slot} ended by itself:\n{log}"));
    }
    report.judged = judge::judge(&stage.recorder.all(), &stage.violations)?;
    report.findings = audit.read()?;
    for stale in &report.findings.stale {
        stage.violations.add(format!("stale write: {stale}"));
    }
    rest::count_namespaces(stage, &report.findings.namespaces).await?;
    Ok(())
}
