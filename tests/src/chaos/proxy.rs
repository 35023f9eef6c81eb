//! A reverse proxy in front of the kube-apiserver that breaks calls on purpose, and counts them.
//!
//! It listens on loopback with the apiserver's own certificate, which the kit's administrator may read, so that nobody has to trust anything
//! new. It passes everything through as it came: tokens, impersonation, watches. Replicas and their helms know no other way to the cluster;
//! the harness itself goes past it.

mod faults;
mod forward;
mod meter;
mod serve;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use kube::config::Kubeconfig;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(super) use faults::{Fault, Faults, Outage};
use forward::Upstream;
pub(super) use meter::Meter;

/// A running proxy. Its connections end with it.
#[derive(Debug)]
pub(super) struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
}

#[derive(Debug)]
struct Shared {
    upstream: Upstream,
    faults: Faults,
    meter: Meter,
    /// Cancelled to end all connections that there are; then there is another one.
    connections: Mutex<CancellationToken>,
}

impl Shared {
    fn connections(&self) -> CancellationToken {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl FaultProxy {
    /// Starts one in front of the cluster of this kubeconfig, which the cluster kit has written.
    ///
    /// # Errors
    /// When the kubeconfig or the apiserver's certificate cannot be read, or no port can be bound.
    pub(super) async fn start(admin_kubeconfig: &Path, faults: Faults) -> anyhow::Result<Self> {
        let pki = admin_kubeconfig.parent().unwrap_or(Path::new("/")).join("pki");
        let tls = serve::tls(&pki).with_context(|| format!("the apiserver's certificate in {}", pki.display()))?;
        let upstream = Upstream::of(admin_kubeconfig, &pki)?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { upstream, faults, meter: Meter::default(), connections: Mutex::default() });
        let stop = CancellationToken::new();
        tokio::spawn(serve::accept(listener, tls, Arc::clone(&shared), stop.clone()));
        Ok(Self { address, shared, stop })
    }

    /// What it does to calls.
    pub(super) fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// What it has counted.
    pub(super) fn meter(&self) -> &Meter {
        &self.shared.meter
    }

    /// Ends all connections that there are, in the middle of whatever they carry.
    pub(super) fn cut(&self) {
        let mut connections = self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *connections).cancel();
    }

    /// Makes this kubeconfig lead here.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub(super) fn redirect(&self, kubeconfig: &Path) -> anyhow::Result<()> {
        let mut config = Kubeconfig::read_from(kubeconfig)?;
        for cluster in config.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
            cluster.server = Some(format!("https://{}", self.address));
        }
        // JSON is YAML.
        std::fs::write(kubeconfig, serde_json::to_vec(&config)?)?;
        Ok(())
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.stop.cancel();
        self.cut();
    }
}
