//! Where the rows are, and what seals the secrets among them.

use std::path::PathBuf;

use secrecy::SecretString;

use crate::config::reader::Reader;
use crate::config::settings::{
    DATABASE_URL, SHOPWRIGHT_DATABASE_DIRECT, SHOPWRIGHT_MIGRATE_DATABASE_URL, SHOPWRIGHT_SECRET_KEY,
    SHOPWRIGHT_WORKER_DATABASE_URL,
};
use crate::config::{paths, values};
use crate::crypto::SealingKey;

/// The database that somebody else runs.
#[derive(Debug, Clone)]
pub struct ExternalDatabase {
    /// As the API's role.
    pub url: SecretString,
    /// As the worker's role, if it has a URL of its own.
    pub worker_url: Option<SecretString>,
    /// As the owner's role, if it has a URL of its own.
    pub migrate_url: Option<SecretString>,
    /// The URLs lead to the server itself, not to a pooler in transaction mode.
    pub direct: bool,
}

/// Where the rows are, and what seals the secrets among them.
#[derive(Debug, Clone)]
pub enum DatabaseConfig {
    /// A private PostgreSQL in this directory, with a generated key beside it unless one is given.
    Private {
        /// The directory.
        data_dir: PathBuf,
        /// Keys; the first seals. Empty: the generated one.
        keys: Vec<SealingKey>,
    },
    /// A database that somebody else runs.
    External {
        /// Its URLs.
        database: ExternalDatabase,
        /// Keys, at least one; the first seals.
        keys: Vec<SealingKey>,
    },
}

pub(in crate::config) fn external_database(reader: &mut Reader<'_>) -> Option<ExternalDatabase> {
    let url = reader.read(&DATABASE_URL, values::database_url);
    let worker_url = reader.read(&SHOPWRIGHT_WORKER_DATABASE_URL, values::database_url);
    let migrate_url = reader.read(&SHOPWRIGHT_MIGRATE_DATABASE_URL, values::database_url);
    let direct = reader.read(&SHOPWRIGHT_DATABASE_DIRECT, values::switch);
    if url.is_none() && (worker_url.is_some() || migrate_url.is_some()) {
        let problem = "it is not set (or wrong), but the URL of another role is";
        reader.refuse(&DATABASE_URL, problem, "Set DATABASE_URL too, or none of them for the private PostgreSQL.");
    }
    url.zip(direct).map(|(url, direct)| ExternalDatabase { url, worker_url, migrate_url, direct })
}

pub(in crate::config) fn database(reader: &mut Reader<'_>) -> Option<DatabaseConfig> {
    let keys = reader.read(&SHOPWRIGHT_SECRET_KEY, SealingKey::parse_list);
    let key_is_set = reader.is_set(&SHOPWRIGHT_SECRET_KEY);
    let data_dir = paths::data_dir(reader);
    let url_is_set = reader.is_set(&DATABASE_URL);
    match external_database(reader) {
        Some(database) => {
            if !key_is_set {
                let remedy = "Set it to 32 random bytes, for instance from `openssl rand -base64 32`, keep it, and give all replicas the same.";
                reader.refuse(&SHOPWRIGHT_SECRET_KEY, "it is required together with DATABASE_URL", remedy);
            }
            keys.map(|keys| DatabaseConfig::External { database, keys })
        }
        None if url_is_set => None,
        None => data_dir.map(|data_dir| DatabaseConfig::Private { data_dir, keys: keys.unwrap_or_default() }),
    }
}
