//! One run of helm: its environment, its input, its deadline, and what it said.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use futures::FutureExt;
use futures::future::FusedFuture;
use rustix::process::Signal;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::exec_helm;
use crate::process::{Running, spawn};
use crate::scratch::RunDir;
use crate::settings::ExecMode;

/// How much of each of helm's streams is kept: the end of it, for that is where the error is.
const KEPT: usize = 64 * 1024;
/// How long the streams of an ended helm may stay open. Only somebody who left its group can keep them open.
const DRAIN: Duration = Duration::from_secs(1);
/// For credential plugins that a kubeconfig may name; helm itself is started by its path.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// What a run needs beside its arguments.
#[derive(Debug)]
pub(crate) struct Setup<'a> {
    /// Absolute.
    pub(crate) helm: &'a Path,
    pub(crate) exec: &'a ExecMode,
    pub(crate) run_dir: &'a RunDir,
    /// None for runs that talk to no cluster.
    pub(crate) kubeconfig: Option<&'a Path>,
    pub(crate) deadline: Duration,
    pub(crate) grace: Duration,
}

/// How a run ended that was not stopped.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    /// Unfiltered: it may name secrets.
    pub(crate) stderr: String,
}

/// Why a run did not end by itself.
#[derive(Debug)]
pub(crate) enum RunError {
    Deadline,
    Io(io::Error),
}

impl From<io::Error> for RunError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Runs helm to its end, or to its deadline.
pub(crate) async fn run(setup: &Setup<'_>, args: &[OsString], input: &[u8]) -> Result<Ended, RunError> {
    let mut running = spawn(command(setup, args)).await?;
    let (stdin, stdout, stderr) = (running.stdin.take(), running.stdout.take(), running.stderr.take());
    let (mut out, mut err) = (Tail::default(), Tail::default());
    let status = {
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A helm that ends without reading says why on stderr.
                let _ = stdin.write_all(input).await;
            }
        };
        let streams = async { tokio::join!(feed, out.fill(stdout), err.fill(stderr)) }.fuse();
        tokio::pin!(streams);
        let status = end(&mut running, &mut streams, setup).await?;
        if !streams.is_terminated() {
            let _ = timeout(DRAIN, &mut streams).await;
        }
        status
    };
    Ok(Ended { status, stdout: out.text(), stderr: err.text() })
}

/// Waits for the end, and brings it about when the deadline has passed: first politely, then not.
async fn end<S: FusedFuture + Unpin>(
    running: &mut Running,
    streams: &mut S,
    setup: &Setup<'_>,
) -> Result<ExitStatus, RunError> {
    if let Ok(status) = timeout(setup.deadline, exit(running, streams)).await {
        return Ok(status?);
    }
    running.signal(Signal::TERM);
    if timeout(setup.grace, exit(running, streams)).await.is_err() {
        running.signal(Signal::KILL);
        // A process that the kernel does not let go is reaped by its thread, later.
        let _ = timeout(setup.grace, exit(running, streams)).await;
    }
    Err(RunError::Deadline)
}

/// Waits for the end, and keeps the streams flowing meanwhile: helm must never wait for a full pipe.
async fn exit<S: FusedFuture + Unpin>(running: &mut Running, streams: &mut S) -> io::Result<ExitStatus> {
    loop {
        tokio::select! {
            status = &mut running.exit => {
                return status.unwrap_or_else(|_| Err(io::Error::other("the thread that waits for helm ended")));
            }
            _ = &mut *streams, if !streams.is_terminated() => {}
        }
    }
}

fn command(setup: &Setup<'_>, args: &[OsString]) -> Command {
    let mut command = match setup.exec {
        ExecMode::Direct => Command::new(setup.helm),
        ExecMode::Via(program) => {
            let mut command = Command::new(program);
            command.arg(exec_helm::SUBCOMMAND).arg(std::process::id().to_string()).arg(setup.helm);
            command
        }
    };
    let home = setup.run_dir.path();
    command.args(args).current_dir(home).env_clear().env("PATH", PATH).env("HOME", home).env("TMPDIR", home);
    for (name, dir) in [("HELM_CACHE_HOME", "cache"), ("HELM_CONFIG_HOME", "config"), ("HELM_DATA_HOME", "data")] {
        command.env(name, home.join(dir));
    }
    if let Some(kubeconfig) = setup.kubeconfig {
        command.env("KUBECONFIG", kubeconfig);
    }
    command
}

/// The end of a stream.
#[derive(Debug, Default)]
struct Tail {
    bytes: Vec<u8>,
    cut: bool,
}

impl Tail {
    async fn fill(&mut self, stream: Option<impl AsyncRead + Unpin>) {
        let Some(mut stream) = stream else { return };
        // A stream that fails has ended.
        while stream.read_buf(&mut self.bytes).await.is_ok_and(|read| read > 0) {
            if self.bytes.len() > 2 * KEPT {
                self.cut();
            }
        }
    }

    fn cut(&mut self) {
        if self.bytes.len() > KEPT {
            self.bytes.drain(..self.bytes.len() - KEPT);
            self.cut = true;
        }
    }

    fn text(mut self) -> String {
        self.cut();
        let text = String::from_utf8_lossy(&self.bytes);
        if self.cut { format!("[...]{text}") } else { text.into_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn of_a_long_stream_the_end_is_kept() {
        let stream = [vec![b'a'; 3 * KEPT], b"the end".to_vec()].concat();
        let mut tail = Tail::default();

        tail.fill(Some(stream.as_slice())).await;

        let text = tail.text();
        assert!(text.starts_with("[...]a") && text.ends_with("the end"));
        assert_eq!(text.len(), KEPT + "[...]".len());
    }
}
