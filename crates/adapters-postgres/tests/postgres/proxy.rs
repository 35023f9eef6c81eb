//! A network between the storage and its server that can be cut at the worst moment, or swallow everything without a word.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

/// What the network does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// Everything passes.
    Passes,
    /// The next `COMMIT` is lost, and the connection with it. Then everything passes.
    CutsBeforeCommit,
    /// The next `COMMIT` arrives, its answer is lost, and the connection with it. Then everything passes.
    CutsAfterCommit,
    /// The next `COMMIT` and its answer arrive. From then on nothing does.
    SwallowsAfterCommit,
    /// Nothing arrives, on either side, and nobody is told: packets are dropped, no connection is reset.
    Swallows,
}

/// The network; it is gone with this.
pub(crate) struct Proxy {
    port: u16,
    network: Arc<Mutex<Network>>,
    server: Arc<Mutex<PathBuf>>,
    _listening: AbortOnDropHandle<()>,
}

impl Proxy {
    /// In front of the server that listens on a unix socket of `options`.
    pub(crate) async fn in_front_of(options: &PgConnectOptions) -> Self {
        let socket = options.get_socket().expect("the test's server listens on a unix socket");
        Self::to(socket.join(format!(".s.PGSQL.{}", options.get_port()))).await
    }

    /// In front of the server that listens on this socket.
    pub(crate) async fn to(socket: PathBuf) -> Self {
        let server = Arc::new(Mutex::new(socket));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let network = Arc::new(Mutex::new(Network::Passes));
        let listening = tokio::spawn(listen(listener, Arc::clone(&server), Arc::clone(&network)));
        Self { port, network, server, _listening: AbortOnDropHandle::new(listening) }
    }

    /// New connections go to another server: what a virtual address does when a standby takes over.
    pub(crate) fn lead_to(&self, socket: PathBuf) {
        *self.server.lock().expect("no holder panics") = socket;
    }

    pub(crate) fn set(&self, network: Network) {
        *self.network.lock().expect("no holder panics") = network;
    }

    pub(crate) fn is(&self) -> Network {
        *self.network.lock().expect("no holder panics")
    }

    /// The database of `options`, through this network.
    pub(crate) fn through(&self, options: &PgConnectOptions) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .username(options.get_username())
            .database(options.get_database().expect("a database"))
            .ssl_mode(PgSslMode::Disable)
    }
}

async fn listen(listener: TcpListener, server: Arc<Mutex<PathBuf>>, network: Arc<Mutex<Network>>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let server = server.lock().expect("no holder panics").clone();
        connections.spawn(carry(client, server, Arc::clone(&network)));
    }
}

/// Carries bytes until either side ends. Returning closes both.
async fn carry(mut client: TcpStream, server: PathBuf, network: Arc<Mutex<Network>>) {
    let now = || *network.lock().expect("no holder panics");
    let Ok(mut server) = UnixStream::connect(server).await else { return };
    let (mut request, mut answer) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut request) => {
                let Ok(length @ 1..) = read else {
                    // Who hangs up on a network that swallows everything is not heard either.
                    if now() == Network::Swallows { std::future::pending::<()>().await; }
                    return;
                };
                let sent = &request[..length];
                let commits = sent.windows(7).any(|part| part == b"commit\0");
                match now() {
                    Network::Swallows => {}
                    Network::CutsBeforeCommit if commits => {
                        *network.lock().expect("no holder panics") = Network::Passes;
                        return;
                    }
                    network_now => {
                        if server.write_all(sent).await.is_err() { return }
                        if network_now == Network::CutsAfterCommit && commits {
                            *network.lock().expect("no holder panics") = Network::Passes;
                            // The server's answer is the proof that it has committed.
                            let _ = server.read(&mut answer).await;
                            return;
                        }
                        if network_now == Network::SwallowsAfterCommit && commits {
                            let Ok(length @ 1..) = server.read(&mut answer).await else { return };
                            *network.lock().expect("no holder panics") = Network::Swallows;
                            if client.write_all(&answer[..length]).await.is_err() { return }
                        }
                    }
                }
            }
            read = server.read(&mut answer) => {
                let Ok(length @ 1..) = read else {
                    if now() == Network::Swallows { std::future::pending::<()>().await; }
                    return;
                };
                if now() != Network::Swallows && client.write_all(&answer[..length]).await.is_err() { return }
            }
        }
    }
}
