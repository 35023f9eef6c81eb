//! Where spans are sent: to the collector of the standard `OTEL_*` variables, by OTLP over HTTP, or nowhere.

use std::env;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};

/// How long the end of the program waits for a collector.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(3);

/// Spans cannot be sent to the collector that the environment names.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The exporter cannot be made.
    #[error("traces cannot be exported: {0}; check the OTEL_EXPORTER_OTLP_* variables, or unset them")]
    Exporter(#[from] ExporterBuildError),
    /// This program speaks HTTP to collectors.
    #[error(
        "traces cannot be exported by {0:?}: set OTEL_EXPORTER_OTLP_PROTOCOL to http/protobuf or http/json, and the port to 4318"
    )]
    Protocol(String),
}

/// A variable of OpenTelemetry's; empty counts as unset, as its specification says.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// Whether the environment names a collector and wants traces.
fn is_wanted() -> bool {
    let named = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
    let off = variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || variable("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none");
    !off && named.into_iter().any(|name| variable(name).is_some())
}

fn protocol() -> Result<Protocol, ExportError> {
    let named = variable("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL").or_else(|| variable("OTEL_EXPORTER_OTLP_PROTOCOL"));
    match named.as_deref() {
        None | Some("http/protobuf") => Ok(Protocol::HttpBinary),
        Some("http/json") => Ok(Protocol::HttpJson),
        Some(other) => Err(ExportError::Protocol(other.to_owned())),
    }
}

fn resource() -> Resource {
    let named = variable("OTEL_SERVICE_NAME").is_some()
        || variable("OTEL_RESOURCE_ATTRIBUTES").is_some_and(|attributes| attributes.contains("service.name="));
    let resource = Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    if named { resource.build() } else { resource.with_service_name("shopwright").build() }
}

/// Gives spans their ids, and sends them when somebody wants them. Without a collector none is recorded, which costs next to nothing.
pub(super) fn provider() -> Result<SdkTracerProvider, ExportError> {
    let builder = SdkTracerProvider::builder().with_resource(resource());
    if !is_wanted() {
        return Ok(builder.with_sampler(Sampler::AlwaysOff).build());
    }
    let exporter = SpanExporter::builder().with_http().with_protocol(protocol()?).build()?;
    Ok(builder.with_batch_exporter(exporter).build())
}
