use actix_web::test::TestRequest;

use super::*;
use crate::testing::{Answer, Bench};

fn built() -> Dashboard {
    let file = |name: &str, text: &'static str| (name.to_owned(), Cow::Borrowed(text.as_bytes()));
    Dashboard::new([
        file("index.html", "<!doctype html>the page"),
        file("favicon.svg", "<svg/>"),
        file("assets/index-0a1b.js", "plain"),
        file("assets/index-0a1b.js.br", "brotli"),
        file("assets/index-0a1b.js.gz", "gzip"),
    ])
}

async fn get(dashboard: Dashboard, path: &str, headers: &[(&'static str, &str)]) -> Answer {
    let mut request = TestRequest::get().uri(path);
    for (name, value) in headers {
        request = request.insert_header((*name, *value));
    }
    Bench { dashboard, ..Bench::new() }.send(request).await
}

const NAVIGATES: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

#[actix_web::test]
async fn who_navigates_gets_the_page_wherever_it_goes() {
    for path in ["/", "/stores", "/stores/store-1a2b3c4d", "/index.html", "/nowhere/at/all"] {
        let answer = get(built(), path, &[NAVIGATES]).await;

        assert_eq!((answer.status, answer.text.as_str()), (200, "<!doctype html>the page"), "{path}");
        assert_eq!(answer.header("cache-control"), "no-cache", "{path}");
        assert!(answer.header("content-security-policy").contains("script-src 'self'"), "{path}");
    }
}

#[actix_web::test]
async fn programs_get_the_api_and_never_a_page() {
    assert_eq!(get(built(), "/", &[]).await.body["name"], "Shopwright");
    assert_eq!(get(built(), "/", &[("accept", "*/*")]).await.body["name"], "Shopwright");
    assert_eq!(get(built(), "/nowhere", &[("accept", "application/json")]).await.code(), "NOT_FOUND");
    assert_eq!(get(built(), "/api/v1/nowhere", &[NAVIGATES]).await.code(), "NOT_FOUND");
    assert_eq!(get(built(), "/api/v1/stores", &[NAVIGATES]).await.code(), "UNAUTHORIZED");
}

#[actix_web::test]
async fn hashed_files_are_kept_for_ever_and_others_are_asked_for_again() {
    let script = get(built(), "/assets/index-0a1b.js", &[]).await;
    assert_eq!((script.status, script.text.as_str()), (200, "plain"));
    assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(script.header("cache-control"), "public, max-age=31536000, immutable");

    let icon = get(built(), "/favicon.svg", &[]).await;
    assert_eq!((icon.status, icon.header("cache-control")), (200, "no-cache"));
}

#[actix_web::test]
async fn a_browser_gets_the_smallest_encoding_that_it_takes() {
    for (accepted, encoding, text) in [
        ("gzip, deflate, br", "br", "brotli"),
        ("gzip, deflate", "gzip", "gzip"),
        ("br;q=0, gzip", "gzip", "gzip"),
        ("identity", "", "plain"),
    ] {
        let answer = get(built(), "/assets/index-0a1b.js", &[("accept-encoding", accepted)]).await;

        assert_eq!((answer.header("content-encoding"), answer.text.as_str()), (encoding, text), "{accepted}");
        assert_eq!(answer.header("vary"), "Accept-Encoding", "{accepted}");
    }
}

#[actix_web::test]
async fn what_a_browser_has_already_costs_no_body() {
    let first = get(built(), "/", &[NAVIGATES]).await;

    let again = get(built(), "/", &[NAVIGATES, ("if-none-match", first.header("etag"))]).await;

    assert_eq!((again.status, again.text.as_str()), (304, ""));
    assert_eq!(again.header("etag"), first.header("etag"));
}

#[actix_web::test]
async fn a_file_of_an_older_build_is_gone_and_no_page() {
    assert_eq!(get(built(), "/assets/index-ffff.js", &[NAVIGATES]).await.status, 404);
}

#[actix_web::test]
async fn without_a_build_a_page_says_how_to_make_one() {
    let answer = get(Dashboard::default(), "/stores", &[NAVIGATES]).await;

    assert_eq!(answer.status, 200);
    assert!(answer.text.contains("dashboard/build"), "{}", answer.text);
}
