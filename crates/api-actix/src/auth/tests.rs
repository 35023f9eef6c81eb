//! The token: how it must come, and what happens when it cannot be judged.

use actix_web::test::TestRequest;
use shopwright_ports::identity_api::IdentityError;
use shopwright_ports::storage::StorageError;

use crate::testing::Bench;

fn me() -> TestRequest {
    TestRequest::get().uri("/api/v1/auth/me")
}

#[actix_web::test]
async fn a_token_must_come_as_a_bearer_with_that_very_prefix() {
    for header in
        ["", "Bearer", "Bearer ", "bearer owner-token", "BEARER owner-token", "Basic owner-token", "owner-token"]
    {
        let answer = Bench::new().send(me().insert_header(("authorization", header))).await;

        assert_eq!((answer.status, answer.code()), (401, "UNAUTHORIZED"), "{header}");
    }
}

#[actix_web::test]
async fn a_token_that_is_not_ours_is_named_invalid() {
    let answer = Bench::new().send(me().insert_header(("authorization", "Bearer forged"))).await;

    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("www-authenticate"), r#"Bearer realm="shopwright", error="invalid_token""#);
}

/// API.md section 8 item 21: v1 answered 401, and every dashboard signed out.
#[actix_web::test]
async fn api_8_21_a_database_outage_is_503_and_not_401() {
    let mut bench = Bench::without_actors();
    bench.identity.expect_authenticate().returning(|_, _| {
        Err(IdentityError::Storage(StorageError::Unavailable { detail: "db:5432 refused".into(), source: None }))
    });

    let answer = bench.send(me().insert_header(("authorization", "Bearer owner-token"))).await;

    assert_eq!((answer.status, answer.code()), (503, "SERVICE_UNAVAILABLE"));
    assert_eq!(answer.header("retry-after"), "2");
    assert!(!answer.text.contains("5432"), "{}", answer.text);
}
