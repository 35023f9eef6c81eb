//! `/health`: how the process and what it stands on are doing. Liveness asks nobody; readiness asks the database.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::json;
use shopwright_ports::health_api::{Check, ClusterCondition, Health};

use crate::iso::Iso;
use crate::openapi::doc::Doc;
use crate::openapi::examples;
use crate::openapi::fields::{optional, text};
use crate::{State, origin, query, reply};
use utoipa::ToSchema;

/// The paths that also answer while the server drains: whoever asks here must see the drain itself.
pub(crate) const PROBES: &[&str] = &["/livez", "/readyz", "/api/v1/health/live", "/api/v1/health/ready"];

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct HealthBody {
    status: &'static str,
    timestamp: Iso,
    uptime: u64,
    checks: Checks,
    concurrency: Concurrency,
    simulated: bool,
}

#[derive(Serialize, ToSchema)]
struct Checks {
    database: CheckBody,
    kubernetes: ClusterBody,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ClusterBody {
    #[serde(flatten)]
    check: CheckBody,
    breaker: &'static str,
    fence: &'static str,
    unknown_namespaces: usize,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CheckBody {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    latency_ms: u64,
}

/// v1's numbers. The queue is a table now: it has no bound, refuses nobody and forgets nothing.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Concurrency {
    active: usize,
    max_concurrent: usize,
    active_operations: usize,
    #[schema(required)]
    queued: Option<u64>,
    #[schema(required)]
    max_queue_size: Option<u64>,
    #[schema(required)]
    total_acquired: Option<u64>,
    total_rejected: u64,
    total_timed_out: u64,
}

#[derive(Serialize, ToSchema)]
struct Alive {
    status: &'static str,
}

#[derive(Serialize, ToSchema)]
struct Readiness {
    status: &'static str,
    ready: bool,
    timestamp: Iso,
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<ReadyChecks>,
}

/// What readiness stands on, for `?verbose`. A cluster is no part of it: an apiserver that is away must not take the API with it.
#[derive(Serialize, ToSchema)]
struct ReadyChecks {
    database: bool,
    draining: bool,
}

impl From<Check> for CheckBody {
    fn from(check: Check) -> Self {
        let latency_ms = u64::try_from(check.latency.as_millis()).unwrap_or(u64::MAX);
        Self { status: if check.healthy { "healthy" } else { "unhealthy" }, message: check.message, latency_ms }
    }
}

impl ClusterBody {
    fn new(check: Check, condition: ClusterCondition) -> Self {
        Self {
            check: check.into(),
            breaker: condition.breaker.as_str(),
            fence: condition.fence.as_str(),
            unknown_namespaces: condition.unknown_namespaces,
        }
    }
}

impl HealthBody {
    fn new(health: Health, now: Iso) -> Self {
        let healthy = health.database.healthy && health.kubernetes.healthy;
        Self {
            status: if healthy { "healthy" } else { "degraded" },
            timestamp: now,
            uptime: health.uptime.as_secs(),
            checks: Checks {
                database: health.database.into(),
                kubernetes: ClusterBody::new(health.kubernetes, health.cluster),
            },
            concurrency: Concurrency {
                active: health.active_operations,
                max_concurrent: health.max_operations,
                active_operations: health.active_operations,
                queued: None,
                max_queue_size: None,
                total_acquired: None,
                total_rejected: 0,
                total_timed_out: 0,
            },
            simulated: health.simulated,
        }
    }
}

pub(crate) fn health_doc() -> Doc {
    Doc::answers::<HealthBody>(
        200,
        "How the process and what it stands on are doing; 200 also when degraded",
        examples::health(),
    )
}

pub(crate) fn live_doc() -> Doc {
    Doc::bare::<Alive>(200, "The process answers", json!({"status": "alive"}))
}

pub(crate) fn ready_doc() -> Doc {
    let doc = Doc::bare::<Readiness>(200, "Whether requests should be sent here", examples::ready());
    let doc = doc.query([optional("verbose", text(), "With what it stands on; no value is needed")]);
    doc.or_bare::<Readiness>(503, "Not now", examples::not_ready())
}

/// 200 also when degraded: a dashboard must be able to read the body.
pub(crate) async fn health(state: Data<State>, origin: origin::From) -> HttpResponse {
    let health = state.api.health.health().await;
    reply::ok(&origin.0, HealthBody::new(health, Iso(state.api.clock.now())))
}

/// The process answers: that is all it says.
pub(crate) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Alive { status: "alive" })
}

/// Whether requests should be sent here.
pub(crate) async fn ready(state: Data<State>, request: HttpRequest) -> HttpResponse {
    let timestamp = Iso(state.api.clock.now());
    let verbose = query::fields(request.query_string().as_bytes()).contains_key("verbose");
    let draining = state.is_draining();
    // While it drains the answer is known: the database is asked only by whoever wants to know about it.
    let database = if draining && !verbose { false } else { state.api.health.ready().await };
    let checks = verbose.then_some(ReadyChecks { database, draining });
    if database && !draining {
        HttpResponse::Ok().json(Readiness { status: "ready", ready: true, timestamp, checks })
    } else {
        HttpResponse::ServiceUnavailable().json(Readiness { status: "not-ready", ready: false, timestamp, checks })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix_web::test::TestRequest;
    use shopwright_domain::breaker::BreakerState;
    use shopwright_ports::health_api::FenceCondition;

    use super::*;
    use crate::testing::Bench;

    fn check(message: Option<&str>) -> Check {
        Check { healthy: message.is_none(), message: message.map(str::to_owned), latency: Duration::from_millis(2) }
    }

    fn health_with(kubernetes: Check) -> Health {
        Health {
            database: check(None),
            kubernetes,
            cluster: ClusterCondition {
                breaker: BreakerState::HalfOpen,
                fence: FenceCondition::Open,
                unknown_namespaces: 2,
            },
            active_operations: 1,
            max_operations: 4,
            uptime: Duration::from_millis(8_900),
            simulated: false,
        }
    }

    /// API.md section 6: on v1's 503 the dashboard lost the body.
    #[actix_web::test]
    async fn api_6_degraded_health_is_200_and_names_the_check() {
        let mut bench = Bench::new();
        bench.health.expect_health().returning(|| health_with(check(Some("no answer within 3 s"))));

        let answer = bench.send(TestRequest::get().uri("/api/v1/health")).await;

        assert_eq!(answer.status, 200);
        assert_eq!(answer.body["status"], "degraded");
        assert_eq!(answer.body["uptime"], 8);
        assert_eq!(
            answer.body["checks"],
            json!({
                "database": {"status": "healthy", "latencyMs": 2},
                "kubernetes": {
                    "status": "unhealthy", "message": "no answer within 3 s", "latencyMs": 2,
                    "breaker": "half-open", "fence": "open", "unknownNamespaces": 2,
                },
            })
        );
        assert_eq!(answer.body["concurrency"]["maxConcurrent"], 4);
    }

    #[actix_web::test]
    async fn liveness_asks_nobody() {
        for path in ["/livez", "/api/v1/health/live"] {
            let answer = Bench::new().send(TestRequest::get().uri(path)).await;

            assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"status":"alive"}"#));
        }
    }

    #[actix_web::test]
    async fn readiness_says_on_request_what_it_stands_on() {
        for (ready, status) in [(true, 200), (false, 503)] {
            let mut bench = Bench::new();
            bench.health.expect_ready().returning(move || ready);

            let answer = bench.send(TestRequest::get().uri("/readyz?verbose")).await;

            assert_eq!((answer.status, &answer.body["checks"]["database"]), (status, &json!(ready)));
            assert_eq!(answer.body["checks"]["draining"], false);
        }
    }

    #[actix_web::test]
    async fn readiness_is_503_until_the_database_answers() {
        for (path, ready, status, word) in [
            ("/readyz", true, 200, "ready"),
            ("/readyz", false, 503, "not-ready"),
            ("/api/v1/health/ready", false, 503, "not-ready"),
        ] {
            let mut bench = Bench::new();
            bench.health.expect_ready().returning(move || ready);

            let answer = bench.send(TestRequest::get().uri(path)).await;

            assert_eq!(answer.status, status);
            assert_eq!(answer.body, json!({"status": word, "ready": ready, "timestamp": "2026-01-01T00:00:00.000Z"}));
        }
    }
}
