//! A `shopwright serve` process.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{program, tail};

/// A running server. It is killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    /// Where its API is, without `/api/v1`.
    pub base: String,
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts one with these settings and nothing else from the environment, and waits until it is ready.
    ///
    /// # Errors
    /// When it ends or is not ready in time, with the end of its log.
    pub async fn start(settings: &[(String, String)], directory: &Path) -> anyhow::Result<Self> {
        let port = free_port()?;
        let log = directory.join(format!("server-{port}.log"));
        let mut command = Command::new(program());
        command.arg("serve").env_clear().env("HTTP_ADDR", format!("127.0.0.1:{port}"));
        for name in ["PATH", "HOME", "RUST_LOG", "TMPDIR"] {
            if let Ok(value) = std::env::var(name) {
                command.env(name, value);
            }
        }
        command.envs(settings.iter().map(|(name, value)| (name, value)));
        let file = File::create(&log)?;
        let child = command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn()?;
        let mut server = Self { base: format!("http://127.0.0.1:{port}"), child, log };
        server.ready().await?;
        Ok(server)
    }

    async fn ready(&mut self) -> anyhow::Result<()> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                anyhow::bail!("the server ended, {status}:\n{}", self.log_tail());
            }
            let answer = reqwest::get(format!("{}/readyz", self.base)).await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            anyhow::ensure!(start.elapsed() < Duration::from_mins(1), "the server is not ready:\n{}", self.log_tail());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The end of its log.
    pub fn log_tail(&self) -> String {
        tail(&self.log, 60)
    }

    /// Everything it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The process.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Whether it has not ended.
    ///
    /// # Errors
    /// When the process cannot be waited for.
    pub fn is_running(&mut self) -> anyhow::Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// The id of its worker, as audit rows and operations name it; it logs it when it takes up work.
    pub fn worker(&self) -> Option<uuid::Uuid> {
        let log = self.log();
        let (_, after) = log.split_once("taking up work worker=\"")?;
        after.get(..36)?.parse().ok()
    }

    /// SIGKILL: nothing is tidied up.
    ///
    /// # Errors
    /// When the process cannot be waited for.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        // It may be gone already.
        let _ = self.child.kill();
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM, as a rollout does; returns how long it took to end and whether it ended well.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn terminate(&mut self) -> anyhow::Result<(Duration, bool)> {
        let start = Instant::now();
        kill_process(self.pid(), Signal::TERM)?;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok((start.elapsed(), status.success()));
            }
            anyhow::ensure!(start.elapsed() < Duration::from_mins(1), "the server does not end:\n{}", self.log_tail());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.kill();
        if std::thread::panicking() {
            eprintln!("--- the end of {}\n{}", self.log.display(), self.log_tail());
        }
    }
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
