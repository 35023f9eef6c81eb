//! `/metrics`: the numbers, for administrators and their scrapers; and the same on a listener of its own, for whoever can reach that.

use std::io;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;

use actix_web::http::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use actix_web::web::{self, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use futures::future::{Either, join, select};
use serde::Serialize;
use serde_json::json;
use shopwright_domain::breaker::BreakerState;
use shopwright_ports::metrics_api::{ExpositionFormat, MetricsService, MetricsSummary};
use utoipa::ToSchema;

use crate::auth::Authenticated;
use crate::iso::Iso;
use crate::openapi::doc::Doc;
use crate::origin::header;
use crate::problem::Problem;
use crate::{State, reply};

/// v1's words, with zeros for what only its runtime has.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MemoryUsage {
    rss: u64,
    heap_total: u64,
    heap_used: u64,
    external: u64,
    array_buffers: u64,
}

/// In microseconds.
#[derive(Serialize, ToSchema)]
struct CpuUsage {
    user: u64,
    system: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CircuitBreaker)]
struct BreakerBody {
    name: &'static str,
    state: &'static str,
    failure_count: u32,
    success_count: u32,
    failure_threshold: u32,
    reset_timeout_ms: u64,
    #[schema(required)]
    last_failure_time: Option<i64>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Body {
    uptime: u64,
    memory_usage: MemoryUsage,
    cpu_usage: CpuUsage,
    circuit_breakers: Vec<BreakerBody>,
    timestamp: Iso,
}

/// One breaker guards a cluster; v1 had one for helm and one for the rest, and its readers look for both.
fn breakers(summary: &MetricsSummary) -> Vec<BreakerBody> {
    let breaker = summary.breaker;
    let state = match breaker.state {
        BreakerState::Closed => "CLOSED",
        BreakerState::Open => "OPEN",
        BreakerState::HalfOpen => "HALF_OPEN",
    };
    let body = |name| BreakerBody {
        name,
        state,
        failure_count: breaker.failures,
        success_count: 0,
        failure_threshold: breaker.policy.threshold,
        reset_timeout_ms: u64::try_from(breaker.policy.pause.as_millis()).unwrap_or_default(),
        last_failure_time: summary.breaker_last_failure.map(jiff::Timestamp::as_millisecond),
    };
    ["helm", "kubernetes"].map(body).into()
}

impl Body {
    fn new(summary: &MetricsSummary, now: Iso) -> Self {
        let process = summary.process;
        let micros = |time: std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let rss = process.resident_bytes;
        Self {
            uptime: summary.uptime.as_secs(),
            memory_usage: MemoryUsage { rss, heap_total: 0, heap_used: 0, external: 0, array_buffers: 0 },
            cpu_usage: CpuUsage { user: micros(process.user), system: micros(process.system) },
            circuit_breakers: breakers(summary),
            timestamp: now,
        }
    }
}

pub(crate) fn text_doc() -> Doc {
    let example = "# TYPE http_requests_total counter\nhttp_requests_total{method=\"GET\",route=\"/livez\",status_code=\"200\"} 3\n";
    Doc::text(200, "text/plain", "The numbers, for Prometheus; also as OpenMetrics. For administrators", example)
}

pub(crate) fn json_doc() -> Doc {
    let breaker = |name: &str| {
        json!({
            "name": name, "state": "CLOSED", "failureCount": 0, "successCount": 0, "failureThreshold": 5, "resetTimeoutMs": 30000,
            "lastFailureTime": null,
        })
    };
    let example = json!({
        "uptime": 8, "memoryUsage": {"rss": 41_943_040, "heapTotal": 0, "heapUsed": 0, "external": 0, "arrayBuffers": 0},
        "cpuUsage": {"user": 120_000, "system": 40_000}, "circuitBreakers": [breaker("helm"), breaker("kubernetes")],
        "timestamp": "2026-11-23T00:14:17.473Z",
    });
    Doc::answers::<Body>(200, "A few of the numbers, in v1's words. For administrators", example)
}

/// `OpenMetrics` is for those who ask for it by name.
fn wanted(headers: &HeaderMap) -> ExpositionFormat {
    let accept = header(headers, ACCEPT.as_str()).unwrap_or_default();
    if accept.contains("application/openmetrics-text") { ExpositionFormat::OpenMetrics } else { ExpositionFormat::Text }
}

async fn exposition(metrics: &dyn MetricsService, headers: &HeaderMap) -> HttpResponse {
    let format = wanted(headers);
    let kind = match format {
        ExpositionFormat::Text => "text/plain; version=0.0.4; charset=utf-8",
        ExpositionFormat::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
    };
    HttpResponse::Ok().insert_header((CONTENT_TYPE, kind)).body(metrics.exposition(format).await)
}

/// `GET /metrics`.
pub(crate) async fn text(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    auth.as_administrator()?;
    Ok(exposition(state.api.metrics.as_ref(), request.headers()).await)
}

/// `GET /metrics/json`.
pub(crate) async fn summary(auth: Authenticated, state: Data<State>) -> Result<HttpResponse, Problem> {
    auth.as_administrator()?;
    let summary = state.api.metrics.summary();
    Ok(reply::ok(&auth.context.origin, Body::new(&summary, Iso(state.api.clock.now()))))
}

/// Serves `/metrics` alone, to anybody who can reach `listener`, until `shutdown` completes.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve_metrics(
    listener: TcpListener,
    metrics: Arc<dyn MetricsService>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let handler = async |metrics: Data<dyn MetricsService>, request: HttpRequest| {
        exposition(metrics.as_ref(), request.headers()).await
    };
    let app = move || App::new().app_data(Data::from(Arc::clone(&metrics))).route("/metrics", web::get().to(handler));
    let server = HttpServer::new(app).workers(1).disable_signals().max_connections(32).shutdown_timeout(1);
    let server = server.listen(listener)?.run();
    let handle = server.handle();
    match select(server, pin!(shutdown)).await {
        Either::Left((result, _)) => result,
        Either::Right(((), server)) => join(server, handle.stop(true)).await.0,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix_web::test::TestRequest;
    use jiff::Timestamp;
    use shopwright_domain::breaker::{Breaker, BreakerPolicy};
    use shopwright_ports::metrics_api::ProcessUsage;

    use super::*;
    use crate::testing::{ADMIN, Bench, OWNER};

    fn bench() -> Bench {
        let mut bench = Bench::new();
        bench.metrics.expect_exposition().returning(|format| format!("{format:?}"));
        bench.metrics.expect_summary().returning(|| MetricsSummary {
            uptime: Duration::from_millis(8_900),
            process: ProcessUsage { resident_bytes: 1024, user: Duration::from_millis(5), ..ProcessUsage::default() },
            breaker: Breaker::new(BreakerPolicy::default()).snapshot(),
            breaker_last_failure: Some(Timestamp::UNIX_EPOCH),
        });
        bench
    }

    #[actix_web::test]
    async fn numbers_are_for_administrators() {
        for path in ["/api/v1/metrics", "/api/v1/metrics/json"] {
            let tenant = bench().send(OWNER.asks(TestRequest::get().uri(path))).await;
            assert_eq!((tenant.status, tenant.code()), (403, "FORBIDDEN"), "{path}");

            let admin = bench().send(ADMIN.asks(TestRequest::get().uri(path))).await;
            assert_eq!(admin.status, 200, "{path}");
        }
    }

    #[actix_web::test]
    async fn the_format_is_the_one_that_was_asked_for() {
        let plain = bench().send(ADMIN.asks(TestRequest::get().uri("/api/v1/metrics"))).await;
        assert_eq!(plain.text, "Text");
        assert_eq!(plain.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");

        let accept = ("accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5");
        let open = bench().send(ADMIN.asks(TestRequest::get().uri("/api/v1/metrics").insert_header(accept))).await;
        assert_eq!(open.text, "OpenMetrics");
    }

    #[actix_web::test]
    async fn v1_finds_both_of_its_breakers() {
        let answer = bench().send(ADMIN.asks(TestRequest::get().uri("/api/v1/metrics/json"))).await;

        let breaker = json!({
            "name": "helm", "state": "CLOSED", "failureCount": 0, "successCount": 0, "failureThreshold": 5, "resetTimeoutMs": 30000,
            "lastFailureTime": 0,
        });
        assert_eq!(answer.body["circuitBreakers"][0], breaker);
        assert_eq!(answer.body["circuitBreakers"][1]["name"], "kubernetes");
        assert_eq!((&answer.body["uptime"], &answer.body["cpuUsage"]["user"]), (&json!(8), &json!(5000)));
    }
}
