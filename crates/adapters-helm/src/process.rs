//! A child in a process group of its own that is always reaped, and that nobody can signal by mistake after it was.
//!
//! A thread forks the child, waits until it has ended, kills what is left of its group and only then reaps it: until the reaping the
//! kernel gives its number to nobody else. The thread lives as long as the child, which a death signal needs (see
//! [`exec_helm`](crate::exec_helm)); threads of the async runtime promise no such thing.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::oneshot;

/// The group of a child; empty once the child was reaped.
#[derive(Debug, Default)]
pub(crate) struct Group(Mutex<Option<Pid>>);

impl Group {
    /// Signals all of the group, if it is still there.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(leader) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            // The only error left is that all members have ended: fine.
            let _ = kill_process_group(leader, signal);
        }
    }
}

/// Kills the group when dropped, wherever it is at that time: also in a channel that nobody reads any more.
#[derive(Debug)]
struct KillOnDrop(Arc<Group>);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        self.0.signal(Signal::KILL);
    }
}

/// A running child. Dropping it kills the group.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) stdin: Option<ChildStdin>,
    pub(crate) stdout: Option<ChildStdout>,
    pub(crate) stderr: Option<ChildStderr>,
    pub(crate) exit: oneshot::Receiver<io::Result<ExitStatus>>,
    group: KillOnDrop,
}

impl Running {
    pub(crate) fn signal(&self, signal: Signal) {
        self.group.0.signal(signal);
    }
}

/// Starts the command with all three streams piped.
pub(crate) async fn spawn(mut command: Command) -> io::Result<Running> {
    command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (started, start) = oneshot::channel();
    let (ended, exit) = oneshot::channel();
    std::thread::Builder::new().name("helm".to_owned()).spawn(move || {
        let group = Arc::new(Group::default());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                let _ = started.send(Err(error));
                return;
            }
        };
        *group.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Pid::from_child(&child));
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        // Not read, the answer is dropped, and the guard in it ends the child.
        let _ = started.send(Ok((pipes, KillOnDrop(Arc::clone(&group)))));
        let _ = ended.send(reap(&mut child, &group));
    })?;
    let ((stdin, stdout, stderr), group) =
        start.await.map_err(|_| io::Error::other("the thread that starts helm ended"))??;
    // From here on the drop of `running` ends the child, whatever fails below.
    let mut running = Running { stdin: None, stdout: None, stderr: None, exit, group };
    running.stdin = stdin.map(ChildStdin::from_std).transpose()?;
    running.stdout = stdout.map(ChildStdout::from_std).transpose()?;
    running.stderr = stderr.map(ChildStderr::from_std).transpose()?;
    Ok(running)
}

fn reap(child: &mut Child, group: &Group) -> io::Result<ExitStatus> {
    let leader = WaitId::Pid(Pid::from_child(child));
    // Any other error means that there is nothing to wait for, and `wait` below says so.
    while matches!(waitid(leader.clone(), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT), Err(Errno::INTR)) {}
    let mut leader = group.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(leader) = leader.take() {
        // What the child started and did not wait for.
        let _ = kill_process_group(leader, Signal::KILL);
    }
    child.wait()
}
