//! Creating: what becomes of a request, and how each bad one is named.

use std::pin::Pin;
use std::time::Duration;

use actix_web::test::TestRequest;
use jiff::SignedDuration;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use shopwright_domain::StoreId;
use shopwright_domain::store::StoreState;
use shopwright_ports::clock::Clock;
use shopwright_ports::storage::StorageError;
use shopwright_ports::stores_api::{Accepted, StoreServiceError};
use shopwright_ports::testing::{ManualClock, engines};

use super::*;
use crate::testing::{Answer, Bench, OPERATION, OWNER, STORE, operation, ready_store};

fn post() -> TestRequest {
    OWNER.asks(TestRequest::post().uri("/api/v1/stores"))
}

fn requested() -> Accepted {
    let mut store = ready_store();
    store.state = StoreState::Requested;
    Accepted { store, operation: Some(operation()), is_owner: true }
}

/// What actix hands on when a body comes from a connection.
type BoxedPayloadStream =
    Pin<Box<dyn futures::Stream<Item = Result<actix_web::web::Bytes, actix_web::error::PayloadError>>>>;

async fn refused(body: Value) -> Answer {
    let answer = Bench::new().send(post().set_json(body)).await;
    assert_eq!((answer.status, answer.code()), (400, "VALIDATION_ERROR"), "{}", answer.text);
    answer
}

async fn failing(error: StoreServiceError) -> Answer {
    let mut bench = Bench::new();
    bench.stores.expect_create().return_once(|_, _| Err(error));
    bench.send(post().set_json(json!({"name": "teashop", "engine": "medusa"}))).await
}

#[actix_web::test]
async fn a_store_is_accepted_with_the_way_to_its_operation() {
    let mut bench = Bench::new();
    bench.stores.expect_create().once().returning(|context, command| {
        assert_eq!(context.actor.email.as_str(), "owner@example.com");
        assert_eq!(context.origin.ip_address.as_deref(), Some("192.0.2.7"));
        assert_eq!(
            context.origin.traceparent.as_deref(),
            Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        );
        assert_eq!(
            (command.name.as_str(), command.engine.clone(), command.theme.clone()),
            ("teashop", engines::woocommerce(), Some(engines::astra()))
        );
        assert_eq!(
            command.password.map(|password| password.expose_secret().to_owned()).as_deref(),
            Some("correct, horse=1")
        );
        Ok(requested())
    });
    let body = json!({"name": "teashop", "engine": "woocommerce", "theme": "astra", "password": "correct, horse=1", "ownerId": "x"});
    let request = post()
        .set_json(body)
        .peer_addr("[::ffff:192.0.2.7]:50000".parse().unwrap())
        .insert_header(("x-forwarded-for", "203.0.113.9"))
        .insert_header(("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));

    let answer = bench.send(request).await;

    assert_eq!(answer.status, 202);
    assert_eq!(answer.header("location"), format!("/api/v1/operations/{OPERATION}"));
    assert_eq!(answer.header("retry-after"), "2");
    assert_eq!((&answer.body["store"]["id"], &answer.body["store"]["status"]), (&json!(STORE), &json!("requested")));
    assert_eq!(answer.body["store"]["operation"]["id"], OPERATION);
    assert_eq!(answer.body["store"]["adminCredentials"], json!({}));
}

#[actix_web::test]
async fn each_bad_field_is_named_with_its_rule() {
    for (body, kinds) in [
        (json!({}), vec![("name", "any.required"), ("engine", "any.required")]),
        (json!({"name": "", "engine": ""}), vec![("name", "string.empty"), ("engine", "any.only")]),
        (json!({"name": 5, "engine": null}), vec![("name", "string.base"), ("engine", "string.base")]),
        (json!({"name": "te", "engine": "magento"}), vec![("name", "string.min"), ("engine", "any.only")]),
        (json!({"name": "x".repeat(64), "engine": "medusa"}), vec![("name", "string.max")]),
        (json!({"name": "Tea", "engine": "medusa"}), vec![("name", "string.pattern.base")]),
        (json!({"name": "tea--shop", "engine": "medusa"}), vec![("name", "string.pattern.base")]),
        (json!({"name": "admin", "engine": "medusa"}), vec![("name", "any.invalid")]),
        (json!({"name": "adm1n", "engine": "medusa"}), vec![("name", "any.invalid")]),
        (json!({"name": "my-shit-shop", "engine": "medusa"}), vec![("name", "any.custom")]),
        (json!({"name": "teashop", "engine": "medusa", "theme": ""}), vec![("theme", "any.unknown")]),
        (json!({"name": "teashop", "engine": "medusa", "theme": "astra"}), vec![("theme", "any.unknown")]),
        (json!({"name": "teashop", "engine": "woocommerce", "theme": "dark"}), vec![("theme", "any.only")]),
        (json!({"name": "teashop", "engine": "medusa", "password": ""}), vec![("password", "string.empty")]),
        (json!({"name": "teashop", "engine": "medusa", "password": null}), vec![("password", "string.base")]),
        (json!({"name": "teashop", "engine": "medusa", "password": "1234567"}), vec![("password", "string.min")]),
        (json!({"name": "teashop", "engine": "medusa", "tenantId": "x"}), vec![("tenantId", "any.unknown")]),
    ] {
        let answer = refused(body.clone()).await;

        let kinds: Vec<(String, String)> =
            kinds.into_iter().map(|(key, kind)| (key.to_owned(), kind.to_owned())).collect();
        assert_eq!(answer.kinds(), kinds, "{body}");
    }
}

/// API.md section 8 item 25: v1 refused harmless names with an empty reason.
#[actix_web::test]
async fn api_8_25_a_blocked_name_says_why() {
    let answer = refused(json!({"name": "my-shit-shop", "engine": "medusa"})).await;

    assert_eq!(answer.body["error"]["message"], "name must not hold the word `shit`");
}

/// API.md section 1: v1 answered 500 to both.
#[actix_web::test]
async fn api_1_malformed_json_is_400_and_an_oversize_body_413() {
    let json = || post().insert_header(("content-type", "application/json; charset=utf-8"));

    let malformed = Bench::new().send(json().set_payload("{\"name\": \"teashop\",}")).await;
    let oversize = Bench::new().send(json().set_payload(vec![b' '; 256 * 1024 + 1])).await;
    let largest = Bench::new().send(json().set_payload(vec![b' '; 256 * 1024])).await;

    assert_eq!((malformed.status, malformed.code()), (400, "INVALID_JSON"));
    assert_eq!(malformed.body["error"]["metadata"], json!({"line": 1, "column": 20}));
    assert_eq!((oversize.status, oversize.code()), (413, "PAYLOAD_TOO_LARGE"));
    assert_eq!(oversize.header("connection"), "close");
    assert_eq!((largest.status, largest.code()), (400, "VALIDATION_ERROR"));
}

#[actix_web::test]
async fn an_encoded_body_is_not_unpacked() {
    let request = post().insert_header(("content-encoding", "gzip")).set_json(json!({}));

    assert_eq!(Bench::new().send(request).await.status, 415);
}

#[actix_web::test]
async fn a_cooldown_tells_the_true_rest() {
    let until = ManualClock::default().now() + SignedDuration::from_secs(17);

    let answer = failing(StoreServiceError::Cooldown { until }).await;

    assert_eq!((answer.status, answer.code()), (429, "CREATION_COOLDOWN"));
    assert_eq!((answer.header("retry-after"), &answer.body["error"]["retryAfterSeconds"]), ("17", &json!(17)));
}

#[actix_web::test]
async fn a_used_up_quota_says_how_much_and_not_when() {
    let answer = failing(StoreServiceError::QuotaUsedUp { held: 5, limit: 5 }).await;

    assert_eq!((answer.status, answer.code()), (429, "STORE_LIMIT_EXCEEDED"));
    assert_eq!(answer.body["error"]["metadata"], json!({"held": 5, "limit": 5}));
    assert_eq!((answer.header("retry-after"), &answer.body["error"]["retryable"]), ("", &json!(false)));
}

/// API.md section 8 items 16 and 18: in v1 a name in use was 500.
#[actix_web::test]
async fn api_8_18_a_name_in_use_is_a_conflict_that_names_the_store() {
    let store_id: StoreId = STORE.parse().unwrap();

    let answer =
        failing(StoreServiceError::NameInUse { name: "teashop".parse().unwrap(), store_id, state: StoreState::Ready })
            .await;

    assert_eq!((answer.status, answer.code()), (409, "CONFLICT"));
    assert_eq!(answer.body["error"]["metadata"], json!({"storeId": STORE, "status": "ready"}));
}

#[actix_web::test]
async fn a_fault_of_the_database_is_named_by_what_to_do() {
    let unavailable = StorageError::Unavailable { detail: "connect to db:5432".into(), source: None };
    let internal = StorageError::Internal { detail: "INSERT INTO stores".into(), source: None };

    let later = failing(StoreServiceError::Storage(unavailable)).await;
    let broken = failing(StoreServiceError::Storage(internal)).await;

    assert_eq!((later.status, later.code(), later.header("retry-after")), (503, "SERVICE_UNAVAILABLE", "2"));
    assert_eq!((broken.status, broken.code()), (500, "INTERNAL_ERROR"));
    assert!(!later.text.contains("5432") && !broken.text.contains("INSERT"));
}

#[actix_web::test]
async fn a_body_that_does_not_come_is_408() {
    let limits = crate::Limits { body_time: Duration::from_millis(20), ..crate::Limits::default() };
    let request = post().insert_header(("content-type", "application/json")).to_http_request();
    let never: BoxedPayloadStream = Box::pin(futures::stream::pending());
    let mut payload = actix_web::dev::Payload::Stream { payload: never };
    let payload = <Payload as actix_web::FromRequest>::from_request(&request, &mut payload).await.unwrap();

    let problem = body::form(&request, payload, &limits).await.err().unwrap();

    assert_eq!((problem.row.status.as_u16(), problem.row.code), (408, "REQUEST_TIMEOUT"));
}
