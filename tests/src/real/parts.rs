//! What servers of the program need before they start: a database, a prepared cluster, the settings that name both.

use std::path::Path;
use std::process::Command;

use super::{Environment, IngressStub, TestCluster, TestDatabase, program, workspace};

/// Everything but the servers.
#[derive(Debug)]
pub struct Parts {
    /// A database of the test's own.
    pub database: TestDatabase,
    /// The cluster, seen by an administrator.
    pub cluster: TestCluster,
    /// What servers are started with.
    pub settings: Vec<(String, String)>,
    pub(super) ingress: Option<IngressStub>,
    pub(super) directory: tempfile::TempDir,
}

/// The ingress and the files of [`Parts`]: they go when this is dropped.
#[derive(Debug)]
pub struct Remains {
    _ingress: Option<IngressStub>,
    _directory: tempfile::TempDir,
}

impl Parts {
    /// On kwok: pods only pretend to run, and a stub answers for the ingresses (DECISIONS 37).
    ///
    /// # Errors
    /// When something does not start.
    pub async fn on_kwok(environment: &Environment) -> anyhow::Result<Self> {
        let cluster = TestCluster::connect(&environment.admin_kubeconfig).await?;
        let ingress = IngressStub::start(cluster.client())?;
        let values = fake_images()?;
        let extra = vec![
            ("INGRESS_ADDR".to_owned(), ingress.address().to_string()),
            ("STORE_VALUES".to_owned(), values.path().display().to_string()),
        ];
        Self::assemble(environment, cluster, extra, Some(ingress), values).await
    }

    /// On a node: pods really run, with the images that `images/build` made.
    pub(super) async fn on_node(
        environment: &Environment,
        node_ip: &str,
        values: tempfile::TempDir,
        extra: Vec<(String, String)>,
    ) -> anyhow::Result<Self> {
        let cluster = TestCluster::connect(&environment.admin_kubeconfig).await?;
        let mut settings = vec![
            ("INGRESS_ADDR".to_owned(), format!("{node_ip}:80")),
            ("STORE_VALUES".to_owned(), values.path().display().to_string()),
        ];
        settings.extend(extra);
        Self::assemble(environment, cluster, settings, None, values).await
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
            ("SHOPWRIGHT_DATABASE_DIRECT", "true"),
            ("KUBECONFIG", &kubeconfig.display().to_string()),
            ("KUBE_CONTEXT", "shopwright"),
            ("HELM_BIN", &environment.helm.display().to_string()),
            ("CHARTS_DIR", &workspace().join("charts").display().to_string()),
            ("DATA_DIR", &directory.path().join("data").display().to_string()),
            ("SHOPWRIGHT_SECRET_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            ("STORE_CREATION_COOLDOWN_MS", "0"),
            ("MAX_STORES_PER_USER", "100"),
            // Everybody comes from one address here, and asks without pauses.
            ("RATE_LIMIT_MAX", "1000000"),
            ("SHOPWRIGHT_USER_RATE_LIMIT_MAX", "1000000"),
            ("SHOPWRIGHT_GLOBAL_RATE_LIMIT_MAX", "10000000"),
            ("REGISTER_RATE_LIMIT_MAX", "100000"),
            ("LEGACY_TOKEN_TTL", "2h"),
            ("LOG_FORMAT", "text"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
        settings.extend(extra);
        Ok(Self { database, cluster, settings, ingress, directory })
    }

    /// Where the kubeconfig of the product's service account is.
    pub fn kubeconfig(&self) -> std::path::PathBuf {
        self.directory.path().join("service-account.kubeconfig")
    }

    /// What tests look at, what servers are started with, and what has to be kept as long as they run.
    pub fn apart(self) -> (TestDatabase, TestCluster, Vec<(String, String)>, Remains) {
        let remains = Remains { _ingress: self.ingress, _directory: self.directory };
        (self.database, self.cluster, self.settings, remains)
    }

    /// A setting; the last one of a name is the one that counts.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.settings.retain(|(other, _)| other != name);
        self.settings.push((name.to_owned(), value.into()));
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
