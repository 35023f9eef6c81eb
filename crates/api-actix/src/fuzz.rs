//! Whatever a client sends: never a 500, never a broken connection, always an envelope with the request id.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use proptest::prelude::*;
use serde_json::{Value, json};
use shopwright_domain::store::StoreState;
use shopwright_ports::stores_api::{Accepted, StorePage};

use crate::testing::{Answer, Bench, OWNER, TestApp, api_token, operation, ready_store, signed_in, view};

/// Every service answers every well-formed request.
async fn app() -> TestApp {
    let mut bench = Bench::new();
    bench.identity.expect_register().returning(|_, _, _, _, _| Ok(signed_in()));
    bench.identity.expect_login().returning(|_, _, _| Ok(signed_in()));
    bench.identity.expect_change_password().returning(|_, _, _, _, _| Ok(()));
    bench.identity.expect_refresh().returning(|_, _| Ok(signed_in()));
    bench.identity.expect_logout().returning(|_, _| Ok(()));
    bench.identity.expect_revoke_session().returning(|_, _, _| Ok(()));
    bench.identity.expect_create_api_token().returning(|_, _, _| Ok((api_token(), "swt_1".into())));
    bench.stores.expect_list().returning(|_, _, _| Ok(StorePage { stores: vec![view(true)], total: 1 }));
    bench.stores.expect_create().returning(|_, _| {
        let mut store = ready_store();
        store.state = StoreState::Requested;
        Ok(Accepted { store, operation: Some(operation()), is_owner: true })
    });
    bench.app().await
}

fn holds(answer: &Answer) -> Result<(), TestCaseError> {
    prop_assert!(answer.status < 500, "{}: {}", answer.status, answer.text);
    prop_assert_eq!(&answer.body["requestId"], answer.header("x-request-id"));
    prop_assert_eq!(answer.status >= 400, answer.body["error"]["code"].is_string());
    Ok(())
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["teashop", "medusa", "woocommerce", "astra", "ada@example.com", "correct horse"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("\\PC{0,6}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

/// Objects that look like requests, with any value in any field and fields that nobody knows.
fn any_body() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        8 => prop::sample::select(vec![
            "name", "engine", "theme", "password", "ownerId", "email", "username", "role", "currentPassword", "newPassword",
            "refreshToken", "scopes", "expiresInDays",
        ])
        .prop_map(str::to_owned),
        1 => "\\PC{0,10}",
    ];
    prop_oneof![6 => prop::collection::btree_map(key, any_json(), 0..8).prop_map(|map| json!(map)), 1 => any_json()]
}

fn any_endpoint() -> impl Strategy<Value = (Method, &'static str)> {
    prop::sample::select(vec![
        (Method::POST, "/api/v1/auth/register"),
        (Method::POST, "/api/v1/auth/login"),
        (Method::POST, "/api/v1/auth/refresh"),
        (Method::POST, "/api/v1/auth/logout"),
        (Method::POST, "/api/v1/auth/tokens"),
        (Method::PATCH, "/api/v1/auth/password"),
        (Method::POST, "/api/v1/stores"),
    ])
}

proptest! {
    #[test]
    fn any_json_body_is_answered((method, path) in any_endpoint(), body in any_body()) {
        actix_web::rt::System::new().block_on(async {
            let answer = app().await.send(OWNER.asks(TestRequest::with_uri(path).method(method).set_json(&body))).await;
            holds(&answer)
        })?;
    }

    #[test]
    fn any_bytes_are_answered(
        (method, path) in any_endpoint(),
        content_type in prop::sample::select(vec!["application/json", "application/x-www-form-urlencoded", "text/plain", ";"]),
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        actix_web::rt::System::new().block_on(async {
            let request = TestRequest::with_uri(path).method(method).insert_header(("content-type", content_type));
            holds(&app().await.send(OWNER.asks(request.set_payload(body))).await)
        })?;
    }

    #[test]
    fn any_path_and_query_are_answered(path in "(/[a-zA-Z0-9%._~-]{0,9}){1,4}", query in "[a-z]{1,6}=[ -~&&[^#<>\"\\\\^`{|} ]]{0,12}") {
        actix_web::rt::System::new().block_on(async {
            let app = app().await;
            for uri in [format!("/api/v1/x{path}?{query}"), format!("/api/v1/stores?{query}"), format!("/api/v1/stores?limit={query}")] {
                holds(&app.send(OWNER.asks(TestRequest::get().uri(&uri))).await)?;
            }
            Ok::<(), TestCaseError>(())
        })?;
    }

    /// RELIABILITY S13: a field that nobody knows is refused by name and never followed.
    #[test]
    fn an_unknown_field_is_always_refused(key in "[a-zA-Z_]{1,20}", value in any_json()) {
        prop_assume!(!["name", "engine", "theme", "password", "ownerId"].contains(&key.as_str()));
        actix_web::rt::System::new().block_on(async {
            let mut body = json!({"name": "teashop", "engine": "woocommerce"});
            body[key.as_str()] = value;
            let answer = app().await.send(OWNER.asks(TestRequest::post().uri("/api/v1/stores").set_json(body))).await;
            prop_assert_eq!(answer.kinds(), [(key, "any.unknown".to_owned())]);
            Ok::<(), TestCaseError>(())
        })?;
    }
}
