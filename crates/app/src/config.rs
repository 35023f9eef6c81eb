//! Configuration: flags, then environment, then a TOML file, then defaults, all from one table ([`settings`]).
//!
//! [`Config::load`] checks everything and reports every mistake in one answer. Secrets are never shown, neither in messages nor by
//! `Debug`. What is loaded is complete: nothing else in the program reads the environment for a setting.

mod cluster;
mod environment;
mod file;
mod flags;
mod ingress;
mod mistakes;
mod paths;
mod production;
mod reader;
mod sections;
pub mod settings;
pub(crate) mod values;

use std::net::SocketAddr;
use std::path::PathBuf;

pub use cluster::ClusterAccess;
pub use environment::Environment;
pub use flags::Flags;
pub use ingress::IngressAddr;
pub use mistakes::{ConfigError, Mistake};
use reader::Reader;
pub use sections::{
    AdminAccount, ClusterConfig, DatabaseConfig, ExternalDatabase, IdentityConfig, LimitsConfig, LogFormat, Profile,
    RequestsConfig, Scheme, StoresConfig, WorkerConfig,
};

/// Everything that `serve` needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the API listens.
    pub http_addr: SocketAddr,
    /// Where metrics are served without a token, if anywhere.
    pub metrics_addr: Option<SocketAddr>,
    /// Where people reach it, without a slash at the end.
    pub public_url: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// What stores are made on.
    pub platform: Platform,
    /// URLs and values of stores.
    pub stores: StoresConfig,
    /// Accounts and tokens.
    pub identity: IdentityConfig,
    /// Requests: how many, from whom, through whom; and what plans mean.
    pub requests: RequestsConfig,
    /// The worker.
    pub worker: WorkerConfig,
}

/// What stores are made on.
#[derive(Debug, Clone)]
pub enum Platform {
    /// A simulated cluster, in memory; no database either.
    Simulated,
    /// A cluster and a database.
    Real {
        /// The database.
        database: DatabaseConfig,
        /// The cluster and the tools for it.
        cluster: Box<ClusterConfig>,
    },
}

impl Config {
    /// Reads and checks everything that `serve` needs.
    ///
    /// # Errors
    /// [`ConfigError`] with all mistakes.
    pub fn load(flags: &Flags, environment: &Environment) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(flags, environment);
        let config = Self::read(&mut reader);
        reader.finish(config)
    }

    /// Every section is read before the first missing one ends it: that is what makes all mistakes come together.
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let http_addr = reader.read(&settings::HTTP_ADDR, values::socket_addr);
        let metrics_addr = reader.read(&settings::SHOPWRIGHT_METRICS_ADDR, values::socket_addr);
        let public_url = reader.read(&settings::SHOPWRIGHT_PUBLIC_URL, values::public_url);
        let log_format = log_format(reader);
        let platform = if reader.read(&settings::SHOPWRIGHT_SIMULATED, values::switch) == Some(true) {
            Some(Platform::Simulated)
        } else {
            // Also after a mistake in the switch itself: more is told that way.
            let database = sections::database(reader);
            let cluster = sections::cluster(reader).map(Box::new);
            database.zip(cluster).map(|(database, cluster)| Platform::Real { database, cluster })
        };
        let stores = sections::stores(reader);
        let profile = stores.as_ref().map(|stores| stores.profile);
        let identity = sections::identity(reader, profile);
        let limits = sections::limits(reader);
        let requests = sections::requests(reader, profile, limits);
        let worker = sections::worker(reader);
        if profile == Some(Profile::Production) {
            let settings = production::Settings {
                simulated: matches!(platform, Some(Platform::Simulated)),
                http_addr,
                database: match &platform {
                    Some(Platform::Real { database, .. }) => Some(database),
                    Some(Platform::Simulated) | None => None,
                },
                stores: stores.as_ref(),
                identity: identity.as_ref(),
                requests: requests.as_ref(),
            };
            production::check(reader, &settings);
        }
        Some(Self {
            public_url: public_url.or_else(|| http_addr.map(|address| format!("http://{address}")))?,
            http_addr: http_addr?,
            metrics_addr,
            log_format,
            platform: platform?,
            stores: stores?,
            identity: identity?,
            requests: requests?,
            worker: worker?,
        })
    }
}

/// What `migrate` needs to know.
#[derive(Debug, Clone)]
pub struct MigrateConfig {
    /// The database; the private one in the data directory when there is none.
    pub database: Option<ExternalDatabase>,
    /// The data directory.
    pub data_dir: PathBuf,
    /// How log lines look.
    pub log_format: LogFormat,
}

impl MigrateConfig {
    /// Reads and checks everything that `migrate` needs, and nothing else.
    ///
    /// # Errors
    /// [`ConfigError`] with all mistakes.
    pub fn load(flags: &Flags, environment: &Environment) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(flags, environment);
        let log_format = log_format(&mut reader);
        let database = sections::external_database(&mut reader);
        let data_dir = paths::data_dir(&mut reader);
        let config = data_dir.map(|data_dir| Self { database, data_dir, log_format });
        reader.finish(config)
    }
}

/// What `keys` needs to know.
#[derive(Debug, Clone)]
pub struct KeysConfig {
    /// The database with the keys, and what opens them.
    pub database: DatabaseConfig,
    /// How log lines look.
    pub log_format: LogFormat,
}

impl KeysConfig {
    /// Reads and checks everything that `keys` needs, and nothing else.
    ///
    /// # Errors
    /// [`ConfigError`] with all mistakes.
    pub fn load(flags: &Flags, environment: &Environment) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(flags, environment);
        let log_format = log_format(&mut reader);
        let dir = paths::signing_keys_dir(&mut reader);
        if dir.is_some() {
            let remedy = "Exchange the files: the next key first beside it, then as signing.pem (docs/API.md).";
            reader.refuse(&settings::SHOPWRIGHT_SIGNING_KEYS_DIR, "the keys are not in the database", remedy);
        }
        let database = sections::database(&mut reader);
        let config = database.map(|database| Self { database, log_format });
        reader.finish(config)
    }
}

fn log_format(reader: &mut Reader<'_>) -> LogFormat {
    let given = reader.read(&settings::LOG_FORMAT, values::word(&LogFormat::WORDS));
    given.unwrap_or(if reader.environment.terminal { LogFormat::Text } else { LogFormat::Json })
}
