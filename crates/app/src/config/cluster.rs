//! The cluster that stores are made on: asked for by name, never one that happens to be configured (DECISIONS 35).

use std::path::{Path, PathBuf};

use kube::config::Kubeconfig;

use super::reader::Reader;
use super::settings::{KUBE_CONTEXT, KUBECONFIG, SHOPWRIGHT_SIMULATED};

/// How the cluster is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterAccess {
    /// By the service account of the pod that the process runs in.
    InCluster,
    /// By a context of a kubeconfig.
    Kubeconfig {
        /// The file that has the context.
        path: PathBuf,
        /// The context.
        context: String,
    },
}

/// Reads the settings and looks the context up, so that a wrong name is told at start.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<ClusterAccess> {
    let in_cluster = reader.environment.get("KUBERNETES_SERVICE_HOST").is_some();
    let kubeconfig = reader.text(&KUBECONFIG);
    match (reader.text(&KUBE_CONTEXT), kubeconfig) {
        (Some(context), kubeconfig) => with_context(reader, context, kubeconfig.as_deref()),
        (None, _) if in_cluster => Some(ClusterAccess::InCluster),
        (None, Some(kubeconfig)) => {
            let known = candidates(reader, Some(&kubeconfig)).iter().find_map(|path| contexts(path).ok());
            let remedy = match known.unwrap_or_default().join(", ") {
                names if names.is_empty() => "Name the context to use with KUBE_CONTEXT.".to_owned(),
                names => format!("Name the context to use with KUBE_CONTEXT; the file has: {names}."),
            };
            let problem = "a kubeconfig alone is not consent to make stores on its cluster";
            reader.refuse(&KUBE_CONTEXT, problem, remedy);
            None
        }
        (None, None) => {
            let remedy = format!(
                "Set KUBE_CONTEXT (and KUBECONFIG, unless it is in ~/.kube/config), or {}=true to try without one.",
                SHOPWRIGHT_SIMULATED.env
            );
            reader.refuse(&KUBE_CONTEXT, "no cluster is named", remedy);
            None
        }
    }
}

/// The files to look in: KUBECONFIG may list several, as for kubectl.
fn candidates(reader: &Reader<'_>, kubeconfig: Option<&str>) -> Vec<PathBuf> {
    match kubeconfig {
        Some(list) => list.split(':').filter(|p| !p.is_empty()).map(|p| reader.environment.absolute(p)).collect(),
        None => reader.environment.get("HOME").map(|home| Path::new(home).join(".kube/config")).into_iter().collect(),
    }
}

fn contexts(path: &Path) -> Result<Vec<String>, String> {
    if let Err(error) = std::fs::File::open(path) {
        return Err(format!("{} cannot be read: {error}", path.display()));
    }
    // The driver's message may quote the file, and the file holds keys.
    let parsed = Kubeconfig::read_from(path).map_err(|_| format!("{} is not a kubeconfig", path.display()))?;
    Ok(parsed.contexts.into_iter().map(|context| context.name).collect())
}

fn with_context(reader: &mut Reader<'_>, context: String, kubeconfig: Option<&str>) -> Option<ClusterAccess> {
    let files = candidates(reader, kubeconfig);
    let mut known = Vec::new();
    let mut unreadable = Vec::new();
    for path in &files {
        match contexts(path) {
            Ok(names) if names.contains(&context) => {
                return Some(ClusterAccess::Kubeconfig { path: path.clone(), context });
            }
            Ok(names) => known.extend(names),
            Err(problem) => unreadable.push(problem),
        }
    }
    if known.is_empty() {
        let problem = if unreadable.is_empty() { "no context is in it".to_owned() } else { unreadable.join("; ") };
        reader.refuse(&KUBECONFIG, problem, "Name a kubeconfig file with at least one context.");
    } else {
        let problem = format!("there is no context `{context}`");
        reader.refuse(&KUBE_CONTEXT, problem, format!("Choose one of: {}.", known.join(", ")));
    }
    None
}
