//! Why the program does not start, in words that say what to do.

use shopwright_adapters_k8s::ConnectError;
use shopwright_ports::identity_api::IdentityError;
use shopwright_ports::releases::ReleaseError;
use shopwright_ports::storage::StorageError;

use crate::config::ConfigError;
use crate::crypto::{SigningKeyError, UnusableKey};
use crate::engines::InvalidEngines;
use crate::private_postgres::PrivatePostgresError;

/// Why the program does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The API's address cannot be had.
    #[error("cannot listen on {address}: {source}; end what uses it, or set HTTP_ADDR to another address")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// The system's error.
        source: std::io::Error,
    },
    /// The database cannot be used.
    #[error("the database cannot be used: {0}; start it, or correct DATABASE_URL")]
    Database(#[source] StorageError),
    /// The role of a database that somebody else runs may do anything.
    #[error(
        "the role of {setting} is a superuser or bypasses row-level security: use one that owns the database and nothing else"
    )]
    Superuser {
        /// The setting with its URL.
        setting: &'static str,
    },
    /// The private database does not start.
    #[error(transparent)]
    PrivatePostgres(#[from] PrivatePostgresError),
    /// The key that seals secrets cannot be used.
    #[error("SHOPWRIGHT_SECRET_KEY cannot be used: {0}")]
    SecretKey(#[from] UnusableKey),
    /// The keys that sign tokens cannot be used.
    #[error(transparent)]
    SigningKeys(#[from] SigningKeyError),
    /// No client for the configured issuer.
    #[error("tokens of SHOPWRIGHT_OIDC_ISSUER cannot be checked: {0}")]
    Issuer(#[source] reqwest::Error),
    /// The cluster cannot be used as it is configured.
    #[error(transparent)]
    Cluster(#[from] ConnectError),
    /// Helm or its charts cannot be used.
    #[error("{0}; correct HELM_BIN or CHARTS_DIR")]
    Helm(#[from] ReleaseError),
    /// An engine's descriptor cannot be used.
    #[error("{0}\ncorrect them, or name another directory with CHARTS_DIR")]
    Engines(#[from] InvalidEngines),
    /// The client for storefront checks cannot be made.
    #[error("storefront checks cannot be made: {0}; install ca-certificates")]
    Storefront(#[source] reqwest::Error),
    /// The first administrator cannot be made.
    #[error("the first administrator cannot be made: {0}; choose another ADMIN_EMAIL")]
    Administrator(#[source] IdentityError),
    /// There is no chain of this organisation.
    #[error("there is no organisation {0}; leave --organisation out to look at all of them")]
    NoOrganisation(shopwright_domain::TenantId),
    /// The result cannot be written.
    #[error("the result cannot be written: {0}")]
    Output(#[source] std::io::Error),
    /// The server ended badly.
    #[error("the server ended: {0}")]
    Serve(#[source] std::io::Error),
}
