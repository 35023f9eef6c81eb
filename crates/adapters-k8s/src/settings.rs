//! Which cluster, as whom, and how patiently. A kubeconfig is only ever used by a context that somebody named (DECISIONS 35).

use std::path::PathBuf;
use std::time::Duration;

use kube::Config;
use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig};
use shopwright_domain::ClusterName;
use tower::layer::layer_fn;

use crate::calls::Calls;
use crate::kubeconfig::Access;
use crate::stack::{Bounded, LONGEST, Throttle};

/// Where the cluster's address and the credentials come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KubeSource {
    /// The service account of the pod that this process runs in.
    InCluster,
    /// A context of a kubeconfig file.
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// The context in it.
        context: String,
    },
}

/// How a cluster is reached.
#[derive(Debug, Clone)]
pub struct KubeSettings {
    /// Where it is, and who we are there.
    pub source: KubeSource,
    /// The name under which the control plane knows it; a label on every store's namespace.
    pub cluster: ClusterName,
    /// After how long a request without an answer counts as failed.
    pub timeout: Duration,
    /// How long to wait for the fence to hold after an epoch was raised.
    pub fence_timeout: Duration,
    /// Whether several apiservers answer behind the address. Each learns of a new epoch by itself, so the fence is then tried three times,
    /// a second apart (DECISIONS 5).
    pub several_apiservers: bool,
}

impl KubeSettings {
    /// Settings for a cluster with one apiserver.
    pub fn new(source: KubeSource) -> Self {
        Self {
            source,
            cluster: ClusterName::default_cluster(),
            timeout: Duration::from_secs(10),
            fence_timeout: Duration::from_secs(10),
            several_apiservers: false,
        }
    }
}

/// Why there is no client. The messages say what to do; none quotes a file's content, for it holds keys.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The file cannot be read or understood.
    #[error("the kubeconfig {} cannot be used: {problem}; correct KUBECONFIG", path.display())]
    Kubeconfig {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The file has no such context.
    #[error("the kubeconfig {} has no context `{context}`; set KUBE_CONTEXT to one of: {known}", path.display())]
    UnknownContext {
        /// Which file.
        path: PathBuf,
        /// What was asked for.
        context: String,
        /// What there is.
        known: String,
    },
    /// The context cannot be followed to an address and credentials.
    #[error("context `{context}` of {} cannot be used: {problem}", path.display())]
    Context {
        /// Which file.
        path: PathBuf,
        /// Which context.
        context: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The pod has no service account.
    #[error("not inside a cluster, or the pod has no service account token: {0}; set KUBECONFIG and KUBE_CONTEXT")]
    InCluster(String),
    /// The client's TLS set-up does not accept certificates or keys.
    #[error("the certificates or keys for {server} cannot be used: {problem}")]
    Tls {
        /// The cluster's address.
        server: String,
        /// What is wrong with them.
        problem: String,
    },
}

/// What settings lead to: a way to call, and what helm needs for the same.
pub(crate) struct Connection {
    pub(crate) calls: Calls,
    pub(crate) throttle: Throttle,
    pub(crate) access: Access,
    pub(crate) server: String,
}

impl KubeSettings {
    /// Reads the files and makes the client; nothing is sent.
    pub(crate) async fn connect(&self) -> Result<Connection, ConnectError> {
        let (mut config, access) = match &self.source {
            KubeSource::InCluster => {
                let config = Config::incluster().map_err(|error| ConnectError::InCluster(error.to_string()))?;
                let access = Access::in_cluster(&config);
                (config, access)
            }
            KubeSource::Kubeconfig { path, context } => self.of_file(path.clone(), context.clone()).await?,
        };
        // Our own retry and breaker decide: the driver's would repeat POSTs for minutes. And it gets no read timeout, which would cut
        // quiet watches; every single request has its own limit instead.
        config.default_retry = false;
        config.read_timeout = None;
        config.connect_timeout = Some(self.timeout);
        let server = shown(&config.cluster_url);
        let throttle = Throttle::default();
        let bounded = layer_fn(|stack| Bounded::new(stack, throttle.clone(), LONGEST));
        let client = ClientBuilder::try_from(config)
            .map_err(|error| ConnectError::Tls { server: server.clone(), problem: error.to_string() })?
            .with_layer(&bounded)
            .build();
        Ok(Connection { calls: Calls::new(client, self.timeout), throttle, access, server })
    }

    async fn of_file(&self, path: PathBuf, context: String) -> Result<(Config, Access), ConnectError> {
        if let Err(error) = std::fs::File::open(&path) {
            return Err(ConnectError::Kubeconfig { path, problem: error.to_string() });
        }
        let Ok(file) = Kubeconfig::read_from(&path) else {
            return Err(ConnectError::Kubeconfig { path, problem: "it is not a kubeconfig".to_owned() });
        };
        if !file.contexts.iter().any(|known| known.name == context) {
            let known = file.contexts.into_iter().map(|known| known.name).collect::<Vec<_>>().join(", ");
            return Err(ConnectError::UnknownContext { path, context, known });
        }
        let unusable =
            |problem: String| ConnectError::Context { path: path.clone(), context: context.clone(), problem };
        let access = Access::of_file(&file, &context).map_err(unusable)?;
        let options = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
        let config =
            Config::from_custom_kubeconfig(file, &options).await.map_err(|error| unusable(error.to_string()))?;
        Ok((config, access))
    }
}

/// The address without what may be a password in it.
fn shown(url: &http::Uri) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme_str().unwrap_or("https"), url.host().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let url = "https://me:sesame@example.test:6443/base".parse().unwrap();

        assert_eq!(shown(&url), "https://example.test:6443");
    }
}
