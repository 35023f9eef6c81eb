//! Log lines: JSON objects for machines, text for people, to standard error. `RUST_LOG` filters them.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;

/// What is logged unless `RUST_LOG` says otherwise. The Kubernetes driver would write a line for every request that fails, for as long as
/// an outage lasts; what matters of it this program says itself, once.
const USUAL: &str = "info,sqlx=warn,actix_server=warn,kube_client=off,kube_runtime=off";

/// Begins to log. A second call changes nothing.
pub fn init_logs(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(USUAL));
    let registry = tracing_subscriber::registry().with(filter);
    let lines =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    // Somebody who embeds the program may log already.
    let _ = match format {
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
        LogFormat::Text => registry.with(lines).try_init(),
    };
}
