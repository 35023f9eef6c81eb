//! A PostgreSQL of our own, from the system's binaries, for whoever has no database: one directory, one server, one owner.
//!
//! What always holds (DECISIONS 28):
//! - Only the holder of the lock on the data directory starts, adopts or stops the server. A second `serve` is told where it is.
//! - The server listens on a unix socket in a directory that only its user (and root) may enter; there is no password to lose.
//! - A server that outlived its `serve` (kill -9) is adopted, not started again. Data survive everything but the loss of the directory.
//! - As root, which PostgreSQL refuses, it runs as `postgres`, or else as `nobody`.

mod account;
mod binaries;
mod cluster_dir;
mod error;
mod lock;
mod postmaster;
mod secret_key;
mod socket;

use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;
use sqlx::{Connection, PgConnection};

use account::Account;
use binaries::Binaries;
pub use error::PrivatePostgresError;
use lock::DataDirLock;
use postmaster::Postmaster;
pub use secret_key::load_or_generate;

/// The name of the database and of its only role.
const NAME: &str = "shopwright";
/// Recovery after a crash of a full disk of WAL takes minutes at worst; a start takes a quarter of a second.
const START_LIMIT: Duration = Duration::from_mins(5);
/// SIGINT ends every session at once; what remains is writing a checkpoint.
const STOP_LIMIT: Duration = Duration::from_mins(1);

/// A running private server. Dropping it leaves the server running, to be adopted; [`PrivatePostgres::stop`] stops it.
#[derive(Debug)]
pub struct PrivatePostgres {
    postmaster: Postmaster,
    /// Given back last: whoever gets it next finds the server stopped.
    _lock: DataDirLock,
}

impl PrivatePostgres {
    /// The running server in `data_dir` and the URL of its database. Makes what is not there yet: directory, server, database.
    ///
    /// # Errors
    /// [`PrivatePostgresError`], which says what to do.
    pub async fn start(data_dir: &Path) -> Result<(Self, SecretString), PrivatePostgresError> {
        let account = Account::for_server()?;
        account.make_data_dir(data_dir)?;
        let mut lock = DataDirLock::take(data_dir)?;
        let place = Place::in_data_dir(data_dir, &account)?;
        let postmaster = match place.adopt().await? {
            Some(postmaster) => postmaster,
            None => place.start(&account).await?,
        };
        make_database(&postmaster.socket_dir).await?;
        let url = url(&postmaster.socket_dir, NAME);
        lock.tell(&url)?;
        Ok((Self { postmaster, _lock: lock }, url.into()))
    }

    /// Stops the server: sessions are ended, everything committed is on disk.
    ///
    /// # Errors
    /// [`PrivatePostgresError::WillNotStop`] after a minute; the server is then left as it is.
    pub async fn stop(mut self) -> Result<(), PrivatePostgresError> {
        self.postmaster.stop(STOP_LIMIT).await
    }

    /// The process id of the server.
    pub fn pid(&self) -> u32 {
        self.postmaster.pid()
    }
}

/// Where the server's files are.
struct Place {
    cluster: PathBuf,
    log: PathBuf,
    socket_dir: PathBuf,
}

impl Place {
    fn in_data_dir(data_dir: &Path, account: &Account) -> Result<Self, PrivatePostgresError> {
        let data_dir = data_dir.canonicalize().map_err(PrivatePostgresError::io("enter", data_dir))?;
        Ok(Self {
            cluster: data_dir.join("postgres"),
            log: data_dir.join("postgres.log"),
            socket_dir: socket::directory(&data_dir, account)?,
        })
    }

    /// A server that an earlier `serve` left behind, if it can still be reached.
    async fn adopt(&self) -> Result<Option<Postmaster>, PrivatePostgresError> {
        let Some(mut postmaster) = Postmaster::find(&self.cluster, START_LIMIT).await? else { return Ok(None) };
        if connect(&postmaster.socket_dir, "postgres").await.is_ok() {
            tracing::info!(pid = postmaster.pid(), "adopted the private PostgreSQL that was left running");
            return Ok(Some(postmaster));
        }
        // Somebody removed its socket, or it is past helping: a new one takes over its files.
        postmaster.stop(STOP_LIMIT).await?;
        Ok(None)
    }

    async fn start(&self, account: &Account) -> Result<Postmaster, PrivatePostgresError> {
        let binaries = Binaries::find(cluster_dir::major_version(&self.cluster)?.as_deref())?;
        cluster_dir::make(&self.cluster, &binaries, account).await?;
        let postmaster =
            Postmaster::start(&binaries, account, &self.cluster, &self.socket_dir, &self.log, START_LIMIT).await?;
        tracing::info!(pid = postmaster.pid(), version = binaries.version, "started the private PostgreSQL");
        Ok(postmaster)
    }
}

fn url(socket_dir: &Path, database: &str) -> String {
    let host: String = url::form_urlencoded::byte_serialize(socket_dir.as_os_str().as_encoded_bytes()).collect();
    format!("postgresql:///{database}?host={host}&user={NAME}")
}

async fn connect(socket_dir: &Path, database: &str) -> Result<PgConnection, sqlx::Error> {
    let options = sqlx::postgres::PgConnectOptions::new_without_pgpass()
        .socket(socket_dir)
        .port(socket::PORT)
        .username(NAME)
        .database(database);
    tokio::time::timeout(Duration::from_secs(10), PgConnection::connect_with(&options))
        .await
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// Makes the database if it is not there. The lock on the data directory keeps others from making it at the same moment.
async fn make_database(socket_dir: &Path) -> Result<(), PrivatePostgresError> {
    let work = async {
        let mut connection = connect(socket_dir, "postgres").await?;
        let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = 'shopwright')")
            .fetch_one(&mut connection)
            .await?;
        if !exists {
            sqlx::query("CREATE DATABASE shopwright").execute(&mut connection).await?;
        }
        connection.close().await
    };
    work.await.map_err(PrivatePostgresError::Database)
}
