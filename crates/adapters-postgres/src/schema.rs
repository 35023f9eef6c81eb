//! The schema: bringing it up to date, and telling whether it is.

use std::collections::HashMap;

use shopwright_ports::storage::StorageError;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Row as _};

use crate::error::{internal, storage_error};

/// The migrations of this version. Migrations of later versions are accepted: a release can be rolled back on their schema.
pub static MIGRATOR: Migrator = Migrator { ignore_missing: true, ..sqlx::migrate!("../../migrations") };

/// Applies what is missing, one process at a time. On a connection of its own: the advisory lock belongs to the session, so a
/// migration that is cancelled gives it back by closing the connection.
pub(crate) async fn migrate(options: &PgConnectOptions) -> Result<(), StorageError> {
    const WHAT: &str = "migrate the schema";
    let mut connection = options.connect().await.map_err(|error| storage_error(WHAT, error))?;
    MIGRATOR.run_direct(None, &mut connection, false).await.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => storage_error(WHAT, error),
        error => StorageError::Internal { detail: WHAT.to_owned(), source: Some(Box::new(error)) },
    })?;
    connection.close().await.map_err(|error| storage_error(WHAT, error))
}

/// Whether every migration of this version is applied as this version knows it.
pub(crate) async fn check(connection: &mut PgConnection) -> Result<(), StorageError> {
    const WHAT: &str = "read which migrations are applied";
    const NEEDS: &str = "run `shopwright migrate`";
    let exists = sqlx::query_scalar::<_, bool>("select to_regclass('_sqlx_migrations') is not null")
        .persistent(false)
        .fetch_one(&mut *connection)
        .await
        .map_err(|error| storage_error(WHAT, error))?;
    if !exists {
        return Err(internal(format!("the database has no schema: {NEEDS}")));
    }
    let rows = sqlx::query("select version, checksum, success from _sqlx_migrations")
        .persistent(false)
        .fetch_all(connection)
        .await
        .map_err(|error| storage_error(WHAT, error))?;
    let mut applied = HashMap::new();
    for row in rows {
        let read = (|| Ok((row.try_get::<i64, _>(0)?, (row.try_get::<Vec<u8>, _>(1)?, row.try_get::<bool, _>(2)?))))();
        let (version, state) = read.map_err(|error| storage_error(WHAT, error))?;
        applied.insert(version, state);
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
