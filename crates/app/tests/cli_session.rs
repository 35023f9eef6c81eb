//! Signing in, and what is said when something is in the way.
#![cfg(feature = "binary")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot set itself up has failed")]

#[expect(dead_code, reason = "shared with cli_client")]
mod cli_support;

use std::os::unix::fs::MetadataExt;

use cli_support::{Reply, STORE, Server, get, page, refusal};
use serde_json::json;

fn signed_in() -> Reply {
    Reply::new(200, json!({"message": "", "user": {}, "token": "token-2"}))
}

#[actix_web::test]
async fn the_token_of_a_login_is_kept_for_this_server_and_for_us_alone() {
    let server = Server::start().on("POST /api/v1/auth/login", [signed_in()]).on("GET", [get("ready")]);

    let login = server.run_with("login --email ada@example.com --password-stdin", "correct horse\n", &[]).await;
    let after = server.run_with(&format!("stores get {STORE}"), "", &[]).await;

    assert_eq!((login.code, after.code), (0, 0), "{} {}", login.err, after.err);
    assert_eq!(login.out, "", "no token on the screen");
    assert!(!login.err.contains("token-2") && !login.err.contains("horse"), "{}", login.err);
    let asked = server.asked();
    assert_eq!(asked[0].body, json!({"email": "ada@example.com", "password": "correct horse"}));
    assert_eq!(asked[1].token.as_deref(), Some("Bearer token-2"));
    let file = server.home().join(".config/shopwright/session.json");
    assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
    assert_eq!(file.parent().unwrap().metadata().unwrap().mode() & 0o777, 0o700);
}

fn tokens(token: &str, refresh_token: &str, expires_in: u32) -> Reply {
    Reply::new(200, json!({"token": token, "refreshToken": refresh_token, "expiresIn": expires_in}))
}

fn bearers(server: &Server, line: &str) -> Vec<String> {
    let asked = server.asked().into_iter().filter(|asked| asked.line.starts_with(line));
    asked.filter_map(|asked| asked.token).collect()
}

fn refresh_tokens(server: &Server) -> Vec<serde_json::Value> {
    let asked = server.asked().into_iter().filter(|asked| asked.line.starts_with("POST /api/v1/auth/refresh"));
    asked.map(|asked| asked.body["refreshToken"].clone()).collect()
}

const LOGIN: &str = "login --email ada@example.com --password-stdin";

#[actix_web::test]
async fn a_token_that_is_over_is_refreshed_before_it_is_sent_and_kept() {
    // The first is over at once, the next is not.
    let server = Server::start()
        .on("POST /api/v1/auth/login", [tokens("token-1", "swr_1", 10)])
        .on("POST /api/v1/auth/refresh", [tokens("token-2", "swr_2", 600)])
        .on("GET", [get("ready")]);

    server.run_with(LOGIN, "x\n", &[]).await;
    for _ in 0..2 {
        let outcome = server.run_with(&format!("stores get {STORE}"), "", &[]).await;
        assert_eq!(outcome.code, 0, "{}", outcome.err);
    }

    assert_eq!(bearers(&server, "GET"), ["Bearer token-2", "Bearer token-2"]);
    assert_eq!(refresh_tokens(&server), [json!("swr_1")]);
    let file = server.home().join(".config/shopwright/session.json");
    assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
    assert!(std::fs::read_to_string(file).unwrap().contains("swr_2"));
}

#[actix_web::test]
async fn a_token_that_the_server_refuses_is_refreshed_once() {
    let server = Server::start()
        .on("POST /api/v1/auth/login", [tokens("token-1", "swr_1", 600)])
        .on("POST /api/v1/auth/refresh", [tokens("token-2", "swr_2", 600)])
        .on("GET", [refusal(401, "Sign in first", ""), get("ready")]);

    server.run_with(LOGIN, "x\n", &[]).await;
    let outcome = server.run_with(&format!("stores get {STORE}"), "", &[]).await;

    assert_eq!(outcome.code, 0, "{}", outcome.err);
    assert_eq!(bearers(&server, "GET"), ["Bearer token-1", "Bearer token-2"]);
}

#[actix_web::test]
async fn a_sign_in_that_is_over_is_told_and_a_given_token_is_never_refreshed() {
    let server = Server::start()
        .on("POST /api/v1/auth/login", [tokens("token-1", "swr_1", 600)])
        .on("POST /api/v1/auth/refresh", [refusal(401, "The session is over: sign in again", "Sign in again.")])
        .on("GET", [refusal(401, "Sign in first", "")]);
    server.run_with(LOGIN, "x\n", &[]).await;

    let over = server.run_with("stores list", "", &[]).await;
    assert!(over.err.contains("The session is over") && over.err.contains("shopwright login"), "{}", over.err);
    let given = server.run("stores list").await;

    assert_eq!((over.code, given.code), (1, 1));
    assert_eq!(refresh_tokens(&server), [json!("swr_1")]);
}

#[actix_web::test]
async fn the_file_of_an_older_version_still_signs_in() {
    let server = Server::start().on("GET", [get("ready")]);
    let file = server.home().join(".config/shopwright/session.json");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, json!({server.url.as_str(): "token-0"}).to_string()).unwrap();

    let outcome = server.run_with(&format!("stores get {STORE}"), "", &[]).await;

    assert_eq!(outcome.code, 0, "{}", outcome.err);
    assert_eq!(bearers(&server, "GET"), ["Bearer token-0"]);
}

#[actix_web::test]
async fn signing_out_ends_the_session_and_forgets_it() {
    let server = Server::start()
        .on("POST /api/v1/auth/login", [tokens("token-1", "swr_1", 600)])
        .on("POST /api/v1/auth/logout", [Reply::new(200, json!({}))]);
    server.run_with(LOGIN, "x\n", &[]).await;

    let first = server.run_with("logout", "", &[]).await;
    let second = server.run_with("logout", "", &[]).await;

    assert_eq!((first.code, second.code), (0, 0));
    assert!(second.err.contains("You are not signed in"), "{}", second.err);
    let asked = server.asked();
    assert_eq!(asked.len(), 2, "the login and one logout");
    assert_eq!(asked[1].body, json!({"refreshToken": "swr_1"}));
    let kept = std::fs::read_to_string(server.home().join(".config/shopwright/session.json")).unwrap();
    assert!(!kept.contains("swr_1"), "{kept}");
}

#[actix_web::test]
async fn a_password_may_come_from_the_environment_and_nothing_asks_without_a_terminal() {
    let server = Server::start().on("POST /api/v1/auth/login", [signed_in()]);

    let by_variable = server.run_with("login --email ada@example.com", "", &[("SHOPWRIGHT_PASSWORD", "p")]).await;
    let by_nothing = server.run_with("login --email ada@example.com", "", &[]).await;

    assert_eq!((by_variable.code, by_nothing.code), (0, 2));
    assert!(by_nothing.err.contains("use --password-stdin or SHOPWRIGHT_PASSWORD"), "{}", by_nothing.err);
}

#[actix_web::test]
async fn a_wrong_password_keeps_nothing() {
    let server = Server::start().on("POST /api/v1/auth/login", [refusal(401, "E-mail or password is wrong", "")]);

    let outcome = server.run_with("login --email ada@example.com --password-stdin", "x\n", &[]).await;

    assert_eq!(outcome.code, 1);
    assert_eq!(outcome.err, "error: E-mail or password is wrong\n  request req_42\n");
    assert!(!server.home().join(".config").exists());
}

#[actix_web::test]
async fn whoever_is_not_signed_in_is_told_how() {
    let server = Server::start().on("GET", [refusal(401, "Sign in first", "")]);

    let never = server.run_with("stores list", "", &[]).await;
    let expired = server.run("stores list").await;

    assert!(never.err.contains("you are not signed in") && never.err.contains("shopwright login"), "{}", never.err);
    assert!(expired.err.contains("Your sign-in is over"), "{}", expired.err);
    assert!(expired.err.contains("shopwright login"), "{}", expired.err);
    assert_eq!((never.code, expired.code), (1, 1));
}

#[actix_web::test]
async fn a_refusal_comes_with_suggestion_time_and_request() {
    let refused = refusal(429, "5 of 5 stores are in use", "Delete one first.").with("retry-after", "30");
    let server = Server::start().on("POST", [refused]);

    let outcome = server.run("stores create teashop --engine medusa").await;

    assert_eq!(
        outcome.err,
        "error: 5 of 5 stores are in use\n  Delete one first.\n  Ask again in 30 s.\n  request req_42\n"
    );
    assert_eq!((outcome.code, outcome.out.as_str()), (1, ""));
}

#[actix_web::test]
async fn a_server_that_is_not_there_or_not_ours_is_named() {
    let mut nobody = Server::start();
    nobody.url = "http://127.0.0.1:1".to_owned();
    let refused = nobody.run("stores list").await;
    assert!(refused.err.contains("http://127.0.0.1:1 does not answer: Connection refused"), "{}", refused.err);
    assert!(refused.err.contains("shopwright serve"), "{}", refused.err);

    nobody.url = "ftp://example.com".to_owned();
    let wrong = nobody.run("stores list").await;
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("`ftp://example.com` is no URL of a server"), "{}", wrong.err);

    let stranger = Server::start().on("GET", [Reply::new(200, json!({"hello": "world"}))]);
    let foreign = stranger.run("stores list").await;
    assert!(foreign.err.contains("is not understood"), "{}", foreign.err);
    assert_eq!(foreign.code, 1);
}

#[actix_web::test]
async fn an_empty_list_says_how_to_fill_it() {
    let server = Server::start().on("GET", [page(&[], 0)]);

    let outcome = server.run("stores list").await;

    assert_eq!((outcome.code, outcome.out.as_str()), (0, ""));
    assert!(outcome.err.contains("shopwright stores create"), "{}", outcome.err);
}
