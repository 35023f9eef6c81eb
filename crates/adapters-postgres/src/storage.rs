//! [`PgStorage`]: the pool for transactions, and one connection beside it for leases.

use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use shopwright_ports::storage::{Lease, Reach, Storage, StorageError, Transaction};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::connections::Connections;
use crate::error::{internal, storage_error};
use crate::server::{Fitness, fitness};
use crate::settings::{PgSettings, Route};
use crate::stirs::Stirs;
use crate::transaction::PgTransaction;
use crate::unreadable::Unreadable;
use crate::{lease, roles, schema};

/// More than there are: none is prepared twice on one connection.
const STATEMENTS: usize = 1000;

/// The database.
#[derive(Debug, Clone)]
pub struct PgStorage {
    connections: Connections,
    /// One connection that nothing else uses: a busy pool cannot cost a lease.
    leases: Connections,
    settings: PgSettings,
    unreadable: Unreadable,
    stirs: Stirs,
}

impl PgStorage {
    /// Connects to the database at `url` (`postgres://…`). The schema is not looked at: see [`PgStorage::migrate`] and
    /// [`Storage::check`].
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] when it does not answer, [`StorageError::Internal`] when `url` is no such URL or the server is
    /// too old.
    pub async fn connect(url: &SecretString, settings: PgSettings) -> Result<Self, StorageError> {
        Self::open(options(url)?, settings).await
    }

    /// As [`PgStorage::connect`], by options.
    ///
    /// # Errors
    /// As [`PgStorage::connect`].
    pub async fn open(options: PgConnectOptions, settings: PgSettings) -> Result<Self, StorageError> {
        const WHAT: &str = "connect to the database";
        let mut options = options.application_name(&settings.application_name);
        if settings.route == Route::Direct {
            // Planned for its values each time, as an unnamed statement is: many conditions apply only when a value is given.
            options = options.options([("plan_cache_mode", "force_custom_plan")]).statement_cache_capacity(STATEMENTS);
        }
        let pool = pool_options(settings.max_connections, settings.acquire_timeout)
            .connect_with(options)
            .await
            .map_err(|error| storage_error(WHAT, error))?;
        let storage = Self::from_pool(pool, settings);
        let connection = storage.connections.borrow().await?;
        match connection.server_version_num().map(fitness) {
            Some(Fitness::TooOld(reason)) => return Err(internal(reason)),
            Some(Fitness::Outdated(reason)) => {
                tracing::warn!(application = storage.settings.application_name, "{reason}");
            }
            Some(Fitness::Fit) | None => {}
        }
        connection.give_back();
        Ok(storage)
    }

    /// The database behind `pool`, whose own limits stay as they are.
    pub fn from_pool(pool: PgPool, settings: PgSettings) -> Self {
        let leases = pool_options(1, settings.renew_timeout).connect_lazy_with((*pool.connect_options()).clone());
        let ears = pool_options(1, settings.acquire_timeout).connect_lazy_with((*pool.connect_options()).clone());
        let connections = Connections::of(pool, settings.queue_timeout);
        let stirs = Stirs::new(connections.clone(), ears);
        let leases = Connections::of(leases, settings.renew_timeout);
        Self { connections, leases, settings, unreadable: Unreadable::default(), stirs }
    }

    /// Shares hints of new events with another storage on the same database: whoever waits at one is told of commits at both.
    #[must_use]
    pub fn stirring_with(mut self, other: &Self) -> Self {
        self.stirs = other.stirs.clone();
        self
    }

    /// Makes the roles that transactions run as and brings the schema up to date, one process at a time.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] when the database does not answer or others held what had to be locked for too long: run it again.
    /// [`StorageError::Internal`] when a migration is refused.
    pub async fn migrate(&self) -> Result<(), StorageError> {
        schema::migrate(&self.connections.pool().connect_options(), &self.settings, &[]).await
    }

    /// As [`PgStorage::migrate`], for programs that sign in by these URLs: their logins may from then on become the roles that
    /// transactions run as.
    ///
    /// # Errors
    /// As [`PgStorage::migrate`]; [`StorageError::Internal`] with what to do also when this login may make or grant no roles.
    pub async fn migrate_for(&self, api: &SecretString, worker: &SecretString) -> Result<(), StorageError> {
        let (api, worker) = (options(api)?, options(worker)?);
        let memberships = roles::memberships(api.get_username(), worker.get_username());
        schema::migrate(&self.connections.pool().connect_options(), &self.settings, &memberships).await
    }

    /// Whether the role passes every check of rights unseen: a superuser, or one that bypasses row-level security.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] when the database does not answer.
    pub async fn is_superuser(&self) -> Result<bool, StorageError> {
        let role = "select rolsuper or rolbypassrls from pg_roles where rolname = current_user";
        let mut connection = self.connections.borrow().await?;
        let row = sqlx::query_scalar(role).fetch_one(&mut *connection).await;
        connection.give_back();
        row.map_err(|error| storage_error("look at the role", error))
    }

    /// Closes all connections, after the transactions on them.
    pub async fn close(&self) {
        self.stirs.close().await;
        self.connections.pool().close().await;
        self.leases.pool().close().await;
    }
}

fn options(url: &SecretString) -> Result<PgConnectOptions, StorageError> {
    // The driver's words would quote the URL, and with it a password.
    let unusable = |_| internal("DATABASE_URL is not a URL like postgres://user:password@host:5432/database");
    url.expose_secret().parse().map_err(unusable)
}

/// Whether a connection lives is seen by whoever borrows it.
fn pool_options(connections: u32, acquire_timeout: Duration) -> PgPoolOptions {
    PgPoolOptions::new().max_connections(connections).acquire_timeout(acquire_timeout).test_before_acquire(false)
}

#[async_trait]
impl Storage for PgStorage {
    async fn begin(&self, reach: Reach) -> Result<Box<dyn Transaction>, StorageError> {
        let Self { connections, settings, unreadable, stirs, .. } = self;
        Ok(Box::new(PgTransaction::begin(connections, Some(reach), settings, unreadable, Some(stirs)).await?))
    }

    async fn check(&self) -> Result<(), StorageError> {
        // Whoever asks whether we are ready does not ask for long.
        let connections = self.connections.for_callers_with(self.settings.acquire_timeout);
        let Self { settings, unreadable, .. } = self;
        schema::check(&mut PgTransaction::begin(&connections, None, settings, unreadable, None).await?).await
    }

    async fn renew(&self, held: &[Lease], lease: Duration) -> Result<Vec<Lease>, StorageError> {
        lease::renew(&self.leases, &self.settings.of_renewal(), held, lease).await
    }

    async fn stirred(&self) {
        self.stirs.wait().await;
    }
}
