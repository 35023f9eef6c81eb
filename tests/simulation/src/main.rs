//! `sim`: runs seeds, and says what came of them.
//!
//! ```text
//! sim replay SEED            one seed, with a line per step
//! sim all                    all of the next three, with 2,000 seeds and operations
//! sim exhaustive             every single fault of every saga, every pair of deaths
//! sim storm COUNT            so many operations are told to come back at the same time
//! sim hit KIND AT:FAULT...   one run of one saga, as `sim exhaustive` prints it, with a line per step
//! sim seeds COUNT [FROM]     many seeds on all cores, one in a hundred of them twice
//! ```

use std::process::ExitCode;

use shopwright_simulation::{many, run};

fn number(arguments: &[String], at: usize) -> Option<u64> {
    arguments.get(at).and_then(|text| text.parse().ok())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ok = match (arguments.first().map(String::as_str), number(&arguments, 1)) {
        (Some("replay"), Some(seed)) => {
            let outcome = run::seed(seed, true);
            print!("{}", outcome.trace.as_deref().unwrap_or_default());
            match &outcome.result {
                Ok(()) => println!("seed {seed}: holds, trace {:016x}", outcome.hash),
                Err(broken) => println!("seed {seed}: BROKEN: {broken}"),
            }
            outcome.result.is_ok()
        }
        (Some("exhaustive"), None) => many::exhaustive(),
        (Some("all"), None) => many::exhaustive() & many::seeds(0, 2000) & many::storm(2000),
        (Some("hit"), None) if arguments.len() > 1 => many::replay(&arguments[1], &arguments[2..]),
        (Some("storm"), Some(count)) => many::storm(u32::try_from(count).unwrap_or(u32::MAX)),
        (Some("seeds"), Some(count)) => many::seeds(number(&arguments, 2).unwrap_or(0), count),
        _ => {
            eprintln!(
                "sim replay SEED | sim seeds COUNT [FROM] | sim exhaustive | sim storm COUNT | sim hit KIND AT:FAULT..."
            );
            false
        }
    };
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
