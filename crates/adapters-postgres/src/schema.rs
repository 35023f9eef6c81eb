//! The schema: bringing it up to date, and telling whether it is.

use std::collections::HashMap;

use shopwright_ports::storage::StorageError;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use crate::error::{internal, storage_error, unavailable};
use crate::roles::{self, Membership};
use crate::row::Row;
use crate::settings::PgSettings;
use crate::transaction::{PgTransaction, sql};

/// The migrations of this version. Migrations of later versions are accepted: a release can be rolled back on their schema.
pub static MIGRATOR: Migrator = Migrator { ignore_missing: true, ..sqlx::migrate!("../../migrations") };

/// Makes the roles, and applies what migrations are missing, one process at a time.
///
/// A statement that has to lock a table makes everybody wait who comes after it, so it waits a short time only, gives up, lets the others
/// pass and tries again (RELIABILITY F27). So does whoever waits for another process that migrates.
pub(crate) async fn migrate(
    options: &PgConnectOptions,
    settings: &PgSettings,
    memberships: &[Membership],
) -> Result<(), StorageError> {
    for _ in 0..settings.migration_retries {
        match try_migrate(options, settings, memberships).await {
            Err(StorageError::Conflict) => tokio::time::sleep(settings.migration_lock_timeout).await,
            result => return result,
        }
    }
    try_migrate(options, settings, memberships).await.map_err(|error| match error {
        StorageError::Conflict => unavailable(WHAT, "others hold what has to be locked: try again later"),
        error => error,
    })
}

const WHAT: &str = "migrate the schema";

/// On a connection of its own: the advisory lock belongs to the session, so a migration that is cancelled gives it back by closing the
/// connection.
async fn try_migrate(
    options: &PgConnectOptions,
    settings: &PgSettings,
    memberships: &[Membership],
) -> Result<(), StorageError> {
    let mut connection = options.connect().await.map_err(|error| storage_error(WHAT, error))?;
    let limits = sqlx::raw_sql(AssertSqlSafe(settings.migration())).execute(&mut connection).await;
    limits.map_err(|error| storage_error(WHAT, error))?;
    roles::ensure(&mut connection, memberships).await?;
    MIGRATOR.run_direct(None, &mut connection, false).await.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => storage_error(WHAT, error),
        error => StorageError::Internal { detail: WHAT.to_owned(), source: Some(Box::new(error)) },
    })?;
    connection.close().await.map_err(|error| storage_error(WHAT, error))
}

/// Whether every migration of this version is applied as this version knows it.
pub(crate) async fn check(transaction: &mut PgTransaction) -> Result<(), StorageError> {
    const WHAT: &str = "read which migrations are applied";
    const NEEDS: &str = "run `shopwright migrate`";
    let exists = transaction.row(WHAT, sql("select 1 where to_regclass('_sqlx_migrations') is not null")).await?;
    if exists.is_none() {
        return Err(internal(format!("the database has no schema: {NEEDS}")));
    }
    let rows = transaction.rows(WHAT, sql("select version, checksum, success from _sqlx_migrations")).await?;
    let mut applied = HashMap::new();
    for row in &rows {
        let row = Row::new(row, "_sqlx_migrations", "version");
        let (version, checksum): (i64, Vec<u8>) = (row.get("version")?, row.get("checksum")?);
        applied.insert(version, (checksum, row.get::<bool>("success")?));
    }
    for migration in MIGRATOR.iter() {
        let version = migration.version;
        match applied.get(&version) {
            None => {
                return Err(internal(format!(
                    "the database's schema is too old: migration {version} is missing: {NEEDS}"
                )));
            }
            Some((_, false)) => {
                return Err(internal(format!("migration {version} was begun and not finished: {NEEDS}")));
            }
            Some((checksum, true)) if *checksum != *migration.checksum => {
                let detail = format!("migration {version} of the database is not the one of this version");
                return Err(internal(format!("{detail}: use the version that made the schema, or a new database")));
            }
            Some(_) => {}
        }
    }
    Ok(())
}
