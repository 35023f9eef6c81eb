//! What answers say about who wanted to come in.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use actix_web::test::TestRequest;
use serde_json::json;
use shopwright_domain::Scope;
use shopwright_ports::identity_api::IdentityError;
use shopwright_ports::stores_api::{StorePage, StoreServiceError};
use shopwright_ports::telemetry::{Observer, SECURITY_EVENTS};

use super::*;
use crate::Api;
use crate::testing::{Bench, OWNER, STORE, TestApp, signed_in};

/// Notes security events.
#[derive(Default)]
struct Noted(Mutex<Vec<&'static str>>);

impl Observer for Noted {
    fn observe(&self, observation: Observation) {
        if let Observation::Security { event } = observation {
            self.0.lock().unwrap().push(event);
        }
    }
}

/// What is counted of the answer to `request`.
async fn counted(bench: Bench, request: TestRequest) -> Vec<&'static str> {
    let noted = Arc::new(Noted::default());
    let api = Api { telemetry: Telemetry::default().observed_by(noted.clone()), ..bench.api() };
    TestApp::of(api).await.send(request).await;
    let seen = noted.0.lock().unwrap();
    seen.clone()
}

fn login() -> TestRequest {
    let body = json!({"email": "ada@example.com", "password": "correct horse"});
    TestRequest::post().uri("/api/v1/auth/login").set_json(body)
}

fn register() -> TestRequest {
    let body = json!({"email": "ada@example.com", "username": "ada", "password": "correct horse"});
    TestRequest::post().uri("/api/v1/auth/register").set_json(body)
}

fn refresh() -> TestRequest {
    TestRequest::post().uri("/api/v1/auth/refresh")
}

fn stores() -> TestRequest {
    TestRequest::get().uri("/api/v1/stores")
}

/// A bench at whose door this happens.
fn at_login(outcome: Result<(), fn() -> IdentityError>) -> Bench {
    let mut bench = Bench::new();
    bench.identity.expect_login().return_once(move |_, _, _| outcome.map(|()| signed_in()).map_err(|error| error()));
    bench
}

fn at_registration(outcome: Result<(), fn() -> IdentityError>) -> Bench {
    let mut bench = Bench::new();
    let answer = move || outcome.map(|()| signed_in()).map_err(|error| error());
    bench.identity.expect_register().return_once(move |_, _, _, _, _| answer());
    bench
}

const fn until() -> jiff::Timestamp {
    jiff::Timestamp::UNIX_EPOCH
}

#[actix_web::test]
async fn every_security_event_is_counted_under_its_word() {
    let mut over = Bench::new();
    over.identity.expect_refresh().return_once(|_, _| Err(IdentityError::SessionOver));
    let mut foreign = Bench::new();
    foreign.stores.expect_get().return_once(|_, _| Err(StoreServiceError::Forbidden));
    let unknown = stores().insert_header(("authorization", "Bearer unknown"));
    let elsewhere = refresh()
        .insert_header(("cookie", "__Host-shopwright-refresh=swr_1"))
        .insert_header(("origin", "https://evil.example"))
        .insert_header(("sec-fetch-site", "cross-site"));
    let one_store = TestRequest::get().uri(&format!("/api/v1/stores/{STORE}"));
    let sessions = TestRequest::get().uri("/api/v1/auth/sessions");
    let cases = vec![
        ("registration", at_registration(Ok(())), register()),
        ("login_success", at_login(Ok(())), login()),
        ("login_failed", at_login(Err(|| IdentityError::InvalidCredentials)), login()),
        ("account_locked", at_login(Err(|| IdentityError::Locked { until: until() })), login()),
        ("login_rate_limited", at_login(Err(|| IdentityError::TooManyAttempts { until: until() })), login()),
        (
            "registration_rate_limited",
            at_registration(Err(|| IdentityError::TooManyRegistrations { until: until() })),
            register(),
        ),
        ("session_refused", over, refresh().set_json(json!({"refreshToken": "swr_1"}))),
        ("token_refused", Bench::new(), unknown),
        ("access_denied", foreign, OWNER.asks(one_store)),
        ("access_denied", Bench::new(), OWNER.asks_with(stores(), &[Scope::AccountRead])),
        ("access_denied", Bench::new(), OWNER.asks_with(sessions, &Scope::ALL)),
        ("cross_site_request", Bench::new(), elsewhere),
    ];
    let mut seen = BTreeSet::new();
    for (word, bench, request) in cases {
        assert_eq!(counted(bench, request).await, [word]);
        seen.insert(word);
    }

    assert_eq!(seen, SECURITY_EVENTS.iter().copied().collect());
}

#[actix_web::test]
async fn what_is_nothing_about_coming_in_is_not_counted_as_such() {
    let mut bench = Bench::new();
    bench.stores.expect_list().return_once(|_, _, _| Ok(StorePage { stores: vec![], total: 0, next: None }));

    assert_eq!(counted(bench, OWNER.asks(stores())).await, [""; 0]);
    assert_eq!(counted(Bench::new(), stores()).await, [""; 0], "nobody tried to be anybody");
    assert_eq!(counted(Bench::new(), login().set_json(json!({}))).await, [""; 0]);
}
