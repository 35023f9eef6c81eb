//! The numbers of a running program, in the format of Prometheus.
//!
//! What happens is counted as it is observed ([`Recorder`]); what there is, stores and queue and breakers, is looked up when somebody asks
//! ([`RunningMetrics`]), so that nothing drifts. The names without a prefix are v1's, in v1's milliseconds; those with `shopwright_` say the
//! same and more in seconds and bytes. No label holds a store, a tenant or a path as a client spelt it.

mod classic;
mod engine;
mod labels;
mod process;
mod requests;
mod running;
mod state;

use prometheus_client::encoding::text;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use shopwright_domain::engine::EngineCatalogue;
use shopwright_ports::metrics_api::ExpositionFormat;
use shopwright_ports::telemetry::{Observation, Observer};

use engine::EngineMetrics;
use requests::RequestMetrics;
pub use running::RunningMetrics;
use state::StateMetrics;

/// Counts what happens.
#[derive(Debug)]
pub struct Recorder {
    registry: Registry,
    requests: RequestMetrics,
    engine: EngineMetrics,
    state: StateMetrics,
}

impl Recorder {
    /// Everything at zero, and everything there: a number that has not happened yet is no gap in a graph.
    pub fn new(engines: &EngineCatalogue) -> Self {
        let mut registry = Registry::default();
        let requests = RequestMetrics::register(&mut registry);
        let engine = EngineMetrics::register(&mut registry, engines);
        let state = StateMetrics::register(&mut registry, engines);
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("shopwright_build", "The version of this program", build);
        Self { registry, requests, engine, state }
    }

    /// All numbers as they are now.
    fn text(&self, format: ExpositionFormat) -> String {
        let mut open = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut open, &self.registry);
        match format {
            ExpositionFormat::OpenMetrics => open,
            ExpositionFormat::Text => classic::classic(&open),
        }
    }
}

impl Observer for Recorder {
    fn observe(&self, observation: Observation) {
        match observation {
            Observation::Request { method, route, status, duration } => {
                self.requests.answered(method, route, status, duration);
            }
            Observation::Security { event } => self.requests.security(event),
            Observation::Claimed { kind, waited, taken_over } => self.engine.claimed(kind, waited, taken_over),
            Observation::Step { engine, step, duration, error } => self.engine.step(&engine, step, duration, error),
            Observation::Operation { kind, engine, status, duration, failure } => {
                self.engine.ended((kind, &engine, status), duration, failure);
            }
            Observation::LeaseLost => self.engine.lease_lost(),
        }
    }
}

#[cfg(test)]
mod tests;
