//! What every answer has, whatever the route.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::test::TestRequest;

use crate::testing::{Bench, OWNER, Stalled, TestApp};
use crate::{Api, State};

fn get(uri: &str) -> TestRequest {
    TestRequest::get().uri(uri)
}

#[actix_web::test]
async fn paths_match_with_a_slash_at_the_end_and_in_any_case() {
    for path in ["/API/V1/Health/LIVE", "/api/v1/health/live/", "/LiveZ//"] {
        let answer = Bench::new().send(get(path)).await;

        assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"status":"alive"}"#), "{path}");
    }
}

#[actix_web::test]
async fn an_unknown_route_is_404_in_the_envelope_also_by_its_method() {
    for (method, path) in [
        (Method::GET, "/api/v1/nowhere"),
        (Method::GET, "/api/v1/storesque"),
        (Method::DELETE, "/api/v1/auth/login"),
        (Method::GET, "/api/v2/stores"),
        (Method::OPTIONS, "/%F0%9F%98%80"),
    ] {
        let answer = Bench::new().send(TestRequest::with_uri(path).method(method)).await;

        assert_eq!((answer.status, answer.code()), (404, "NOT_FOUND"), "{path}");
        assert_eq!(answer.body["requestId"], answer.header("x-request-id"));
    }
}

#[actix_web::test]
async fn under_stores_the_token_comes_before_the_404() {
    for path in ["/api/v1/stores/a/b/c", "/api/v1/Operations", "/api/v1/metrics"] {
        let put = || TestRequest::put().uri(path);

        assert_eq!(Bench::new().send(put()).await.status, 401, "{path}");
        assert_eq!(Bench::new().send(OWNER.asks(put())).await.status, 404, "{path}");
    }
}

#[actix_web::test]
async fn a_request_id_is_given_back_or_made() {
    let echoed = Bench::new().send(get("/livez").insert_header(("x-request-id", "order/42"))).await;
    let made = Bench::new().send(get("/livez")).await;

    assert_eq!(echoed.header("x-request-id"), "order/42");
    assert_eq!(made.header("x-request-id").len(), "req_".len() + 12);
    assert!(made.header("x-request-id").starts_with("req_"));
}

/// API.md section 8 item 8: v1 echoed any length and any content.
#[actix_web::test]
async fn api_8_8_a_request_id_without_bounds_is_not_echoed() {
    for id in ["x".repeat(129), "a b".into(), "\u{e4}".into(), String::new()] {
        let answer = Bench::new().send(get("/livez").insert_header(("x-request-id", id.as_bytes()))).await;

        assert!(answer.header("x-request-id").starts_with("req_"), "{id}");
    }
}

#[actix_web::test]
async fn every_answer_has_the_security_headers_of_plain_http() {
    for path in ["/", "/api/v1/nowhere", "/api/v1/stores"] {
        let answer = Bench::new().send(get(path)).await;

        let mut shown: Vec<String> = answer
            .headers
            .iter()
            .filter(|(name, _)| {
                !["content-type", "x-request-id", "www-authenticate", "content-length", "vary"].contains(&name.as_str())
            })
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        shown.sort();
        insta::allow_duplicates! { insta::assert_snapshot!(shown.join("\n"), @r#"
        cache-control: no-store
        content-security-policy: default-src 'self'; script-src 'self'; connect-src 'self'; font-src 'self'; base-uri 'self'; form-action 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; object-src 'none'; frame-ancestors 'none'; script-src-attr 'none'
        cross-origin-opener-policy: same-origin
        cross-origin-resource-policy: same-origin
        origin-agent-cluster: ?1
        referrer-policy: strict-origin-when-cross-origin
        x-content-type-options: nosniff
        x-dns-prefetch-control: off
        x-download-options: noopen
        x-frame-options: DENY
        x-permitted-cross-domain-policies: none
        x-xss-protection: 0
        "#); }
    }
}

#[actix_web::test]
async fn a_simulation_says_so_in_every_answer() {
    for (simulated, header) in [(true, "true"), (false, "")] {
        for path in ["/", "/api/v1/nowhere", "/api/v1/stores", "/livez"] {
            let mut bench = Bench::new();
            bench.simulated = simulated;

            assert_eq!(bench.send(get(path)).await.header("x-shopwright-simulated"), header, "{path}");
        }
    }
}

#[actix_web::test]
async fn problem_json_is_there_for_those_who_ask() {
    let answer = Bench::new().send(get("/api/v1/stores").insert_header(("accept", "application/problem+json"))).await;

    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!((&answer.body["status"], &answer.body["code"]), (&401.into(), &"UNAUTHORIZED".into()));
    assert_eq!(answer.body["requestId"], answer.header("x-request-id"));
    assert_eq!(answer.body["instance"], "/api/v1/stores");
}

/// API.md section 8 item 22: v1's timer answered while the handler went on, which then failed on its own answer.
#[actix_web::test]
async fn api_8_22_a_handler_that_takes_too_long_is_503_and_dropped() {
    let mut bench = Bench::new();
    bench.limits.handler_time = Duration::from_millis(20);
    let (stalled, gate) = Stalled::new();
    let app = TestApp::of(Api { health: Arc::new(stalled), ..bench.api() }).await;

    let answer = app.send(get("/api/v1/health")).await;

    assert_eq!((answer.status, answer.code()), (503, "REQUEST_TIMEOUT"));
    assert_ne!(answer.header("retry-after"), "");
    assert!(gate.everybody_left(), "the handler goes on behind the answer");
}

#[actix_web::test]
async fn while_draining_only_probes_are_answered() {
    let state = State::new(Bench::new().api());
    state.begin_draining();
    let app = TestApp::mounted(state).await;

    let turned_away = app.send(OWNER.asks(get("/api/v1/stores"))).await;

    assert_eq!((turned_away.status, turned_away.code()), (503, "SERVICE_UNAVAILABLE"));
    assert_eq!((turned_away.header("connection"), turned_away.header("retry-after")), ("close", "2"));
    assert_eq!(app.send(get("/livez")).await.status, 200);
    assert_eq!(app.send(get("/readyz")).await.body["status"], "not-ready");
}

#[actix_web::test]
async fn a_panic_is_one_failed_request_without_its_words() {
    let mut bench = Bench::new();
    bench.stores.expect_list().returning(|_, _, _| panic!("the secret"));

    let answer = bench.send(OWNER.asks(get("/api/v1/stores"))).await;

    assert_eq!((answer.status, answer.code()), (500, "INTERNAL_ERROR"));
    assert!(!answer.text.contains("secret"), "{}", answer.text);
}
