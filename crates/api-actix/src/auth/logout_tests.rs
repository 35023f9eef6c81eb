//! Signing out with whatever one holds.

use actix_web::test::TestRequest;
use secrecy::ExposeSecret;
use serde_json::json;
use shopwright_ports::identity_api::IdentityError;

use crate::testing::{Bench, OWNER, SESSION};

const GONE: &str = "__Host-shopwright-refresh=; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=0";

fn logout() -> TestRequest {
    TestRequest::post().uri("/api/v1/auth/logout")
}

#[actix_web::test]
async fn by_refresh_token_in_the_body_or_the_cookie() {
    for request in [
        logout().set_json(json!({"refreshToken": "swr_0"})),
        logout()
            .insert_header(("cookie", "__Host-shopwright-refresh=swr_0"))
            .insert_header(("sec-fetch-site", "same-origin")),
    ] {
        let mut bench = Bench::new();
        bench.identity.expect_logout().once().returning(|_, token| {
            assert_eq!(token.expose_secret(), "swr_0");
            Ok(())
        });

        let answer = bench.send(request).await;

        assert_eq!((answer.status, answer.header("set-cookie")), (200, GONE));
    }
}

#[actix_web::test]
async fn by_access_token_even_when_the_session_ends_at_that_moment() {
    for result in [Ok(()), Err(IdentityError::NoSuchSession)] {
        let mut bench = Bench::new();
        bench.identity.expect_revoke_session().once().return_once(|_, _, id| {
            assert_eq!(id, SESSION);
            result
        });

        assert_eq!(bench.send(OWNER.asks(logout())).await.status, 200);
    }
}

#[actix_web::test]
async fn not_by_nothing_nor_by_an_api_token_nor_from_another_site() {
    let nothing = Bench::new().send(logout()).await;
    let api_token = Bench::new().send(OWNER.asks_with(logout(), &shopwright_domain::Scope::ALL)).await;
    let request = logout().insert_header(("cookie", "__Host-shopwright-refresh=swr_0"));
    let elsewhere = Bench::new().send(request.insert_header(("sec-fetch-site", "cross-site"))).await;

    assert_eq!((nothing.status, nothing.code()), (401, "UNAUTHORIZED"));
    assert_eq!((api_token.status, api_token.code()), (403, "SESSION_REQUIRED"));
    assert_eq!((elsewhere.status, elsewhere.code()), (403, "CROSS_SITE_REQUEST"));
}
