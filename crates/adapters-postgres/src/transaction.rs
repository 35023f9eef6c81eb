//! A transaction on a connection of the pool, safe to drop at any await.
//!
//! sqlx's own transaction loses track of a `BEGIN` whose future is dropped, and the pool then hands out a connection that is inside
//! somebody else's transaction (sqlx#4393, RELIABILITY F19). Therefore `BEGIN`, `COMMIT` and `ROLLBACK` are sent here: a connection
//! that was left in the middle of a statement is closed, any other is rolled back before it goes back to the pool.

use std::time::Duration;

use async_trait::async_trait;
use shopwright_ports::storage::{
    AuditRepository, ClusterRepository, CredentialRepository, IdempotencyRepository, OperationRepository,
    SigningKeyRepository, StorageError, StoreRepository, TenantRepository, Transaction, UserRepository,
};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, PgPool, Postgres};

use crate::error::{internal, storage_error, unavailable};
use crate::settings::PgSettings;

/// A statement with its values.
pub(crate) type Sql<'q> = Query<'q, Postgres, PgArguments>;

/// A statement that is not prepared by name: a pooler between us and the server may give the next one to another connection.
pub(crate) fn sql<'q>(text: &'static str) -> Sql<'q> {
    sqlx::query(text).persistent(false)
}

const ROLLBACK_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) struct PgTransaction {
    /// Gone once the transaction is over.
    connection: Option<PoolConnection<Postgres>>,
    /// A statement is under way; still set when its future was dropped.
    busy: bool,
    /// A statement failed, and with it the transaction.
    failed: bool,
}

impl PgTransaction {
    pub(crate) async fn begin(pool: &PgPool, settings: &PgSettings) -> Result<Self, StorageError> {
        let connection = pool.acquire().await.map_err(|error| unavailable("get a connection", error))?;
        let mut transaction = Self { connection: Some(connection), busy: false, failed: false };
        transaction.command("begin a transaction", settings.begin()).await?;
        Ok(transaction)
    }

    fn enter(&mut self) -> Result<&mut PgConnection, StorageError> {
        match &mut self.connection {
            Some(connection) if !self.failed => {
                self.busy = true;
                Ok(connection)
            }
            // PostgreSQL would answer a commit with a rollback, and not call it an error.
            _ => Err(internal("a call in this transaction was refused: nothing can follow but a rollback")),
        }
    }

    fn leave<T>(&mut self, what: &str, result: Result<T, sqlx::Error>) -> Result<T, StorageError> {
        self.busy = false;
        result.map_err(|error| {
            self.failed = true;
            storage_error(what, error)
        })
    }

    /// Sends text of ours without values.
    pub(crate) async fn command(&mut self, what: &str, text: String) -> Result<(), StorageError> {
        let connection = self.enter()?;
        let result = sqlx::raw_sql(AssertSqlSafe(text)).execute(connection).await;
        self.leave(what, result).map(|_| ())
    }

    /// How many rows `statement` changed.
    pub(crate) async fn execute(&mut self, what: &str, statement: Sql<'_>) -> Result<u64, StorageError> {
        let result = statement.execute(self.enter()?).await;
        self.leave(what, result).map(|done| done.rows_affected())
    }

    /// The row that `statement` finds, if there is one.
    pub(crate) async fn row(&mut self, what: &str, statement: Sql<'_>) -> Result<Option<PgRow>, StorageError> {
        let result = statement.fetch_optional(self.enter()?).await;
        self.leave(what, result)
    }

    /// The rows that `statement` finds.
    pub(crate) async fn rows(&mut self, what: &str, statement: Sql<'_>) -> Result<Vec<PgRow>, StorageError> {
        let result = statement.fetch_all(self.enter()?).await;
        self.leave(what, result)
    }
}

impl Drop for PgTransaction {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if self.busy {
            // Nobody knows what it still has to say.
            connection.close_on_drop();
            return;
        }
        tokio::spawn(async move {
            let rollback = sqlx::raw_sql("rollback").execute(&mut *connection);
            if !matches!(tokio::time::timeout(ROLLBACK_TIMEOUT, rollback).await, Ok(Ok(_))) {
                connection.close_on_drop();
            }
        });
    }
}

#[async_trait]
impl Transaction for PgTransaction {
    fn tenants(&mut self) -> &mut dyn TenantRepository {
        self
    }

    fn users(&mut self) -> &mut dyn UserRepository {
        self
    }

    fn clusters(&mut self) -> &mut dyn ClusterRepository {
        self
    }

    fn stores(&mut self) -> &mut dyn StoreRepository {
        self
    }

    fn credentials(&mut self) -> &mut dyn CredentialRepository {
        self
    }

    fn operations(&mut self) -> &mut dyn OperationRepository {
        self
    }

    fn audit(&mut self) -> &mut dyn AuditRepository {
        self
    }

    fn idempotency(&mut self) -> &mut dyn IdempotencyRepository {
        self
    }

    fn signing_keys(&mut self) -> &mut dyn SigningKeyRepository {
        self
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StorageError> {
        self.command("commit", "commit".to_owned()).await?;
        // Outside any transaction now: back to the pool.
        self.connection = None;
        Ok(())
    }
}
