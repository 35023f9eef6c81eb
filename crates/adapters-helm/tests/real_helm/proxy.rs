//! Between helm and the API server: plain HTTP that answers 500 to what it is told to. Behind it `kubectl proxy` speaks TLS.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use shopwright_adapters_k8s::KubeCluster;
use shopwright_ports::cluster::{ClusterError, Fence};
use shopwright_ports::releases::{ObjectRef, ReleaseAccess, ReleaseRecord};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::world::World;

/// Helm goes through the proxy, everybody else does not.
pub(crate) struct Proxied {
    cluster: KubeCluster,
    address: SocketAddr,
    /// Whether lists of Secrets fail.
    pub(crate) failing: Arc<AtomicBool>,
    /// How many did.
    pub(crate) failed: Arc<AtomicUsize>,
    _kubectl: Child,
}

impl Proxied {
    pub(crate) async fn start(world: &World) -> Self {
        let mut kubectl = Command::new("kubectl");
        kubectl.arg("--kubeconfig").arg(&world.kubeconfig).args(["proxy", "--port=0"]);
        let mut kubectl = kubectl.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(kubectl.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
        let upstream: SocketAddr = line.trim().rsplit(' ').next().unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (failing, failed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let told = (Arc::clone(&failing), Arc::clone(&failed));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(exchange(client, upstream, told.clone()));
            }
        });
        Self { cluster: world.cluster.clone(), address, failing, failed, _kubectl: kubectl }
    }
}

/// One request and its answer; the connection ends with it, so that no second request goes through unseen.
async fn exchange(mut client: TcpStream, upstream: SocketAddr, told: (Arc<AtomicBool>, Arc<AtomicUsize>)) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match client.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let lists_secrets = head.starts_with("GET ") && head.contains("/secrets?");
    if lists_secrets && told.0.load(Ordering::SeqCst) {
        told.1.fetch_add(1, Ordering::SeqCst);
        let answer = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\nConnection: close\r\n\r\noops";
        let _ = client.write_all(answer.as_bytes()).await;
        return;
    }
    let Ok(mut server) = TcpStream::connect(upstream).await else { return };
    let head = head.replacen("HTTP/1.1\r\n", "HTTP/1.1\r\nConnection: close\r\n", 1);
    if server.write_all(head.as_bytes()).await.is_ok() {
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}

#[async_trait]
impl ReleaseAccess for Proxied {
    async fn kubeconfig(&self, fence: &Fence) -> Result<SecretString, ClusterError> {
        let text = self.cluster.kubeconfig(fence).await?;
        let through = format!("http://{}", self.address);
        let text = text.expose_secret().replace(self.cluster.server().trim_end_matches('/'), &through);
        assert!(text.contains(&through), "the address of the cluster is not in the kubeconfig");
        Ok(text.into())
    }

    async fn records(&self, fence: &Fence) -> Result<Vec<ReleaseRecord>, ClusterError> {
        self.cluster.records(fence).await
    }

    async fn remove_record(&self, fence: &Fence, record: &ReleaseRecord) -> Result<(), ClusterError> {
        self.cluster.remove_record(fence, record).await
    }

    async fn missing(&self, fence: &Fence, objects: &[ObjectRef]) -> Result<Vec<ObjectRef>, ClusterError> {
        self.cluster.missing(fence, objects).await
    }
}
