//! Numbers about requests, and about who wanted to come in.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use shopwright_ports::telemetry::SECURITY_EVENTS;

use super::labels::{Answer, Event, Route};

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// v1's buckets, in milliseconds.
const MILLIS: [f64; 11] = [5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1e3, 2.5e3, 5e3, 10e3];
/// OpenTelemetry's, in seconds, with one below: many answers take less than 5 ms.
const SECONDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// What is called that which no route has.
const UNMATCHED: &str = "unmatched";

#[derive(Debug)]
pub(super) struct RequestMetrics {
    total: Family<Answer, Counter>,
    millis: Histograms<Route>,
    seconds: Histograms<Route>,
    security: Family<Event, Counter>,
}

impl RequestMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            total: Family::default(),
            millis: Family::new_with_constructor(|| Histogram::new(MILLIS)),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            security: Family::default(),
        };
        registry.register("http_requests", "Requests answered", metrics.total.clone());
        registry.register("http_request_duration_ms", "Time to answer, in milliseconds", metrics.millis.clone());
        let help = "Time to answer, in seconds";
        registry.register("shopwright_http_request_duration_seconds", help, metrics.seconds.clone());
        registry.register("security_events", "Attempts to come in, and how they ended", metrics.security.clone());
        for (method, route, status_code) in shopwright_api_actix::routes() {
            let _ = metrics.total.get_or_create(&Answer { method, route, status_code });
            let _ = metrics.millis.get_or_create(&Route { method, route });
            let _ = metrics.seconds.get_or_create(&Route { method, route });
        }
        for event_type in SECURITY_EVENTS {
            let _ = metrics.security.get_or_create(&Event { event_type });
        }
        metrics
    }

    pub(super) fn answered(&self, method: &'static str, route: &'static str, status_code: u16, duration: Duration) {
        let route = if route.is_empty() { UNMATCHED } else { route };
        self.total.get_or_create(&Answer { method, route, status_code }).inc();
        let seconds = duration.as_secs_f64();
        self.millis.get_or_create(&Route { method, route }).observe(seconds * 1e3);
        self.seconds.get_or_create(&Route { method, route }).observe(seconds);
    }

    pub(super) fn security(&self, event_type: &'static str) {
        self.security.get_or_create(&Event { event_type }).inc();
    }
}
