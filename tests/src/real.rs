//! Real parts: a database of the test's own, the product's service account, server processes that can be killed.

mod cgroups;
mod cluster;
mod database;
mod detached;
mod ingress;
mod parts;
mod pods;
mod server;

use std::path::{Path, PathBuf};

use anyhow::Context;

pub use cgroups::Limits;
pub use cluster::{Inventory, TestCluster};
pub use database::{Barrier, TestDatabase};
pub use detached::Detached;
pub use ingress::IngressStub;
pub use parts::{Parts, Remains};
pub use pods::StorePods;
pub use server::Server;

/// What the environment gives; `None` where it gives nothing.
#[derive(Debug, Clone)]
pub struct Environment {
    /// An administrator's kubeconfig: only for `clusters prepare` and for looking.
    pub admin_kubeconfig: PathBuf,
    /// A PostgreSQL server where the role may create databases.
    pub database_url: String,
    /// helm 4.
    pub helm: PathBuf,
}

impl Environment {
    /// Reads it.
    ///
    /// # Errors
    /// When something is missing although all tiers are required.
    pub fn read() -> anyhow::Result<Option<Self>> {
        let get = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let found = get("SHOPWRIGHT_TEST_ADMIN_KUBECONFIG").zip(get("DATABASE_URL")).zip(get("HELM_BIN"));
        match found {
            Some(((admin_kubeconfig, database_url), helm)) => {
                Ok(Some(Self { admin_kubeconfig: admin_kubeconfig.into(), database_url, helm: helm.into() }))
            }
            None if get("SHOPWRIGHT_REQUIRE_TIERS").as_deref() == Some("all") => {
                anyhow::bail!(
                    "SHOPWRIGHT_TEST_ADMIN_KUBECONFIG, DATABASE_URL and HELM_BIN are required: run it by `make test`"
                )
            }
            None => {
                eprintln!("LEFT OUT: no cluster here; `make test` brings one up");
                Ok(None)
            }
        }
    }
}

/// Everything that one test needs of the real world. All of it goes when this is dropped.
#[derive(Debug)]
pub struct Real {
    /// A database of the test's own.
    pub database: TestDatabase,
    /// The cluster, seen by an administrator.
    pub cluster: TestCluster,
    /// What the servers are started with.
    pub settings: Vec<(String, String)>,
    /// The first server.
    pub server: Server,
    _ingress: Option<IngressStub>,
    directory: tempfile::TempDir,
}

impl Real {
    /// On kwok: pods only pretend to run, and a stub answers for the ingresses (DECISIONS 37).
    ///
    /// # Errors
    /// When the parts are there and do not start.
    pub async fn start() -> anyhow::Result<Option<Self>> {
        let Some(environment) = Environment::read()? else { return Ok(None) };
        Self::serve(Parts::on_kwok(&environment).await?).await.map(Some)
    }

    /// On parts that a test has changed.
    ///
    /// # Errors
    /// When the server does not start.
    pub async fn on(parts: Parts) -> anyhow::Result<Self> {
        Self::serve(parts).await
    }

    /// On a node: pods really run, with the images that `images/build` made.
    ///
    /// # Errors
    /// When the parts are there and do not start.
    pub async fn on_node(
        node_ip: &str,
        values: tempfile::TempDir,
        extra: Vec<(String, String)>,
    ) -> anyhow::Result<Option<Self>> {
        let Some(environment) = Environment::read()? else { return Ok(None) };
        Self::serve(Parts::on_node(&environment, node_ip, values, extra).await?).await.map(Some)
    }

    async fn serve(parts: Parts) -> anyhow::Result<Self> {
        let Parts { database, cluster, settings, ingress, directory } = parts;
        let server = Server::start(&settings, directory.path()).await?;
        Ok(Self { database, cluster, settings, server, _ingress: ingress, directory })
    }

    /// Where the first server is.
    pub fn base(&self) -> &str {
        &self.server.base
    }

    /// Another server on the same database and cluster.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn another_server(&self) -> anyhow::Result<Server> {
        Server::start(&self.settings, self.directory.path()).await
    }
}

/// The repository.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

/// The program under test: built into the target directory that this program was built into, be it a test or a binary.
pub fn program() -> PathBuf {
    let here = std::env::current_exe().ok();
    let beside = here.iter().flat_map(|path| path.ancestors().skip(1).take(2)).map(|dir| dir.join("shopwright"));
    beside.into_iter().find(|path| path.is_file()).unwrap_or_else(|| workspace().join("target/debug/shopwright"))
}

/// A file's content, for messages about what went wrong.
pub(crate) fn tail(path: &Path, lines: usize) -> String {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string()).unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
