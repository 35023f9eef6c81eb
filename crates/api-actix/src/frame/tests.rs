//! What every answer has, whatever the route.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use shopwright_domain::network::TrustedProxies;
use shopwright_domain::{TenantId, UserId};
use shopwright_ports::clock::Clock as _;
use shopwright_ports::gate_api::Payer;
use shopwright_ports::stores_api::StorePage;
use shopwright_ports::testing::ManualClock;

use crate::testing::{Bench, OWNER, Stalled, TestApp, view};
use crate::{Api, Cors, Dashboard, State};

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
                let name = name.as_str();
                let others = ["content-type", "x-request-id", "www-authenticate", "content-length", "etag", "vary"];
                !others.contains(&name) && !name.starts_with("ratelimit-")
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

/// RELIABILITY F26.
#[actix_web::test]
async fn a_request_waits_for_its_seat_and_not_for_ever() {
    let mut bench = Bench::new();
    bench.limits.concurrent = 1;
    bench.limits.queue_time = Duration::from_millis(20);
    bench.stores.expect_list().returning(|_, _, _| Ok(StorePage { stores: Vec::new(), total: 0, next: None }));
    let state = State::new(bench.api());
    let seat = state.seats.take().await.expect("nobody sits there");
    let app = TestApp::mounted(state).await;

    let refused = app.send(OWNER.asks(get("/api/v1/stores"))).await;
    assert_eq!((refused.status, refused.code(), refused.header("retry-after")), (503, "SERVICE_UNAVAILABLE", "5"));
    assert_eq!(app.send(get("/api/v1/stores")).await.status, 401, "whoever shows no token takes none");
    assert_eq!(app.send(OWNER.asks(get("/livez"))).await.status, 200);

    drop(seat);
    for _ in 0..2 {
        assert_eq!(app.send(OWNER.asks(get("/api/v1/stores"))).await.status, 200);
    }
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

#[actix_web::test]
async fn every_answer_says_what_is_left() {
    for (path, status) in [("/", 200), ("/livez", 200), ("/api/v1/nowhere", 404), ("/api/v1/stores", 401)] {
        let answer = Bench::new().send(get(path)).await;

        assert_eq!(answer.status, status);
        let shown = ["ratelimit-policy", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"];
        assert_eq!(shown.map(|name| answer.header(name)), ["10;w=60", "10", "5", "30"], "{path}");
    }
}

#[actix_web::test]
async fn who_pays_for_a_request() {
    let (address, everybody) = (Payer::Address("192.0.2.7".into()), Payer::Everybody);
    let owner = Payer::User { id: UserId::from_random(10), tenant_id: TenantId::from_random(10) };
    let unknown = || get("/api/v1/stores").insert_header(("authorization", "Bearer unknown"));
    for (request, payers) in [
        (get("/api/v1/stores"), vec![everybody.clone(), address.clone()]),
        (get("/api/v1/health/live"), vec![]),
        (get("/livez"), vec![]),
        (unknown(), vec![everybody.clone(), address.clone()]),
        // A token where none is needed pays for nothing.
        (OWNER.asks(get("/api/v1/openapi.json")), vec![everybody.clone(), address.clone()]),
        (OWNER.asks(get("/api/v1/stores")), vec![everybody.clone(), owner]),
    ] {
        let mut bench = Bench::new();
        bench.stores.expect_list().returning(|_, _, _| Ok(StorePage { stores: Vec::new(), total: 0, next: None }));
        let gate = bench.gate.clone();

        bench.send(request.peer_addr("192.0.2.7:4711".parse().unwrap())).await;

        assert_eq!(gate.admitted(), payers);
    }
}

#[actix_web::test]
async fn who_asks_too_much_is_429_with_the_true_rest() {
    let until = ManualClock::default().now() + jiff::SignedDuration::from_secs(17);
    let owner = Payer::User { id: UserId::from_random(10), tenant_id: TenantId::from_random(10) };
    let address = || Payer::Address("192.0.2.7".into());
    for (payer, request) in [
        (Payer::Everybody, OWNER.asks(get("/api/v1/stores"))),
        (address(), get("/api/v1/health")),
        // Somebody who tries tokens.
        (address(), get("/api/v1/stores").insert_header(("authorization", "Bearer unknown"))),
        (owner, OWNER.asks(get("/api/v1/stores"))),
    ] {
        let bench = Bench::new();
        bench.gate.shut(payer.clone(), until);

        let answer = bench.send(request.peer_addr("192.0.2.7:4711".parse().unwrap())).await;

        assert_eq!((answer.status, answer.code()), (429, "RATE_LIMIT_EXCEEDED"), "{payer:?}");
        assert_eq!((answer.header("retry-after"), answer.header("ratelimit-remaining")), ("17", "0"), "{payer:?}");
        assert_eq!(answer.body["requestId"], answer.header("x-request-id"));
    }
}

#[actix_web::test]
async fn neighbours_of_somebody_who_asks_too_much_are_let_in() {
    let mut bench = Bench::new();
    bench.stores.expect_list().returning(|_, _, _| Ok(StorePage { stores: Vec::new(), total: 0, next: None }));
    let until = ManualClock::default().now() + jiff::SignedDuration::from_hours(1);
    bench.gate.shut(Payer::Address("192.0.2.7".into()), until);

    let answer = bench.send(OWNER.asks(get("/api/v1/stores")).peer_addr("192.0.2.7:4711".parse().unwrap())).await;

    assert_eq!(answer.status, 200);
}

#[actix_web::test]
async fn probes_are_answered_however_much_is_asked() {
    let bench = Bench::new();
    let far = ManualClock::default().now() + jiff::SignedDuration::from_hours(1);
    bench.gate.shut(Payer::Everybody, far);
    bench.gate.shut(Payer::Address("192.0.2.7".into()), far);
    let app = bench.app().await;

    for path in ["/livez", "/api/v1/health/live"] {
        let answer = app.send(get(path).peer_addr("192.0.2.7:4711".parse().unwrap())).await;
        assert_eq!(answer.status, 200, "{path}");
    }
}

/// One page of the dashboard is a dozen files; whoever opened it must not be refused what it then asks for.
#[actix_web::test]
async fn the_dashboards_files_are_nobodys_expense() {
    let file = |name: &str| (name.to_owned(), std::borrow::Cow::Borrowed(b"text".as_slice()));
    let mut bench = Bench::new();
    bench.dashboard = Dashboard::new([file("index.html"), file("favicon.svg"), file("assets/index-0a1b.js")]);
    let far = ManualClock::default().now() + jiff::SignedDuration::from_hours(1);
    bench.gate.shut(Payer::Everybody, far);
    bench.gate.shut(Payer::Address("192.0.2.7".into()), far);
    let gate = bench.gate.clone();
    let app = bench.app().await;

    for path in ["/", "/stores", "/favicon.svg", "/assets/index-0a1b.js", "/docs"] {
        let request = get(path).insert_header(("accept", "text/html")).peer_addr("192.0.2.7:4711".parse().unwrap());
        assert!(matches!(app.send(request).await.status, 200..=399), "{path}");
    }
    assert_eq!(gate.admitted(), []);
}

/// API.md section 8 item 7: behind a proxy all clients shared one bucket; and nobody may choose their own.
#[actix_web::test]
async fn api_8_7_a_client_behind_our_proxy_has_an_address_of_its_own() {
    for (peer, expected) in [("10.0.0.1:80", "198.51.100.4"), ("203.0.113.9:80", "203.0.113.9")] {
        let mut bench = Bench::new();
        bench.proxies = TrustedProxies(vec!["10.0.0.0/8".parse().unwrap()]);
        let gate = bench.gate.clone();
        let request = get("/api/v1/nowhere")
            .append_header(("x-forwarded-for", "1.1.1.1"))
            .append_header(("x-forwarded-for", "198.51.100.4, 10.0.0.2"));

        bench.send(request.peer_addr(peer.parse().unwrap())).await;

        assert!(gate.admitted().contains(&Payer::Address(expected.into())), "{:?}", gate.admitted());
    }
}

#[actix_web::test]
async fn a_page_of_another_origin_reads_only_where_it_is_allowed() {
    let shop = "https://shop.example.com";
    let ask = async |cors: Cors, origin: &str| {
        let mut bench = Bench::new();
        bench.cors = cors;
        bench.send(get("/livez").insert_header(("origin", origin))).await
    };
    let listed = || Cors::Origins(vec![shop.to_owned()]);

    let allowed = ask(listed(), shop).await;
    assert_eq!(allowed.header("access-control-allow-origin"), shop);
    assert_eq!((allowed.header("access-control-allow-credentials"), allowed.header("vary")), ("true", "Origin"));
    assert!(allowed.header("access-control-expose-headers").contains("ETag"));
    let other = ask(listed(), "https://evil.example.com").await;
    assert_eq!((other.header("access-control-allow-origin"), other.header("vary")), ("", "Origin"));
    let everybody = ask(Cors::Everybody, "https://evil.example.com").await;
    assert_eq!(everybody.header("access-control-allow-origin"), "*");
    assert_eq!(everybody.header("access-control-allow-credentials"), "");
    assert_eq!(ask(Cors::None, shop).await.header("access-control-allow-origin"), "");
}

#[actix_web::test]
async fn a_preflight_is_answered_before_every_limit() {
    let mut bench = Bench::new();
    bench.cors = Cors::Origins(vec!["https://shop.example.com".to_owned()]);
    let gate = bench.gate.clone();
    let request = TestRequest::with_uri("/api/v1/stores")
        .method(Method::OPTIONS)
        .insert_header(("origin", "https://shop.example.com"))
        .insert_header(("access-control-request-method", "POST"));

    let answer = bench.send(request).await;

    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert!(answer.header("access-control-allow-headers").contains("Idempotency-Key"));
    assert_eq!(answer.header("access-control-allow-methods"), "GET, POST, PUT, PATCH, DELETE");
    assert_eq!(gate.admitted(), []);
}

#[actix_web::test]
async fn what_is_read_twice_and_did_not_change_has_no_body() {
    let mut bench = Bench::new();
    bench.stores.expect_list().returning(|_, _, _| Ok(StorePage { stores: vec![view(true)], total: 1, next: None }));
    let app = bench.app().await;
    let list = || OWNER.asks(get("/api/v1/stores"));

    let first = app.send(list()).await;
    let tag = first.header("etag").to_owned();
    let again = app.send(list().insert_header(("if-none-match", tag.as_str()))).await;
    let other = app.send(list().insert_header(("if-none-match", "W/\"0\""))).await;

    assert!(tag.starts_with("W/\""), "{tag}");
    assert_ne!(first.header("x-request-id"), again.header("x-request-id"));
    assert_eq!((again.status, again.text.as_str(), again.header("etag")), (304, "", tag.as_str()));
    assert_eq!((other.status, other.header("etag")), (200, tag.as_str()));
}

#[actix_web::test]
async fn browsers_are_told_to_keep_to_https_where_there_is_nothing_else() {
    for (https, header) in [(true, "max-age=31536000"), (false, "")] {
        let mut bench = Bench::new();
        bench.https = https;

        assert_eq!(bench.send(get("/livez")).await.header("strict-transport-security"), header);
    }
}
