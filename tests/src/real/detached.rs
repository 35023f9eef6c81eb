//! Servers of the program on a real database, with a cluster that is away: what they promise without one. Stores stay `requested`.

use std::path::Path;

use super::{Server, TestDatabase, workspace};

/// A database, and what servers on it are started with. All of it goes when this is dropped.
#[derive(Debug)]
pub struct Detached {
    /// A database of the test's own.
    pub database: TestDatabase,
    /// What the servers are started with.
    pub settings: Vec<(String, String)>,
    directory: tempfile::TempDir,
}

/// Nobody listens there.
const KUBECONFIG: &str = "apiVersion: v1\nkind: Config\nclusters:\n- {name: away, cluster: {server: 'https://127.0.0.1:1', insecure-skip-tls-verify: true}}\n\
                          users:\n- {name: nobody, user: {token: none}}\ncontexts:\n- {name: away, context: {cluster: away, user: nobody}}\n";

impl Detached {
    /// A database on the server at `DATABASE_URL`, and settings over the usual ones.
    ///
    /// # Errors
    /// When there is no such server, or it does not answer.
    pub async fn create(more: &[(&str, &str)]) -> anyhow::Result<Self> {
        let admin =
            std::env::var("DATABASE_URL").map_err(|_| anyhow::anyhow!("DATABASE_URL: see tests/postgres.sh"))?;
        let database = TestDatabase::create(&admin).await?;
        let directory = tempfile::tempdir()?;
        let at = |name: &str| directory.path().join(name).display().to_string();
        std::fs::write(at("kubeconfig"), KUBECONFIG)?;
        script(&directory.path().join("helm"), "#!/bin/sh\necho v4.0.0\n")?;
        let usual = [
            ("DATABASE_URL", database.url.clone()),
            ("SHOPWRIGHT_DATABASE_DIRECT", "true".to_owned()),
            ("KUBECONFIG", at("kubeconfig")),
            ("KUBE_CONTEXT", "away".to_owned()),
            ("HELM_BIN", at("helm")),
            ("CHARTS_DIR", workspace().join("charts").display().to_string()),
            ("DATA_DIR", at("data")),
            ("SHOPWRIGHT_SECRET_KEY", "5vBq0y2mG7bD8cKX1nZr4tWu9sPfLhJ3aEoQiR6TMkY=".to_owned()),
            ("SHOPWRIGHT_WORKER", "false".to_owned()),
            ("STORE_CREATION_COOLDOWN_MS", "0".to_owned()),
            ("MAX_STORES_PER_USER", "100".to_owned()),
            ("RATE_LIMIT_MAX", "1000000".to_owned()),
            ("SHOPWRIGHT_USER_RATE_LIMIT_MAX", "1000000".to_owned()),
            ("SHOPWRIGHT_GLOBAL_RATE_LIMIT_MAX", "10000000".to_owned()),
            ("REGISTER_RATE_LIMIT_MAX", "100000".to_owned()),
            ("LOG_FORMAT", "text".to_owned()),
        ];
        let mut settings: Vec<(String, String)> =
            usual.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        for (name, value) in more {
            settings.retain(|(other, _)| other != name);
            settings.push(((*name).to_owned(), (*value).to_owned()));
        }
        Ok(Self { database, settings, directory })
    }

    /// Another server.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn server(&self) -> anyhow::Result<Server> {
        Server::start(&self.settings, self.directory.path()).await
    }
}

fn script(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text)?;
    Ok(std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?)
}
