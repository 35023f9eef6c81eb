//! The table at the end of a run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::{Connection, PgConnection};

use super::audit::Findings;
use super::burst::Burst;
use super::distribution::percentile;
use super::judge::Judged;
use super::outage::Weathered;
use super::rolling::Rolled;
use super::{Stage, WORK_PER_KILL, rest};

/// Half of the leases that a take-over may take at most: two at the 99th percentile, three at the worst.
const P99_LEASES: u32 = 2;
const MAX_LEASES: u32 = 3;

/// What a run came to.
#[derive(Debug, Default)]
pub struct Report {
    pub(super) burst: Option<Burst>,
    pub(super) rolled: Option<Rolled>,
    pub(super) weathered: Option<Weathered>,
    pub(super) rest: Duration,
    pub(super) judged: Judged,
    pub(super) findings: Findings,
    operations: BTreeMap<(String, String), usize>,
    releases: (i64, i64),
    lines: Vec<(String, String)>,
    violations: Vec<String>,
}

impl Report {
    /// Whether every promise was kept.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    /// The operations of the run, before the harness deletes what is left.
    pub(super) async fn note_operations(&mut self, stage: &Stage) -> anyhow::Result<()> {
        let mut connection = PgConnection::connect(&stage.database.url).await?;
        for row in rest::operations(&mut connection).await? {
            let why = row.failure_code.map(|code| format!(" {code}")).unwrap_or_default();
            *self.operations.entry((row.kind, format!("{}{why}", row.status))).or_default() += 1;
        }
        self.releases = sqlx::query_as(
            "select count(*) filter (where event_type = 'helm_install'), count(*) filter (where event_type = 'helm_uninstall')
             from audit_events",
        )
        .fetch_one(&mut connection)
        .await?;
        Ok(())
    }

    /// Judges the measurements and writes the table.
    pub(super) fn close(&mut self, stage: &Stage) {
        self.promises(stage);
        let plan = &stage.plan;
        self.line("run again with", plan.command());
        self.line("duration", format!("{:.0?}", stage.began.elapsed()));
        if let Some(Burst { asked, accepted_in, ready_in }) = self.burst {
            self.line(
                "created at once",
                format!("{asked}: accepted in {accepted_in:.1?}, all ready in {ready_in:.1?}"),
            );
        }
        if let Some(Rolled { terminations, longest }) = self.rolled {
            self.line("replicas told to end", format!("{terminations}, the longest took {longest:.1?}"));
        }
        self.deeds(stage);
        let (done, refused, unknown) = stage.recorder.counts();
        self.line("requests", format!("{done} done, {refused} refused, {unknown} without an answer"));
        for ((kind, status), count) in std::mem::take(&mut self.operations) {
            self.line(&format!("operations: {kind} {status}"), count.to_string());
        }
        let (installs, uninstalls) = self.releases;
        self.line("helm runs that were recorded", format!("{installs} install, {uninstalls} uninstall"));
        self.calls(stage);
        self.times(stage);
        let Findings { writes, refused, stale, crossing, .. } = &self.findings;
        let took_effect = stale.len();
        let text = format!("{took_effect} of {writes}; {refused} were refused, {crossing} were under way");
        self.line("stale writes after the barrier", text);
        self.line("namespaces made by sleepers, swept", stage.seen.late().to_string());
        let Judged { histories, undecided } = self.judged;
        self.line("histories checked", format!("{histories}, {undecided} undecided"));
        self.line("looks at all invariants", stage.seen.rounds().to_string());
        self.violations = stage.violations.all();
        self.line("violations", self.violations.len().to_string());
    }

    fn promises(&self, stage: &Stage) {
        let bad = |what: String| stage.violations.add(what);
        let (lease, times) = (stage.plan.lease, stage.resumes.times());
        let (p99, max) = (percentile(&times, 99), percentile(&times, 100));
        if p99 > lease * P99_LEASES || max > lease * MAX_LEASES {
            bad(format!(
                "resumed after {p99:.1?} at the 99th percentile and {max:.1?} at the worst; a lease is {lease:?}"
            ));
        }
        if stage.resumes.waiting() > 0 {
            bad(format!("{} operations of dead owners were never resumed", stage.resumes.waiting()));
        }
        let succeeded: usize =
            self.operations.iter().filter(|((_, status), _)| status == "succeeded").map(|(_, count)| count).sum();
        let wanted = usize::try_from(stage.plan.kills * WORK_PER_KILL).unwrap_or(usize::MAX);
        if succeeded < wanted {
            bad(format!("only {succeeded} operations succeeded, {wanted} are the least that proves something"));
        }
        if stage.seen.rounds() == 0 {
            bad("nobody looked".to_owned());
        }
    }

    fn deeds(&mut self, stage: &Stage) {
        let deeds = &stage.deeds;
        let (kills, with_work) = (deeds.kills.load(Ordering::Relaxed), deeds.with_work.load(Ordering::Relaxed));
        if kills > 0 {
            self.line("kills", format!("{kills}, {with_work} of them in the middle of something"));
            for (trouble, count) in deeds.troubles() {
                self.line(trouble.name(), count.to_string());
            }
            self.line("commits whose answer was lost", stage.wire.lost_commits().to_string());
        }
        if let Some(Weathered { normal, during, by_kind, waiting, resumed }) = self.weathered.clone() {
            let kinds: Vec<String> =
                by_kind.iter().map(|(kind, rate)| format!("{kind:?} {:.1} ({:.1} of helm)", rate.0, rate.1)).collect();
            let share = 100.0 * during / normal.max(f64::MIN_POSITIVE);
            self.line(
                "outage",
                format!("{:?}; {waiting} operations waited and had all gone on after {resumed:.1?}", stage.plan.outage),
            );
            self.line(
                "calls a second",
                format!("{normal:.1} before, {during:.1} during ({share:.0} %): {}", kinds.join(", ")),
            );
        }
    }

    fn calls(&mut self, stage: &Stage) {
        let list = |counts: BTreeMap<&'static str, u64>| {
            counts
                .into_iter()
                .fold(String::new(), |text, (name, count)| format!("{text}{count} {name}, "))
                .trim_end_matches(", ")
                .to_owned()
        };
        self.line("calls to the apiserver", list(stage.proxy.meter().by_caller()));
        self.line("of them broken", list(stage.proxy.meter().by_fault()));
    }

    fn times(&mut self, stage: &Stage) {
        let (times, lease) = (stage.resumes.times(), stage.plan.lease.as_secs_f64());
        if times.is_empty() {
            return;
        }
        let leases = |percent| percentile(&times, percent).as_secs_f64() / lease;
        let text = format!(
            "p50 {:.2} L, p99 {:.2} L, max {:.2} L ({} resumed, {} moot)",
            leases(50),
            leases(99),
            leases(100),
            times.len(),
            stage.resumes.moot()
        );
        self.line("from death to resume, L = lease", text);
        let rest = self.rest;
        self.line("at rest after the faults", format!("{rest:.1?}"));
    }

    fn line(&mut self, name: &str, value: String) {
        self.lines.push((name.to_owned(), value));
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        for (name, value) in &self.lines {
            writeln!(text, "{name:<40} {value}")?;
        }
        for violation in &self.violations {
            writeln!(text, "VIOLATION: {violation}")?;
        }
        f.write_str(&text)
    }
}
