//! Every route of the table, asked without a token: nothing opens by accident.

use std::collections::BTreeSet;

use actix_web::test::TestRequest;
use futures::StreamExt as _;

use shopwright_ports::platform_api::{AccountPage, Clusters};
use shopwright_ports::stores_api::{LogPage, OperationPage, StorePage};

use super::*;
use crate::testing::{ADMIN, Bench, OWNER};

/// The routes that answer anybody. A new one is a decision, and belongs in API.md.
const OPEN: &[&str] = &[
    "GET /",
    "GET /livez",
    "GET /readyz",
    "GET /.well-known/jwks.json",
    "GET /docs",
    "GET /docs/{file}",
    "GET /api/v1/openapi.json",
    "GET /api/v1/health",
    "GET /api/v1/health/live",
    "GET /api/v1/health/ready",
    "POST /api/v1/auth/register",
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/refresh",
    "POST /api/v1/auth/logout",
    "POST /api/v1/invitations/inspect",
];

/// The routes that no API token opens: whoever holds one cannot make another, nor keep the account for good.
const PERSON: &[&str] = &[
    "PATCH /api/v1/auth/password",
    "GET /api/v1/auth/sessions",
    "DELETE /api/v1/auth/sessions",
    "DELETE /api/v1/auth/sessions/{id}",
    "GET /api/v1/auth/tokens",
    "POST /api/v1/auth/tokens",
    "DELETE /api/v1/auth/tokens/{id}",
    "GET /api/v1/organisations",
    "POST /api/v1/organisations",
    "GET /api/v1/organisations/{id}",
    "PATCH /api/v1/organisations/{id}",
    "DELETE /api/v1/organisations/{id}",
    "GET /api/v1/organisations/{id}/members",
    "PATCH /api/v1/organisations/{id}/members/{userId}",
    "DELETE /api/v1/organisations/{id}/members/{userId}",
    "GET /api/v1/organisations/{id}/invitations",
    "POST /api/v1/organisations/{id}/invitations",
    "DELETE /api/v1/organisations/{id}/invitations/{invitationId}",
    "POST /api/v1/invitations/accept",
];

fn name(line: &Endpoint) -> String {
    format!("{} {}", line.method, line.path)
}

#[actix_web::test]
async fn every_route_but_the_open_ones_asks_for_a_token() {
    for line in ROUTES.iter().filter(|line| !OPEN.contains(&name(line).as_str())) {
        let path = line.path.replace("{id}", "anything");
        let methods =
            if line.method == Method::GET { vec![Method::GET, Method::HEAD] } else { vec![line.method.clone()] };
        for method in methods {
            // A body that is wrong in every way: nobody looks at it before the token.
            let request = TestRequest::with_uri(&path).method(method.clone()).set_json("no object");
            let answer = Bench::new().send(request).await;

            assert_eq!(answer.status, 401, "{method} {path}");
            assert_ne!(answer.header("www-authenticate"), "", "{method} {path}");
        }
    }
}

/// Every line of the table with an API token that has all scopes but the one it needs, then with that one alone.
#[actix_web::test]
async fn every_route_asks_an_api_token_for_its_scope() {
    let (mut refused, mut let_in) = (0, 0);
    for line in ROUTES.iter().filter(|line| line.access != Open) {
        let path = line.path.replace("{id}", "anything");
        let ask = async |scopes: &[Scope]| {
            // A request that is wrong in every way: it is refused with another answer as soon as it is let in.
            let request = TestRequest::with_uri(&path).method(line.method.clone()).set_json("no object");
            let mut bench = Bench::new();
            bench.platform.expect_users().returning(|_, _, _| Ok(AccountPage { accounts: vec![], next: None }));
            bench.platform.expect_clusters().returning(|_| Ok(Clusters { clusters: vec![], engines: vec![] }));
            bench.organisations.expect_list().returning(|_| Ok(Vec::new()));
            bench.stores.expect_list().returning(|_, _, _| Ok(StorePage { stores: Vec::new(), total: 0, next: None }));
            let nothing = || LogPage { entries: Vec::new(), total: 0, next: None };
            bench.audit.expect_list().returning(move |_, _, _| Ok(nothing()));
            bench.audit.expect_stretch().returning(move |_, _, _| Ok(nothing()));
            bench.events.expect_follow().returning(|_, _, _| Ok(futures::stream::empty().boxed()));
            bench.stores.expect_operations().returning(|_, _, _| Ok(OperationPage { operations: vec![], next: None }));
            // A scope gives nobody a right that they have not.
            let who = if line.access == Access::Scope(Scope::PlatformAdmin) { ADMIN } else { OWNER };
            bench.send(who.asks_with(request, scopes)).await
        };
        let Access::Scope(scope) = line.access else {
            let answer = ask(&Scope::ALL).await;
            assert_eq!((answer.status, answer.code()), (403, "SESSION_REQUIRED"), "{}", name(line));
            refused += 1;
            continue;
        };
        let others: Vec<Scope> = Scope::ALL.into_iter().filter(|other| *other != scope).collect();
        let answer = ask(&others).await;
        assert_eq!((answer.status, answer.code()), (403, "INSUFFICIENT_SCOPE"), "{}", name(line));
        let challenge = format!(r#"Bearer realm="shopwright", error="insufficient_scope", scope="{scope}""#);
        assert_eq!(answer.header("www-authenticate"), challenge);
        refused += 1;
        assert_ne!(ask(&[scope]).await.status, 403, "{}", name(line));
        let_in += 1;
    }
    println!("{refused} refused, {let_in} let in");
    assert!(refused >= 15 && let_in >= 8, "{refused} {let_in}");
}

#[test]
fn routes_for_persons_alone_are_a_decision() {
    let person: Vec<String> = ROUTES.iter().filter(|line| line.access == Person).map(name).collect();

    assert_eq!(person, PERSON);
}

#[test]
fn no_route_that_changes_something_is_open_to_a_token_that_may_only_read() {
    for line in ROUTES.iter().filter(|line| line.method != Method::GET) {
        let reads = matches!(line.access, Access::Scope(Scope::AccountRead | Scope::StoresRead));
        assert!(!reads, "{}", name(line));
    }
}

#[test]
fn the_open_list_names_routes_that_exist() {
    let names: BTreeSet<String> = ROUTES.iter().map(name).collect();

    assert_eq!(names.len(), ROUTES.len(), "a line stands twice");
    let open: BTreeSet<String> = ROUTES.iter().filter(|line| line.access == Open).map(name).collect();
    assert_eq!(open, OPEN.iter().map(|name| (*name).to_owned()).collect());
    assert!(open.is_subset(&names));
}

#[test]
fn lines_of_one_path_stand_together() {
    let runs = ROUTES.chunk_by(|one, other| one.path == other.path).count();
    let paths: BTreeSet<&str> = ROUTES.iter().map(|line| line.path).collect();

    assert_eq!(runs, paths.len(), "only the first run of a path would be reachable");
}
