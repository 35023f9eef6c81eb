//! What this process uses of the machine, from `/proc/self`. Where there is no such thing all is zero.

use std::fs;
use std::time::Duration;

use rustix::param::{clock_ticks_per_second, page_size};
use shopwright_ports::metrics_api::ProcessUsage;

/// As it is now.
pub(super) fn usage() -> ProcessUsage {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let mut usage = of_stat(&stat);
    usage.open_files = fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64);
    usage.max_files = open_files_limit(&fs::read_to_string("/proc/self/limits").unwrap_or_default());
    usage
}

/// `proc_pid_stat(5)`: what follows the name in brackets, which may hold anything, is in fixed places.
fn of_stat(stat: &str) -> ProcessUsage {
    let after = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let fields: Vec<&str> = after.split_whitespace().collect();
    // The first of them is field 3.
    let number = |field: usize| fields.get(field - 3).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let tick = 1e9 / f64::from(u32::try_from(clock_ticks_per_second()).unwrap_or(100));
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a process does not live for centuries"
    )]
    let time = |ticks: u64| Duration::from_nanos((ticks as f64 * tick) as u64);
    ProcessUsage {
        user: time(number(14)),
        system: time(number(15)),
        threads: number(20),
        virtual_bytes: number(23),
        resident_bytes: number(24) * page_size() as u64,
        open_files: 0,
        max_files: 0,
    }
}

fn open_files_limit(limits: &str) -> u64 {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    line.and_then(|line| line.split_whitespace().next()).and_then(|soft| soft.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_program_may_hold_anything() {
        let stat =
            "7 (a) b (c) S 1 7 7 0 -1 4194560 900 0 3 0 150 50 0 0 20 0 9 0 12345 1000000 300 18446744073709551615";

        let usage = of_stat(stat);

        assert_eq!((usage.threads, usage.virtual_bytes), (9, 1_000_000));
        assert_eq!(usage.resident_bytes, 300 * page_size() as u64);
        assert_eq!(usage.user, usage.system * 3);
        assert_eq!(of_stat(""), ProcessUsage::default());
    }

    #[test]
    fn this_process_uses_something() {
        let usage = usage();

        assert!(
            usage.resident_bytes > 0 && usage.open_files > 0 && usage.max_files > 0 && usage.threads > 0,
            "{usage:?}"
        );
    }
}
