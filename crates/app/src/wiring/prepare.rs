//! `shopwright clusters ...`: what an administrator does once for a cluster.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret;
use shopwright_adapters_k8s::{KubeSettings, KubeSource, prepare as k8s};

/// A year: the cluster may shorten it.
const TOKEN_LIFE: Duration = Duration::from_hours(365 * 24);

/// Installs the policies, roles and the service account that `serve` needs. Returns what was applied, in words.
///
/// # Errors
/// What is wrong, in words that say what to do.
pub async fn prepare_cluster(kubeconfig: &Path, context: Option<&str>) -> anyhow::Result<Vec<String>> {
    Ok(k8s::prepare(&settings(kubeconfig, context)?).await?)
}

/// Writes a kubeconfig of the product's service account, readable by its owner alone.
///
/// # Errors
/// What is wrong, in words that say what to do.
pub async fn write_kubeconfig(kubeconfig: &Path, context: Option<&str>, out: &Path) -> anyhow::Result<()> {
    let text = k8s::service_account_kubeconfig(&settings(kubeconfig, context)?, TOKEN_LIFE).await?;
    // Made new, so that the mode holds, and moved into place whole.
    let partial = out.with_extension(format!("{}.partial", std::process::id()));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
    file.write_all(text.expose_secret().as_bytes())?;
    std::fs::rename(&partial, out)?;
    Ok(())
}

/// The administrator's context; the file's current one is good enough here, for the file was named for this very purpose.
fn settings(kubeconfig: &Path, context: Option<&str>) -> anyhow::Result<KubeSettings> {
    let context = match context {
        Some(context) => context.to_owned(),
        None => kube::config::Kubeconfig::read_from(kubeconfig)
            .map_err(|error| anyhow::anyhow!("{}: {error}; correct --admin-kubeconfig", kubeconfig.display()))?
            .current_context
            .ok_or_else(|| anyhow::anyhow!("{} has no current context: give --admin-context", kubeconfig.display()))?,
    };
    Ok(KubeSettings::new(KubeSource::Kubeconfig { path: kubeconfig.to_owned(), context }))
}
