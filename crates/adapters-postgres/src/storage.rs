//! [`PgStorage`]: the pool for transactions, and one connection beside it for leases.

use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use shopwright_ports::storage::{Lease, Storage, StorageError, Transaction};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::error::{internal, storage_error, unavailable};
use crate::settings::PgSettings;
use crate::transaction::PgTransaction;
use crate::{lease, schema};

/// The oldest server that the statements are written for.
const OLDEST_SERVER: u32 = 150_000;

/// The database.
#[derive(Debug, Clone)]
pub struct PgStorage {
    pool: PgPool,
    /// One connection that nothing else uses: a busy pool cannot cost a lease.
    leases: PgPool,
    settings: PgSettings,
}

impl PgStorage {
    /// Connects to the database at `url` (`postgres://…`). The schema is not looked at: see [`PgStorage::migrate`] and
    /// [`Storage::check`].
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] when it does not answer, [`StorageError::Internal`] when `url` is no such URL or the server is
    /// too old.
    pub async fn connect(url: &SecretString, settings: PgSettings) -> Result<Self, StorageError> {
        let options: PgConnectOptions = url
            .expose_secret()
            .parse()
            // The driver's words would quote the URL, and with it a password.
            .map_err(|_| internal("DATABASE_URL is not a URL like postgres://user:password@host:5432/database"))?;
        let options = options.application_name(&settings.application_name);
        let pool = PgPoolOptions::new()
            .max_connections(settings.max_connections)
            .acquire_timeout(settings.acquire_timeout)
            .connect_with(options)
            .await
            .map_err(|error| storage_error("connect to the database", error))?;
        let connection = pool.acquire().await.map_err(|error| storage_error("connect to the database", error))?;
        if let Some(version) = connection.server_version_num().filter(|version| *version < OLDEST_SERVER) {
            return Err(internal(format!("PostgreSQL {} is too old: 15 or newer is needed", version / 10_000)));
        }
        drop(connection);
        Ok(Self::from_pool(pool, settings))
    }

    /// The database behind `pool`, whose own limits stay as they are.
    pub fn from_pool(pool: PgPool, settings: PgSettings) -> Self {
        let leases = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(settings.renew_timeout)
            .connect_lazy_with((*pool.connect_options()).clone());
        Self { pool, leases, settings }
    }

    /// Brings the schema up to date, one process at a time.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] when the database does not answer, [`StorageError::Internal`] when a migration is refused.
    pub async fn migrate(&self) -> Result<(), StorageError> {
        schema::migrate(&self.pool.connect_options()).await
    }

    /// Whether the role passes every check of rights unseen: a superuser, or one that bypasses row-level security.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] when the database does not answer.
    pub async fn is_superuser(&self) -> Result<bool, StorageError> {
        let role = "select rolsuper or rolbypassrls from pg_roles where rolname = current_user";
        let mut connection = self.pool.acquire().await.map_err(|error| unavailable("get a connection", error))?;
        let row = sqlx::query_scalar(role).fetch_one(&mut *connection).await;
        row.map_err(|error| storage_error("look at the role", error))
    }

    /// Closes all connections, after the transactions on them.
    pub async fn close(&self) {
        self.pool.close().await;
        self.leases.close().await;
    }
}

#[async_trait]
impl Storage for PgStorage {
    async fn begin(&self) -> Result<Box<dyn Transaction>, StorageError> {
        Ok(Box::new(PgTransaction::begin(&self.pool, &self.settings).await?))
    }

    async fn check(&self) -> Result<(), StorageError> {
        let mut connection = self.pool.acquire().await.map_err(|error| unavailable("get a connection", error))?;
        schema::check(&mut connection).await
    }

    async fn renew(&self, held: &[Lease], lease: Duration) -> Result<Vec<Lease>, StorageError> {
        lease::renew(&self.leases, &self.settings.of_renewal(), held, lease).await
    }
}
