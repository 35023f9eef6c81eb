//! What a run is asked to do, by the environment: `make chaos KILLS=n [OUTAGE=seconds] [CREATES=n] [SEED=n] [LEASE=seconds]`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;

use crate::real::Environment;

/// What a run is asked to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many replicas are killed, with all other faults around it.
    pub kills: u32,
    /// How long nothing of the cluster can be reached; zero leaves it out.
    pub outage: Duration,
    /// How many stores are asked for at once; zero leaves it out.
    pub creates: usize,
    /// Decides the plan of faults and what clients do.
    pub seed: u64,
    /// The lease of the replicas: the unit of all promises.
    pub lease: Duration,
    /// The real parts.
    pub environment: Environment,
    /// `tests/cluster/cluster` and `tests/postgres.sh`, which can break what they started.
    pub kit: Kit,
}

/// The scripts that started cluster and database.
#[derive(Debug, Clone)]
pub struct Kit {
    /// `tests/cluster/cluster`; it finds its cluster by the environment.
    pub cluster: PathBuf,
    /// `tests/postgres.sh`.
    pub postgres: PathBuf,
    /// Where the database server's socket is.
    pub postgres_directory: PathBuf,
}

/// The lease of the product, in seconds. On a machine that is busy with other things, a longer one tells the same in more time.
const USUAL_LEASE: u64 = 10;
/// How many replicas there are.
pub(super) const REPLICAS: usize = 3;

impl Plan {
    /// Reads it.
    ///
    /// # Errors
    /// When a number is none, or the parts are not there.
    pub fn read() -> anyhow::Result<Self> {
        let environment = Environment::read()?.context("no cluster here: start it by `make chaos`")?;
        let seed = match number("SEED")? {
            Some(seed) => seed,
            // Shown in the report, so that the run can be asked for again.
            None => u64::from(u32::from_be_bytes(uuid::Uuid::new_v4().into_bytes()[..4].try_into()?)),
        };
        let (outage, creates) = (number("OUTAGE")?.unwrap_or(0), number("CREATES")?.unwrap_or(0));
        let kills = number("KILLS")?.unwrap_or(if outage == 0 && creates == 0 { 10 } else { 0 });
        let url = reqwest::Url::parse(&environment.database_url)?;
        let socket = url.query_pairs().find(|(name, _)| name == "host").map(|(_, value)| PathBuf::from(value.as_ref()));
        let tests = crate::real::workspace().join("tests");
        let kit = Kit {
            cluster: tests.join("cluster/cluster"),
            postgres: tests.join("postgres.sh"),
            postgres_directory: socket.context("DATABASE_URL names no socket directory")?,
        };
        Ok(Self {
            kills: u32::try_from(kills)?,
            outage: Duration::from_secs(outage),
            creates: usize::try_from(creates)?,
            seed,
            lease: Duration::from_secs(number("LEASE")?.unwrap_or(USUAL_LEASE)),
            environment,
            kit,
        })
    }

    /// The command that asks for this run again.
    pub fn command(&self) -> String {
        let mut command = "make chaos".to_owned();
        let outage = self.outage.as_secs();
        for (name, number) in [("KILLS", u64::from(self.kills)), ("OUTAGE", outage), ("CREATES", self.creates as u64)] {
            if number > 0 {
                command = format!("{command} {name}={number}");
            }
        }
        let lease = self.lease.as_secs();
        let lease = if lease == USUAL_LEASE { String::new() } else { format!(" LEASE={lease}") };
        format!("{command} SEED={}{lease}", self.seed)
    }
}

fn number(name: &str) -> anyhow::Result<Option<u64>> {
    match std::env::var(name).ok().filter(|text| !text.is_empty()) {
        Some(text) => Ok(Some(text.parse().with_context(|| format!("{name}={text} is not a number"))?)),
        None => Ok(None),
    }
}

impl Kit {
    /// `tests/cluster/cluster VERB...`.
    ///
    /// # Errors
    /// With its words, when it fails.
    pub async fn cluster(&self, arguments: &[&str]) -> anyhow::Result<()> {
        run(&self.cluster, arguments).await
    }

    /// `tests/postgres.sh VERB DIR`.
    ///
    /// # Errors
    /// With its words, when it fails.
    pub async fn postgres(&self, verb: &str) -> anyhow::Result<()> {
        run(&self.postgres, &[verb, &self.postgres_directory.display().to_string()]).await
    }
}

async fn run(program: &PathBuf, arguments: &[&str]) -> anyhow::Result<()> {
    let output = tokio::process::Command::new(program).args(arguments).output().await?;
    let words = || String::from_utf8_lossy(&output.stderr).into_owned();
    anyhow::ensure!(output.status.success(), "{} {arguments:?}: {}", program.display(), words());
    Ok(())
}
