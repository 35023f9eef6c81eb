//! The sections of the configuration, each with its type and how it is read.

mod cluster;
mod database;
mod identity;
mod log_format;
mod requests;
mod stores;
mod worker;

pub use cluster::ClusterConfig;
pub(super) use cluster::cluster;
pub use database::{DatabaseConfig, ExternalDatabase};
pub(super) use database::{database, external_database};
pub(super) use identity::identity;
pub use identity::{AdminAccount, IdentityConfig};
pub use log_format::LogFormat;
pub use requests::RequestsConfig;
pub(super) use requests::requests;
pub(super) use stores::stores;
pub use stores::{Profile, Scheme, StoresConfig};
pub use worker::{LimitsConfig, WorkerConfig};
pub(super) use worker::{limits, worker};
