//! What a key is good for, route by route.

use actix_web::test::TestRequest;
use serde_json::{Value, json};
use shopwright_domain::RequestId;
use shopwright_domain::store::StoreState;
use shopwright_ports::gate_api::Gate as _;
use shopwright_ports::identity_api::Origin;
use shopwright_ports::organisations_api::OrganisationError;
use shopwright_ports::stores_api::{Accepted, AdminCredentials, RequestContext, StoreServiceError};

use super::*;
use crate::routes::ROUTES;
use crate::testing::{
    Answer, Bench, OPERATION, OWNER, STORE, STRANGER, TestApp, operation, own_organisation, ready_store,
};

fn create(body: &Value) -> TestRequest {
    OWNER.asks(TestRequest::post().uri("/api/v1/stores")).insert_header((HEADER, "order-1")).set_json(body)
}

fn teashop() -> Value {
    json!({"name": "teashop", "engine": "medusa"})
}

fn requested() -> Accepted {
    let mut store = ready_store();
    store.state = StoreState::Requested;
    Accepted { store, operation: Some(operation()), is_owner: true }
}

/// A bench whose service makes one store and no second one.
async fn once() -> TestApp {
    let mut bench = Bench::new();
    bench.stores.expect_create().times(1).returning(|context, _| {
        let promise = context.promise.clone().unwrap();
        assert_eq!((promise.route.as_str(), promise.key.as_str()), ("POST /stores", "order-1"));
        Ok(requested())
    });
    bench.app().await
}

fn same(first: &Answer, again: &Answer) {
    assert_eq!((first.status, &first.text), (again.status, &again.text));
    for name in ["location", "content-type", "retry-after"] {
        assert_eq!(first.header(name), again.header(name), "{name}");
    }
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
}

#[actix_web::test]
async fn the_same_request_under_the_same_key_gets_the_same_answer() {
    let app = once().await;

    let first = app.send(create(&teashop())).await;
    let again = app.send(create(&json!({"engine": "medusa", "name": "teashop"}))).await;

    assert_eq!(first.status, 202);
    same(&first, &again);
    assert_ne!(again.header("x-request-id"), first.header("x-request-id"), "it is another request");
}

#[actix_web::test]
async fn another_request_under_the_same_key_is_422() {
    let app = once().await;
    app.send(create(&teashop())).await;

    for other in
        [json!({"name": "teashop", "engine": "woocommerce"}), json!({}), json!({"name": "tea", "engine": "medusa"})]
    {
        let answer = app.send(create(&other)).await;
        assert_eq!((answer.status, answer.code()), (422, "IDEMPOTENCY_KEY_REUSED"), "{other}");
    }
}

#[actix_web::test]
async fn somebody_elses_request_under_the_same_key_is_not_shown() {
    let mut bench = Bench::new();
    bench.stores.expect_create().returning(|_, _| Ok(requested()));
    let app = bench.app().await;
    app.send(create(&teashop())).await;

    let theirs = STRANGER.asks(TestRequest::post().uri("/api/v1/stores")).insert_header((HEADER, "order-1"));
    let answer = app.send(theirs.set_json(teashop())).await;

    assert_eq!((answer.status, answer.code()), (422, "IDEMPOTENCY_KEY_REUSED"));
}

#[actix_web::test]
async fn a_request_that_is_being_worked_on_is_409_and_says_when_to_ask_again() {
    let mut bench = Bench::new();
    bench.stores.expect_create().returning(|_, _| Err(StoreServiceError::KeyInFlight));

    let answer = bench.send(create(&teashop())).await;

    assert_eq!((answer.status, answer.code()), (409, "IDEMPOTENCY_KEY_IN_USE"));
    assert_eq!((answer.header("retry-after"), &answer.body["error"]["retryable"]), ("1", &json!(true)));
}

/// The answers that would be the same the next time are kept; the others are not, so that the next time may be better.
#[actix_web::test]
async fn a_refusal_is_kept_when_it_is_final() {
    let name_in_use = || StoreServiceError::NameInUse {
        name: "teashop".parse().unwrap(),
        store_id: STORE.parse().unwrap(),
        state: StoreState::Ready,
    };
    for (error, status, final_) in [
        (name_in_use(), 409, true),
        (StoreServiceError::EngineUnavailable("no image".into()), 422, true),
        (StoreServiceError::QuotaUsedUp { held: 5, limit: 5 }, 429, false),
        (StoreServiceError::Conflict, 409, false),
        (StoreServiceError::Forbidden, 403, false),
        (StoreServiceError::Internal("a fault".into()), 500, false),
    ] {
        let mut bench = Bench::new();
        bench.stores.expect_create().times(1).return_once(|_, _| Err(error));
        bench.stores.expect_create().returning(|_, _| Ok(requested()));
        let app = bench.app().await;

        let first = app.send(create(&teashop())).await;
        let again = app.send(create(&teashop())).await;

        assert_eq!(first.status, status);
        if final_ {
            same(&first, &again);
        } else {
            assert_eq!(again.status, 202, "after {status}");
        }
    }
}

#[actix_web::test]
async fn a_request_that_breaks_rules_is_refused_the_same_way_again() {
    let app = Bench::new().app().await;
    let wrong = json!({"name": "Tea", "engine": "medusa", "password": "hunter22hunter22"});

    let first = app.send(create(&wrong)).await;
    let again = app.send(create(&wrong)).await;

    assert_eq!((first.status, first.code()), (400, "VALIDATION_ERROR"));
    same(&first, &again);
}

#[actix_web::test]
async fn every_post_behind_a_token_keeps_promises_but_those_of_accounts() {
    let posts = ROUTES.iter().filter(|line| line.method == Method::POST);
    let (kept, others): (Vec<_>, Vec<_>) = posts.partition(|line| keeps_promises(line.path, line.access));

    assert!(others.iter().all(|line| line.path.starts_with("/api/v1/auth/") || line.access == Access::Open));
    for line in &kept {
        // The key itself is looked at on each of them.
        let path = line.path.replace("{id}", OPERATION);
        let request = OWNER.asks(TestRequest::post().uri(&path)).insert_header((HEADER, "a b"));
        let answer = Bench::new().send(request).await;
        assert_eq!(answer.kinds(), [(HEADER.to_owned(), "string.pattern.base".to_owned())], "{path}");
    }
    assert!(kept.len() >= 3, "{}", kept.len());
}

#[actix_web::test]
async fn a_retry_and_a_cancellation_are_promised_for_their_own_path() {
    for (path, route) in [
        (format!("/api/v1/stores/{STORE}/retry"), format!("POST /stores/{STORE}/retry")),
        (format!("/API/v1/Operations/{OPERATION}/cancel/"), format!("POST /operations/{OPERATION}/cancel")),
    ] {
        let mut bench = Bench::new();
        let asked = move |context: &RequestContext| {
            assert_eq!(context.promise.as_ref().map(|promise| promise.route.clone()), Some(route.clone()));
            Ok(requested())
        };
        let other = asked.clone();
        bench.stores.expect_retry().returning(move |context, _| asked(context));
        bench.stores.expect_cancel().returning(move |context, _| other(context));
        let app = bench.app().await;
        let ask = || OWNER.asks(TestRequest::post().uri(&path)).insert_header((HEADER, "k"));

        let first = app.send(ask()).await;

        assert_eq!(first.status, 202, "{}", first.text);
        same(&first, &app.send(ask()).await);
    }
}

/// What is written where no key may be seen is done once at most, and a refusal that is not final gives the key back.
#[actix_web::test]
async fn organisations_are_made_once_and_invitations_show_their_token_once() {
    let mut bench = Bench::new();
    bench.organisations.expect_create().times(1).returning(|_, _| Ok(own_organisation()));
    bench.organisations.expect_accept().times(1).returning(|_, _| Err(OrganisationError::NotAMember));
    bench.organisations.expect_accept().times(1).returning(|_, _| Ok(own_organisation()));
    let app = bench.app().await;
    let ask = |path: &str, body: &Value| {
        OWNER.asks(TestRequest::post().uri(&format!("/api/v1{path}"))).insert_header((HEADER, "k")).set_json(body)
    };

    let (made, token) = (json!({"name": "Tea"}), json!({"token": "swi_7c1f"}));
    let first = app.send(ask("/organisations", &made)).await;
    assert_eq!(first.status, 201, "{}", first.text);
    same(&first, &app.send(ask("/organisations", &made)).await);
    assert_eq!(app.send(ask("/invitations/accept", &token)).await.status, 403);
    assert_eq!(app.send(ask("/invitations/accept", &token)).await.status, 200);
}

/// A look at credentials is counted and written down once under a key, and shows them once; a refusal gives the key back.
#[actix_web::test]
async fn credentials_are_shown_once_under_a_key() {
    let mut bench = Bench::new();
    let busy = || StoreServiceError::RevealedTooOften { until: jiff::Timestamp::UNIX_EPOCH };
    bench.stores.expect_reveal_credentials().times(1).return_once(move |_, _| Err(busy()));
    bench.stores.expect_reveal_credentials().times(1).returning(|_, _| {
        let password = Some("KGXv-secret".into());
        Ok(AdminCredentials { email: "owner@example.com".into(), username: Some("admin".into()), password })
    });
    let promise = |key: &str| Promise {
        route: format!("POST /stores/{STORE}/credentials/reveal"),
        key: key.to_owned(),
        fingerprint: vec![1],
    };
    let under_way = RequestContext::new(OWNER.actor(), Origin::unknown(RequestId::from_random(1)));
    bench.gate.claim(&under_way, &promise("k-2")).await.unwrap();
    let app = bench.app().await;
    let look = async |key: &str| {
        let request = TestRequest::post().uri(&format!("/api/v1/stores/{STORE}/credentials/reveal"));
        app.send(OWNER.asks(request).insert_header((HEADER, key))).await
    };

    assert_eq!(look("k-1").await.status, 429);
    let (shown, again, other) = (look("k-1").await, look("k-1").await, look("k-2").await);

    assert_eq!((shown.status, &shown.body["credentials"]["password"]), (200, &json!("KGXv-secret")));
    assert_eq!((again.status, &again.body["credentials"]["password"]), (200, &Value::Null));
    assert_eq!(again.body["credentials"]["email"], "owner@example.com");
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!((other.status, other.code()), (409, "IDEMPOTENCY_KEY_IN_USE"), "a look under it is under way");
}

#[actix_web::test]
async fn a_claimed_key_is_in_use_until_its_request_is_answered() {
    let bench = Bench::new();
    let promise = Promise { route: "POST /organisations".into(), key: "k".into(), fingerprint: vec![1] };
    let origin = Origin::unknown(RequestId::from_random(1));
    bench.gate.claim(&RequestContext::new(OWNER.actor(), origin), &promise).await.unwrap();

    let request = OWNER.asks(TestRequest::post().uri("/api/v1/organisations")).insert_header((HEADER, "k"));
    let answer = bench.send(request.set_json(json!({"name": "Tea"}))).await;

    assert_eq!((answer.status, answer.code(), answer.header("retry-after")), (409, "IDEMPOTENCY_KEY_IN_USE", "1"));
}

#[actix_web::test]
async fn a_key_that_is_none_is_400() {
    for key in [String::new(), "a b".into(), "x".repeat(256), "\u{e4}".into()] {
        let request = OWNER.asks(TestRequest::post().uri("/api/v1/stores"));
        let request = request.insert_header((HEADER, key.as_bytes())).set_json(teashop());

        let answer = Bench::new().send(request).await;

        assert_eq!(answer.kinds(), [(HEADER.to_owned(), "string.pattern.base".to_owned())], "{key}");
    }
}

#[actix_web::test]
async fn without_a_token_no_key_is_looked_at() {
    let request = TestRequest::post().uri("/api/v1/stores").insert_header((HEADER, "a b")).set_json(teashop());

    assert_eq!(Bench::new().send(request).await.status, 401);
}
