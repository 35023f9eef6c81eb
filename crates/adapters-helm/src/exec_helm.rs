//! The hidden subcommand through which helm is started: it ties helm's life to its parent's, then becomes helm.
//!
//! The death signal must be set in the child, between fork and exec, which in Rust takes unsafe code; a program that sets it on itself
//! and then execs takes none. The signal fires when the *thread* that forked ends, so the module `process` forks on a thread that
//! lives as long as helm.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

/// The subcommand's name: `<program> exec-helm <parent's pid> <helm> <helm's arguments>...`.
pub const SUBCOMMAND: &str = "exec-helm";

/// Why this process did not become helm.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// It is not for people to call.
    #[error("usage: {SUBCOMMAND} PARENT-PID HELM [ARGUMENT]...")]
    Usage,
    /// The parent died before the signal was set: nobody would stop this helm.
    #[error("the process that wanted helm is gone")]
    Orphaned,
    /// The kernel refused the death signal.
    #[error("the parent's death cannot be watched: {0}")]
    DeathSignal(#[source] rustix::io::Errno),
    /// helm could not be executed.
    #[error("{path} cannot be executed: {source}")]
    Exec {
        /// Which program.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
}

/// Becomes helm; returns only if that fails. `args` are those after [`SUBCOMMAND`]; the environment is handed on as it is.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExecError {
    let mut args = args.into_iter();
    let (Some(parent), Some(helm)) = (args.next().as_deref().and_then(pid), args.next().map(PathBuf::from)) else {
        return ExecError::Usage;
    };
    if let Err(errno) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return ExecError::DeathSignal(errno);
    }
    // Only after the signal is set: a parent that dies from now on takes this process with it.
    if getppid() != Some(parent) {
        return ExecError::Orphaned;
    }
    let source = Command::new(&helm).args(args).exec();
    ExecError::Exec { path: helm, source }
}

fn pid(text: &OsStr) -> Option<Pid> {
    text.to_str()?.parse().ok().and_then(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_call_by_a_parent_is_refused() {
        for args in [vec![], vec!["1"], vec!["x", "/bin/true"], vec!["0", "/bin/true"]] {
            let args: Vec<_> = args.into_iter().map(OsString::from).collect();
            assert!(matches!(run(args), ExecError::Usage));
        }
    }
}
