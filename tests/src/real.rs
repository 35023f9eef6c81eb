//! Real parts: a database of the test's own, the product's service account, server processes that can be killed.

mod cluster;
mod database;
mod ingress;
mod server;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

pub use cluster::{Inventory, TestCluster};
pub use database::{Barrier, TestDatabase};
pub use ingress::IngressStub;
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
        let cluster = TestCluster::connect(&environment.admin_kubeconfig).await?;
        let ingress = IngressStub::start(cluster.client())?;
        let values = fake_images()?;
        let extra = vec![
            ("INGRESS_ADDR".to_owned(), ingress.address().to_string()),
            ("STORE_VALUES".to_owned(), values.path().display().to_string()),
        ];
        Self::assemble(&environment, cluster, extra, Some(ingress), values).await.map(Some)
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
        let cluster = TestCluster::connect(&environment.admin_kubeconfig).await?;
        let mut settings = vec![
            ("INGRESS_ADDR".to_owned(), format!("{node_ip}:80")),
            ("STORE_VALUES".to_owned(), values.path().display().to_string()),
        ];
        settings.extend(extra);
        Self::assemble(&environment, cluster, settings, None, values).await.map(Some)
    }

    async fn assemble(
        environment: &Environment,
        cluster: TestCluster,
        extra: Vec<(String, String)>,
        ingress: Option<IngressStub>,
        directory: tempfile::TempDir,
    ) -> anyhow::Result<Self> {
        let kubeconfig = directory.path().join("service-account.kubeconfig");
        prepare(&environment.admin_kubeconfig, &kubeconfig)?;
        let database = TestDatabase::create(&environment.database_url).await?;
        let mut settings: Vec<(String, String)> = [
            ("DATABASE_URL", database.url.as_str()),
            ("KUBECONFIG", &kubeconfig.display().to_string()),
            ("KUBE_CONTEXT", "shopwright"),
            ("HELM_BIN", &environment.helm.display().to_string()),
            ("CHARTS_DIR", &workspace().join("charts").display().to_string()),
            ("DATA_DIR", &directory.path().join("data").display().to_string()),
            ("SHOPWRIGHT_SECRET_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            ("STORE_CREATION_COOLDOWN_MS", "0"),
            ("MAX_STORES_PER_USER", "100"),
            ("LEGACY_TOKEN_TTL", "2h"),
            ("LOG_FORMAT", "text"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
        settings.extend(extra);
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

/// What an administrator does once: policies, roles, the service account and its kubeconfig. Everything after runs as that account.
fn prepare(admin: &Path, out: &Path) -> anyhow::Result<()> {
    for arguments in [
        vec!["clusters", "prepare", "--admin-kubeconfig"],
        vec!["clusters", "kubeconfig", "--out", out.to_str().unwrap_or_default(), "--admin-kubeconfig"],
    ] {
        let output = Command::new(program()).args(&arguments).arg(admin).env_remove("KUBECONFIG").output()?;
        anyhow::ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Values that make every store of images that no node has to have.
fn fake_images() -> anyhow::Result<tempfile::TempDir> {
    let directory = tempfile::tempdir()?;
    let images = "images:\n  db: {repository: fake.shopwright.test/db, tag: \"1\"}\n  web: {repository: fake.shopwright.test/web, tag: \"1\"}\n";
    std::fs::write(directory.path().join("medusa.yaml"), images)?;
    std::fs::write(directory.path().join("woocommerce.yaml"), format!("{images}wordpress: {{bare: false}}\n"))?;
    Ok(directory)
}

/// The repository.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

/// The program under test: built into the target directory that this test was built into.
pub fn program() -> PathBuf {
    let built = std::env::current_exe().ok().and_then(|test| Some(test.parent()?.parent()?.join("shopwright")));
    built.filter(|path| path.exists()).unwrap_or_else(|| workspace().join("target/debug/shopwright"))
}

/// A file's content, for messages about what went wrong.
pub(crate) fn tail(path: &Path, lines: usize) -> String {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string()).unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
