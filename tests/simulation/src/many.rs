//! Many runs, on all cores, and their sum.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::run::{self, Outcome};
use crate::tally::Tally;
use crate::time::SECOND;

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

/// Runs seeds and prints what came of them; false when one is broken.
pub fn seeds(from: u64, count: u64) -> bool {
    let began = Instant::now();
    let sum = Mutex::new(Sum::default());
    on_all_cores(from, count, |seed| {
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
    println!(
        "test result: {}. {} runs passed; {} broken",
        if sum.broken.is_empty() { "ok" } else { "FAILED" },
        sum.runs - sum.broken.len() as u64,
        sum.broken.len()
    );
    sum.broken.is_empty()
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
