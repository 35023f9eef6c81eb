//! Both ways of a refresh token: the body of programs, the cookie of browsers (RELIABILITY S11).

use actix_web::test::TestRequest;
use secrecy::ExposeSecret;
use serde_json::json;
use shopwright_ports::identity_api::IdentityError;

use crate::testing::{Answer, Bench, signed_in};
use crate::{Api, Cookies};

const COOKIE: &str = "__Host-shopwright-refresh=swr_0";

fn post(path: &str) -> TestRequest {
    TestRequest::post().uri(path)
}

fn refresh() -> TestRequest {
    post("/api/v1/auth/refresh")
}

/// Expects one refresh of `swr_0`.
fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.identity.expect_refresh().once().returning(|_, token| {
        assert_eq!(token.expose_secret(), "swr_0");
        Ok(signed_in())
    });
    bench
}

fn has_cookie(answer: &Answer) -> bool {
    answer.headers.contains_key("set-cookie")
}

#[actix_web::test]
async fn a_program_gets_the_next_pair_in_the_body() {
    let answer = bench().send(refresh().set_json(json!({"refreshToken": "swr_0"}))).await;

    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.body["token"], "a.b.c");
    assert_eq!((&answer.body["refreshToken"], &answer.body["expiresIn"]), (&json!("swr_1"), &json!(600)));
    assert!(!has_cookie(&answer));
}

#[actix_web::test]
async fn s11_a_browser_gets_it_in_a_cookie_that_no_script_and_no_other_site_can_use() {
    let request = refresh().insert_header(("cookie", COOKIE)).insert_header(("sec-fetch-site", "same-origin"));

    let answer = bench().send(request).await;

    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(
        answer.header("set-cookie"),
        "__Host-shopwright-refresh=swr_1; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=3600"
    );
    assert!(!answer.text.contains("swr_1"), "{}", answer.text);
}

#[actix_web::test]
async fn s11_signing_in_from_a_page_sets_the_cookie_and_shows_the_token_to_nobody() {
    for (path, body) in [
        ("/api/v1/auth/login", json!({"email": "ada@example.com", "password": "x"})),
        ("/api/v1/auth/register", json!({"email": "ada@example.com", "username": "ada", "password": "correct horse"})),
    ] {
        for header in [("origin", "http://localhost:8080"), ("sec-fetch-site", "same-origin")] {
            let mut bench = Bench::new();
            bench.identity.expect_login().returning(|_, _, _| Ok(signed_in()));
            bench.identity.expect_register().returning(|_, _, _, _, _| Ok(signed_in()));
            let answer = bench.send(post(path).insert_header(header).set_json(&body)).await;

            assert!(answer.header("set-cookie").starts_with("__Host-shopwright-refresh=swr_1; "), "{path}");
            assert!(!answer.text.contains("swr_1"), "{}", answer.text);
        }
    }
}

#[actix_web::test]
async fn s11_a_cookie_counts_only_on_requests_of_this_origin() {
    let cases: &[(&[(&str, &str)], bool)] = &[
        (&[("sec-fetch-site", "same-origin")], true),
        (&[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:5173")], true),
        (&[("sec-fetch-site", "same-site"), ("origin", "http://localhost:8080")], false),
        (&[("sec-fetch-site", "cross-site")], false),
        (&[("sec-fetch-site", "none")], false),
        (&[("origin", "http://localhost:8080")], true),
        (&[("origin", "https://LOCALHOST:8080")], true),
        (&[("origin", "http://localhost:8081")], false),
        (&[("origin", "http://teashop.localhost:8080")], false),
        (&[("origin", "null")], false),
        (&[], false),
    ];
    for (headers, good) in cases {
        let mut bench = Bench::new();
        bench.identity.expect_refresh().returning(|_, _| Ok(signed_in()));
        let mut request = refresh().insert_header(("cookie", COOKIE)).insert_header(("host", "localhost:8080"));
        for header in *headers {
            request = request.insert_header(*header);
        }

        let answer = bench.send(request).await;

        let expected = if *good { (200, "") } else { (403, "CROSS_SITE_REQUEST") };
        assert_eq!((answer.status, answer.code()), expected, "{headers:?}");
    }
}

#[actix_web::test]
async fn a_development_server_sets_a_plain_cookie() {
    let api = Api { cookies: Cookies::Plain, ..bench().api() };
    let request = refresh()
        .insert_header(("cookie", "shopwright-refresh=swr_0"))
        .insert_header(("sec-fetch-site", "same-origin"));

    let answer = crate::testing::TestApp::of(api).await.send(request).await;

    let cookie = "shopwright-refresh=swr_1; HttpOnly; SameSite=Strict; Path=/; Max-Age=3600";
    assert_eq!(answer.header("set-cookie"), cookie);
}

#[actix_web::test]
async fn a_session_that_is_over_is_401_and_says_what_to_do() {
    let mut bench = Bench::new();
    bench.identity.expect_refresh().returning(|_, _| Err(IdentityError::SessionOver));

    let answer = bench.send(refresh().set_json(json!({"refreshToken": "swr_0"}))).await;

    assert_eq!((answer.status, answer.code()), (401, "SESSION_OVER"));
    assert_eq!(answer.body["error"]["suggestion"], "Sign in again.");
    assert_eq!(answer.header("www-authenticate"), r#"Bearer realm="shopwright""#);
}

#[actix_web::test]
async fn without_a_token_a_page_is_signed_out_and_a_program_is_told_its_mistake() {
    let page = Bench::new().send(refresh().insert_header(("sec-fetch-site", "same-origin"))).await;
    let program = Bench::new().send(refresh()).await;

    assert_eq!((page.status, page.code()), (401, "SESSION_OVER"));
    assert_eq!(program.kinds(), [("refreshToken".to_owned(), "any.required".to_owned())]);
}

#[actix_web::test]
async fn a_token_in_the_body_is_never_repeated_by_an_error() {
    for body in [json!({"refreshToken": ["swr_0"]}), json!({"refreshToken": "swr_0", "also": "swr_0"})] {
        let answer = Bench::new().send(refresh().set_json(&body)).await;

        assert_eq!(answer.status, 400);
        assert!(!answer.text.contains("swr_0"), "{}", answer.text);
    }
}
