//! Log lines and traces of the program.
//!
//! Lines go to standard error, filtered by `RUST_LOG`; every line under a request or an operation says whose it is. Spans go to an
//! OpenTelemetry collector when the standard `OTEL_*` variables name one; without one they still have ids, so that lines, audit rows and
//! answers can be tied together.

mod export;
mod lines;
mod traces;

use std::io::IsTerminal;
use std::sync::Arc;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use shopwright_ports::telemetry::Traces;
use tracing::Metadata;
use tracing_subscriber::filter::{DynFilterFn, EnvFilter, FilterExt, dynamic_filter_fn, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

pub use export::ExportError;
pub use lines::Lines;
pub use traces::OtelTraces;

use crate::config::LogFormat;

/// What is logged unless `RUST_LOG` says otherwise. The Kubernetes driver would write a line for every request that fails, for as long as
/// an outage lasts; what matters of it this program says itself, once.
const USUAL: &str = "info,sqlx=warn,actix_server=warn,kube_client=off,kube_runtime=off,opentelemetry=warn";

/// Our own spans: they name the request of every line, however few lines are wanted, and they alone are traced.
fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target().starts_with("shopwright")
}

fn lines(format: LogFormat) -> Lines<fn() -> std::io::Stderr> {
    Lines::new(format, std::io::stderr().is_terminal(), std::io::stderr)
}

fn wanted() -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(USUAL))
}

/// Lets everything pass, and is asked about each line and each span.
///
/// Whoever only asks whether a line would be wanted, as sqlx does before every statement, leaves the answer with its thread; what is
/// wanted always is not asked about again, and would take that answer for its own: the line or span would be lost (tokio-rs/tracing#2519).
fn each_time<S>() -> DynFilterFn<S> {
    dynamic_filter_fn(|_, _| true)
}

/// Begins to log, without traces: for commands that are soon over. A second call changes nothing.
pub fn init_logs(format: LogFormat) {
    // Somebody who embeds the program may log already.
    let _ = tracing_subscriber::registry().with(lines(format).with_filter(wanted().and(each_time()))).try_init();
}

/// The tracing of a running server. [`Tracing::end`] sends what is left.
#[derive(Debug)]
pub struct Tracing {
    provider: SdkTracerProvider,
}

impl Tracing {
    /// Begins to log and to trace.
    ///
    /// # Errors
    /// When the `OTEL_*` variables name a collector that spans cannot be sent to.
    pub fn begin(format: LogFormat) -> Result<Self, ExportError> {
        let provider = export::provider()?;
        let spans = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("shopwright"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(false)
            .with_tracked_inactivity(false)
            .with_error_events_to_exceptions(false)
            .with_error_fields_to_exceptions(false)
            .with_filter(filter_fn(is_ours));
        let lines = lines(format).with_filter(wanted().or(filter_fn(is_ours)).and(each_time()));
        let _ = tracing_subscriber::registry().with(spans).with(lines).try_init();
        Ok(Self { provider })
    }

    /// The port by which requests and operations are tied together.
    pub fn traces(&self) -> Arc<dyn Traces> {
        Arc::new(OtelTraces::default())
    }

    /// Sends what is left; waits a few seconds at most.
    pub async fn end(self) {
        let sent = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(export::LAST_WORDS)).await;
        if let Ok(Err(error)) = sent {
            tracing::debug!(%error, "the last spans were not sent");
        }
    }
}
