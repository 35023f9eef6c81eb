//! Many runs, on all cores, and their sum.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use shopwright_domain::operation::OperationKind;

use crate::exhaustive::{self, Hit};
use crate::fault::Fault;
use crate::run::{self, Outcome};
use crate::tally::Tally;
use crate::time::SECOND;

/// Seeds that once broke something.
const KEPT: &str = include_str!("../seeds.txt");

/// They are run before all others.
pub fn kept() -> Vec<u64> {
    let first = |line: &str| line.split_whitespace().next().and_then(|word| word.parse().ok());
    KEPT.lines().filter_map(first).collect()
}

/// One in so many seeds is run twice (RELIABILITY P2).
const TWICE: u64 = 100;

/// What many runs came to.
#[derive(Debug, Default)]
pub struct Sum {
    /// How many were run.
    pub runs: u64,
    /// Of those, how many were run twice and were the same.
    pub same: u64,
    /// What was broken, in order of the seeds.
    pub broken: Vec<(u64, String)>,
    /// What happened.
    pub tally: Tally,
}

impl Sum {
    fn add(&mut self, outcome: Outcome) {
        self.runs += 1;
        self.tally.add(&outcome.tally);
        if let Err(broken) = outcome.result {
            self.broken.push((outcome.seed, broken));
        }
    }

    fn again(&mut self, seed: u64, first: u64) {
        if run::seed(seed, false).hash == first {
            self.same += 1;
        } else {
            self.broken.push((seed, "two runs of this seed differ".to_owned()));
        }
    }
}

/// Runs `work` for every number in a range, on all cores.
pub fn on_all_cores(from: u64, count: u64, work: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(from);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= from + count {
                        return;
                    }
                    work(number);
                }
            });
        }
    });
}

/// Runs every single fault of every saga and every pair of deaths of a provision and of a deletion; false when something is broken.
pub fn exhaustive() -> bool {
    let began = Instant::now();
    let mut runs = 0;
    let broken = Mutex::new(Vec::new());
    let report = |kind: OperationKind, faults: &[(usize, Fault)], hit: &Hit| {
        if let Err(why) = &hit.outcome.result {
            let line = format!("{kind} {}: {why}", spell(faults));
            println!("BROKEN: {line}");
            broken.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    };
    for kind in OperationKind::ALL {
        let singles = exhaustive::singles(kind);
        on_all_cores(0, singles.len() as u64, |number| {
            let single = [singles[index(number)]];
            report(kind, &single, &exhaustive::run(kind, &single, false));
        });
        println!("{kind}: {} single faults", singles.len());
        runs += singles.len();
    }
    for kind in [OperationKind::Provision, OperationKind::Delete] {
        let firsts = exhaustive::deaths(&exhaustive::run(kind, &[], false).sites, 0);
        let count = AtomicU64::new(0);
        on_all_cores(0, firsts.len() as u64, |number| {
            for pair in exhaustive::pairs(kind, firsts[index(number)]) {
                report(kind, &pair, &exhaustive::run(kind, &pair, false));
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        let count = count.into_inner();
        println!("{kind}: {count} pairs of deaths, from {} points", firsts.len());
        runs += index(count);
    }
    let broken = broken.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{runs} runs in {:.1} s", began.elapsed().as_secs_f64());
    verdict(runs, broken.len())
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Faults as the program's arguments spell them: `12:crash-after`.
fn spell(faults: &[(usize, Fault)]) -> String {
    let spelt: Vec<String> = faults.iter().map(|(at, fault)| format!("{at}:{}", name(*fault))).collect();
    spelt.join(" ")
}

fn name(fault: Fault) -> String {
    match fault {
        Fault::Orphan(delay) | Fault::Late(delay) => format!("{}-{}", fault.name().replace(' ', "-"), delay / SECOND),
        other => other.name().replace(' ', "-"),
    }
}

/// Replays one run of a saga: `faults` as they were printed.
pub fn replay(kind: &str, faults: &[String]) -> bool {
    let Ok(kind) = kind.parse::<OperationKind>() else { return false };
    let parse = |text: &String| {
        let (at, wanted) = text.split_once(':')?;
        let fault = exhaustive::FAULTS.into_iter().find(|fault| name(*fault) == wanted)?;
        Some((at.parse().ok()?, fault))
    };
    let Some(faults) = faults.iter().map(parse).collect::<Option<Vec<_>>>() else { return false };
    let hit = exhaustive::run(kind, &faults, true);
    println!("{}{kind}: {:?}", hit.outcome.trace.as_deref().unwrap_or_default(), hit.outcome.result);
    hit.outcome.result.is_ok()
}

/// The last line, as tests/run counts it.
fn verdict(runs: usize, broken: usize) -> bool {
    let word = if broken == 0 { "ok" } else { "FAILED" };
    println!("test result: {word}. {} runs passed; {broken} broken", runs - broken);
    broken == 0
}

/// Runs seeds and prints what came of them; false when one is broken.
pub fn seeds(from: u64, count: u64) -> bool {
    let began = Instant::now();
    let sum = Mutex::new(Sum::default());
    let kept = kept();
    on_all_cores(0, kept.len() as u64 + count, |number| {
        let seed = kept.get(index(number)).copied().unwrap_or_else(|| from + number - kept.len() as u64);
        let outcome = run::seed(seed, false);
        let hash = outcome.hash;
        if let Err(broken) = &outcome.result {
            println!("seed {seed}: BROKEN: {broken}");
        }
        let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
        sum.add(outcome);
        if seed % TWICE == 0 {
            sum.again(seed, hash);
        }
    });
    let mut sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    sum.broken.sort_by_key(|(seed, _)| *seed);
    print(&sum, began.elapsed().as_secs_f64());
    for (seed, _) in &sum.broken {
        println!("broken: make sim SEED={seed}");
    }
    let idle = sum.runs >= 100 && !sum.tally.got_somewhere();
    if idle {
        println!("BROKEN: too little succeeded for the rest to prove anything");
    }
    verdict(index(sum.runs), sum.broken.len() + usize::from(idle))
}

/// Runs a storm of so many operations; false when something is broken.
pub fn storm(operations: u32) -> bool {
    let began = Instant::now();
    let outcome = crate::storm::storm(operations);
    let simulated = outcome.tally.time / SECOND;
    println!(
        "{operations} operations due at once: all ready after {simulated} s of simulated time, {:.1} s of real",
        began.elapsed().as_secs_f64()
    );
    if let Err(broken) = &outcome.result {
        println!("BROKEN: {broken}");
    }
    verdict(1, usize::from(outcome.result.is_err()))
}

/// Prints the numbers of a sum.
#[expect(clippy::cast_precision_loss, reason = "numbers for people")]
fn print(sum: &Sum, seconds: f64) {
    let tally = &sum.tally;
    println!(
        "{} seeds in {seconds:.1} s ({:.1} per second), {} of them twice with equal traces",
        sum.runs,
        sum.runs as f64 / seconds,
        sum.same
    );
    println!(
        "{} calls, {} events, {:.0} h simulated; {} processes killed, {} stopped, {} namespaces swept",
        tally.calls,
        tally.events,
        tally.time as f64 / SECOND as f64 / 3600.0,
        tally.deaths,
        tally.stops,
        tally.swept
    );
    let list = |pairs: Vec<String>| pairs.join(", ");
    println!("faults: {}", list(tally.faults.iter().map(|(name, count)| format!("{name} {count}")).collect()));
    println!(
        "requests: {}",
        list(tally.requests.iter().map(|((kind, end), count)| format!("{kind} {end} {count}")).collect())
    );
    println!(
        "operations: {}",
        list(tally.operations.iter().map(|((kind, end), count)| format!("{kind} {end} {count}")).collect())
    );
    let mut recoveries = tally.recoveries.clone();
    recoveries.sort_unstable();
    if let Some(max) = recoveries.last() {
        let p99 = recoveries[(recoveries.len() - 1) * 99 / 100];
        println!(
            "{} operations of dead workers resumed; p99 {:.1} s, max {:.1} s (outages included)",
            recoveries.len(),
            p99 as f64 / SECOND as f64,
            *max as f64 / SECOND as f64
        );
    }
}
