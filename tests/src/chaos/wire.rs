//! A proxy between replicas and PostgreSQL: it cuts connections, also between a commit and its answer, and can be away for a while.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_util::sync::CancellationToken;

use super::dice::Dice;

/// A running proxy. Its connections end with it.
#[derive(Debug)]
pub(super) struct WireProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
}

#[derive(Debug)]
struct Shared {
    socket: PathBuf,
    away: AtomicBool,
    /// So many commits in a hundred lose their answer, and the connection with it.
    lost_commits: AtomicU64,
    lost: AtomicU64,
    dice: Mutex<Dice>,
    connections: Mutex<CancellationToken>,
}

impl WireProxy {
    /// Starts one in front of the server whose socket is in this directory.
    ///
    /// # Errors
    /// When no port can be bound.
    pub(super) async fn start(directory: &Path, dice: Dice) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            socket: directory.join(".s.PGSQL.5432"),
            away: AtomicBool::default(),
            lost_commits: AtomicU64::default(),
            lost: AtomicU64::default(),
            dice: Mutex::new(dice),
            connections: Mutex::default(),
        });
        let stop = CancellationToken::new();
        tokio::spawn(accept(listener, Arc::clone(&shared), stop.clone()));
        Ok(Self { address, shared, stop })
    }

    /// The same database by way of this proxy.
    ///
    /// # Errors
    /// When `url` is none.
    pub(super) fn url(&self, url: &str) -> anyhow::Result<String> {
        let mut url = reqwest::Url::parse(url)?;
        url.set_host(Some("127.0.0.1"))?;
        url.set_port(Some(self.address.port())).map_err(|()| anyhow::anyhow!("{url} takes no port"))?;
        url.set_query(Some("sslmode=disable"));
        Ok(url.to_string())
    }

    /// Ends all connections, whatever they carry.
    pub(super) fn cut(&self) {
        let mut connections = self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *connections).cancel();
    }

    /// Ends all connections and lets nobody in, or lets everybody in again.
    pub(super) fn set_away(&self, away: bool) {
        self.shared.away.store(away, Ordering::Relaxed);
        if away {
            self.cut();
        }
    }

    /// From now on so many commits in a hundred are done and not answered (RELIABILITY F15).
    pub(super) fn lose_commits(&self, percent: u64) {
        self.shared.lost_commits.store(percent, Ordering::Relaxed);
    }

    /// How many commits lost their answer.
    pub(super) fn lost_commits(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }
}

impl Drop for WireProxy {
    fn drop(&mut self) {
        self.stop.cancel();
        self.cut();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        let client = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => client,
                Err(_) => continue,
            },
            () = stop.cancelled() => return,
        };
        if shared.away.load(Ordering::Relaxed) {
            continue;
        }
        let shared = Arc::clone(&shared);
        let end = shared.connections.lock().unwrap_or_else(PoisonError::into_inner).clone();
        tokio::spawn(async move {
            tokio::select! {
                // However it ends, both sides see it.
                _ = carry(client, &shared) => {}
                () = end.cancelled() => {}
            }
        });
    }
}

async fn carry(mut client: TcpStream, shared: &Shared) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let mut server = UnixStream::connect(&shared.socket).await?;
    let (mut asked, mut answered) = (vec![0; 32 * 1024], vec![0; 32 * 1024]);
    loop {
        tokio::select! {
            count = client.read(&mut asked) => {
                let sent = &asked[..count?];
                if sent.is_empty() {
                    return Ok(());
                }
                server.write_all(sent).await?;
                if shared.loses(sent) {
                    // The answer proves that it is done.
                    let _ = server.read(&mut answered).await?;
                    shared.lost.fetch_add(1, Ordering::Relaxed);
                    return Ok(());
                }
            }
            count = server.read(&mut answered) => {
                let sent = &answered[..count?];
                if sent.is_empty() {
                    return Ok(());
                }
                client.write_all(sent).await?;
            }
        }
    }
}

impl Shared {
    fn loses(&self, sent: &[u8]) -> bool {
        let percent = self.lost_commits.load(Ordering::Relaxed);
        let commits = || sent.windows(6).any(|part| part.eq_ignore_ascii_case(b"commit"));
        percent > 0 && commits() && self.dice.lock().unwrap_or_else(PoisonError::into_inner).percent(percent)
    }
}
