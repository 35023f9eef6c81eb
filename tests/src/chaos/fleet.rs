//! The replicas: three processes of the program on one database and one cluster, that die, stop and come back.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};
use uuid::Uuid;

use super::plan::REPLICAS;
use super::processes;
use crate::real::Server;

/// How long the supervisor tries to start a replica, whatever is broken around it.
const START_PATIENCE: Duration = Duration::from_mins(2);

/// One place in the fleet; its replica has another process after every start.
#[derive(Debug, Default)]
enum Slot {
    #[default]
    Empty,
    Up(Replica),
}

#[derive(Debug)]
struct Replica {
    server: Server,
    worker: Uuid,
    paused: bool,
}

/// All replicas.
#[derive(Debug)]
pub(super) struct Fleet {
    settings: Vec<(String, String)>,
    directory: PathBuf,
    slots: Mutex<[Slot; REPLICAS]>,
}

impl Fleet {
    /// Nobody yet. Each replica has a directory of its own below this one.
    pub(super) fn new(settings: Vec<(String, String)>, directory: PathBuf) -> Self {
        Self { settings, directory, slots: Mutex::default() }
    }

    fn slots(&self) -> MutexGuard<'_, [Slot; REPLICAS]> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the replica of an empty place, as a supervisor does: again and again until it stays up.
    ///
    /// # Errors
    /// With the end of its log, when it does not start for a long time.
    pub(super) async fn start(&self, slot: usize) -> anyhow::Result<()> {
        let directory = self.directory.join(format!("replica-{slot}"));
        std::fs::create_dir_all(directory.join("tmp"))?;
        let mut settings = self.settings.clone();
        settings.push(("TMPDIR".to_owned(), directory.join("tmp").display().to_string()));
        let start = Instant::now();
        let server = loop {
            match Server::start(&settings, &directory).await {
                Ok(server) => break server,
                Err(error) if start.elapsed() > START_PATIENCE => return Err(error),
                // The database or the cluster may be away just now.
                Err(_) => tokio::time::sleep(Duration::from_millis(500)).await,
            }
        };
        let worker =
            server.worker().ok_or_else(|| anyhow::anyhow!("its log names no worker:\n{}", server.log_tail()))?;
        self.slots()[slot] = Slot::Up(Replica { server, worker, paused: false });
        Ok(())
    }

    /// Where the APIs are, those of paused replicas included: clients do not know better.
    pub(super) fn bases(&self) -> Vec<String> {
        self.slots().iter().filter_map(Slot::replica).map(|replica| replica.server.base.clone()).collect()
    }

    /// The places of replicas that work, with their workers.
    pub(super) fn working(&self) -> Vec<(usize, Uuid)> {
        let slots = self.slots();
        let up = slots.iter().enumerate().filter_map(|(number, slot)| Some((number, slot.replica()?)));
        up.filter(|(_, replica)| !replica.paused).map(|(number, replica)| (number, replica.worker)).collect()
    }

    /// `kill -9`; the place is empty afterwards.
    ///
    /// # Errors
    /// When the process cannot be waited for.
    pub(super) fn kill(&self, slot: usize) -> anyhow::Result<()> {
        if let Slot::Up(mut replica) = std::mem::take(&mut self.slots()[slot]) {
            replica.server.kill()?;
        }
        Ok(())
    }

    /// SIGTERM; the place is empty afterwards. Returns how long it took to end and whether it ended well.
    ///
    /// # Errors
    /// When it does not end.
    pub(super) async fn terminate(&self, slot: usize) -> anyhow::Result<(Duration, bool)> {
        let taken = std::mem::take(&mut self.slots()[slot]);
        match taken {
            Slot::Up(mut replica) => replica.server.terminate().await,
            Slot::Empty => Ok((Duration::ZERO, true)),
        }
    }

    /// SIGSTOP to the replica and everything that it has started, as when its machine stands still.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub(super) fn pause(&self, slot: usize) -> anyhow::Result<()> {
        self.signal(slot, Signal::STOP, true)
    }

    /// Everything of it goes on where it was.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub(super) fn resume(&self, slot: usize) -> anyhow::Result<()> {
        self.signal(slot, Signal::CONT, false)
    }

    fn signal(&self, slot: usize, signal: Signal, paused: bool) -> anyhow::Result<()> {
        let mut slots = self.slots();
        let Slot::Up(replica) = &mut slots[slot] else { return Ok(()) };
        replica.paused = paused;
        let pid = replica.server.pid();
        kill_process(pid, signal)?;
        for child in processes::descendants(pid.as_raw_nonzero().get().unsigned_abs()) {
            // It may have ended meanwhile.
            let _ = kill_process(child, signal);
        }
        Ok(())
    }

    /// Those that ended although nobody told them to, with the end of their log.
    ///
    /// # Errors
    /// When a process cannot be asked.
    pub(super) fn deserters(&self) -> anyhow::Result<Vec<(usize, String)>> {
        let mut found = Vec::new();
        for (number, slot) in self.slots().iter_mut().enumerate() {
            if let Slot::Up(replica) = slot
                && !replica.server.is_running()?
            {
                found.push((number, replica.server.log_tail()));
                *slot = Slot::Empty;
            }
        }
        Ok(found)
    }
}

impl Slot {
    const fn replica(&self) -> Option<&Replica> {
        match self {
            Self::Up(replica) => Some(replica),
            Self::Empty => None,
        }
    }
}
