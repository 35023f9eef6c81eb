//! Which adapter stands behind which port: the one place that knows them all.

mod audit;
mod identity;
mod keys;
mod platform;
mod prepare;
mod serve;
mod simulated_platform;
mod start_error;

pub use audit::{export_audit, verify_audit};
pub use keys::rotate_keys;
pub use platform::Platform;
pub use prepare::{prepare_cluster, write_kubeconfig};
pub use serve::{migrate, serve};
pub use start_error::StartError;

pub use crate::telemetry::init_logs;
