//! The memory of this process is nobody else's: it holds keys, passwords and tokens (RELIABILITY S41).

use std::io;

use rustix::process::{DumpableBehavior, set_dumpable_behavior};

/// No core dump is written of this process from now on, and other processes of the same user can neither trace it nor read its environment
/// and memory; root can. What it executes is its own again: helm has no secrets of ours.
///
/// # Errors
/// When the kernel refuses.
pub fn keep_memory_private() -> io::Result<()> {
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

#[cfg(test)]
mod tests {
    use rustix::process::dumpable_behavior;

    use super::*;

    #[test]
    fn s41_no_dump_is_written_and_no_neighbour_reads() {
        keep_memory_private().unwrap();

        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        // What it says of itself goes on: the numbers of `/metrics` come from here.
        for own in ["/proc/self/stat", "/proc/self/limits"] {
            assert!(!std::fs::read_to_string(own).unwrap().is_empty(), "{own}");
        }
        assert!(std::fs::read_dir("/proc/self/fd").unwrap().count() > 0);
    }
}
