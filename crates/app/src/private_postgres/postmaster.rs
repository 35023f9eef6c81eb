//! The server's process: found by its pid file, started, waited for, stopped.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use super::account::Account;
use super::binaries::Binaries;
use super::error::PrivatePostgresError;

const POLL: Duration = Duration::from_millis(20);
/// After that the server itself says that somebody is in its way.
const ORPHANS_LIMIT: Duration = Duration::from_secs(20);

/// A server that is ready.
#[derive(Debug)]
pub(super) struct Postmaster {
    pid: Pid,
    /// Where its socket is.
    pub(super) socket_dir: PathBuf,
    cluster: PathBuf,
    /// The process, when it is our child and we must collect it.
    child: Option<Child>,
}

/// What the server wrote into `postmaster.pid`.
#[derive(Debug, PartialEq, Eq)]
struct PidFile {
    pid: i32,
    socket_dir: PathBuf,
    ready: bool,
}

/// Lines: pid, data directory, start time, port, socket directory, listen address, shared memory, status.
fn parse(text: &str) -> Option<PidFile> {
    let mut lines = text.lines();
    let pid = lines.next()?.trim().parse().ok()?;
    let socket_dir = lines.nth(3).map(PathBuf::from).unwrap_or_default();
    let ready = lines.nth(2).is_some_and(|status| status.trim() == "ready");
    Some(PidFile { pid, socket_dir, ready })
}

/// The pid file, if the process in it is a server of this directory: numbers are used again after a crash.
fn living(cluster: &Path) -> Option<PidFile> {
    let file = parse(&fs::read_to_string(cluster.join("postmaster.pid")).ok()?)?;
    let works_in = fs::read_link(format!("/proc/{}/cwd", file.pid)).ok()?;
    (works_in == cluster.canonicalize().ok()?).then_some(file)
}

/// Whether any process works in the directory: the sessions of a server that was killed end by themselves, but not at once, and a new
/// server refuses to start beside them.
fn has_orphans(cluster: &Path) -> bool {
    let Ok(cluster) = cluster.canonicalize() else { return false };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(|process| fs::read_link(process.path().join("cwd")).ok()).any(|dir| dir == cluster)
}

impl Postmaster {
    /// A server that already runs in this directory, once it is ready. None when there is none, or when it is just ending.
    pub(super) async fn find(cluster: &Path, limit: Duration) -> Result<Option<Self>, PrivatePostgresError> {
        let deadline = Instant::now() + limit;
        while let Some(file) = living(cluster) {
            if let (true, Some(pid)) = (file.ready, Pid::from_raw(file.pid)) {
                let cluster = cluster.to_path_buf();
                return Ok(Some(Self { pid, socket_dir: file.socket_dir, cluster, child: None }));
            }
            if Instant::now() >= deadline {
                let log = cluster.with_extension("log");
                return Err(PrivatePostgresError::NotReady { seconds: limit.as_secs(), log });
            }
            sleep(POLL).await;
        }
        Ok(None)
    }

    /// Starts a server and waits until it is ready.
    pub(super) async fn start(
        binaries: &Binaries,
        account: &Account,
        cluster: &Path,
        socket_dir: &Path,
        log: &Path,
        limit: Duration,
    ) -> Result<Self, PrivatePostgresError> {
        let patience = Instant::now() + ORPHANS_LIMIT;
        while has_orphans(cluster) && Instant::now() < patience {
            sleep(POLL).await;
        }
        let mut options = OpenOptions::new();
        let log_file =
            options.create(true).append(true).mode(0o600).open(log).map_err(PrivatePostgresError::io("open", log))?;
        let log_start = log_file.metadata().map_or(0, |meta| meta.len());
        let errors = log_file.try_clone().map_err(PrivatePostgresError::io("open", log))?;
        let mut command = Command::new(&binaries.postgres);
        account.prepare(&mut command);
        command
            .arg("-D")
            .arg(cluster)
            .arg("-k")
            .arg(socket_dir)
            .args(["-p", &super::socket::PORT.to_string()])
            .args(["-c", "listen_addresses=", "-c", "unix_socket_permissions=0700", "-c", "max_connections=200"])
            .current_dir("/")
            // A group of its own: Ctrl-C in the terminal must not end the server before our own shutdown has used it.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log_file)
            .stderr(errors);
        let mut child = command.spawn().map_err(PrivatePostgresError::io("run", &binaries.postgres))?;
        let deadline = Instant::now() + limit;
        loop {
            if let Some(file) = living(cluster).filter(|file| file.ready)
                && let Some(pid) = Pid::from_raw(file.pid)
            {
                let (socket_dir, cluster) = (file.socket_dir, cluster.to_path_buf());
                return Ok(Self { pid, socket_dir, cluster, child: Some(child) });
            }
            if let Ok(Some(status)) = child.try_wait() {
                let said = fs::read(log).unwrap_or_default();
                let said = said.get(usize::try_from(log_start).unwrap_or(0)..).unwrap_or_default();
                let output = String::from_utf8_lossy(said).trim().to_owned();
                return Err(PrivatePostgresError::Program { program: "postgres", status: status.to_string(), output });
            }
            if Instant::now() >= deadline {
                return Err(PrivatePostgresError::NotReady { seconds: limit.as_secs(), log: log.to_path_buf() });
            }
            sleep(POLL).await;
        }
    }

    /// The server's process id.
    pub(super) fn pid(&self) -> u32 {
        u32::try_from(self.pid.as_raw_pid()).unwrap_or_default()
    }

    /// Fast shutdown: sessions end, a checkpoint is written. A server that is gone already is stopped.
    pub(super) async fn stop(&mut self, limit: Duration) -> Result<(), PrivatePostgresError> {
        let deadline = Instant::now() + limit;
        if living(&self.cluster).is_some_and(|file| file.pid == self.pid.as_raw_pid()) {
            // It may end by itself between the look and the signal; the wait below finds out.
            let _ = kill_process(self.pid, Signal::INT);
        }
        loop {
            let gone = match &mut self.child {
                Some(child) => child.try_wait().is_ok_and(|status| status.is_some()),
                None => living(&self.cluster).is_none(),
            };
            if gone {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(PrivatePostgresError::WillNotStop { pid: self.pid() });
            }
            sleep(POLL).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pid_file_is_read_while_it_is_being_written() {
        let full = "4711\n/data/postgres\n1700000000\n5432\n/data/run\n\n  5432001  7\nready   \n";
        let starting = "4711\n/data/postgres\n1700000000\n5432\n/data/run\n\n  5432001  7\nstarting\n";

        assert_eq!(parse(full), Some(PidFile { pid: 4711, socket_dir: "/data/run".into(), ready: true }));
        assert_eq!(parse(starting).map(|file| file.ready), Some(false));
        assert_eq!(parse("4711\n").map(|file| file.ready), Some(false));
        assert_eq!(parse(""), None);
    }

    #[test]
    fn a_pid_that_somebody_else_has_now_is_no_server() {
        let dir = tempfile::tempdir().unwrap();
        let own = format!("{}\n{}\n1\n5432\n/run\n\n1\nready\n", std::process::id(), dir.path().display());
        fs::write(dir.path().join("postmaster.pid"), own).unwrap();

        assert_eq!(living(dir.path()), None);
    }
}
