//! Every route of the table, asked without a token: nothing opens by accident.

use std::collections::BTreeSet;

use actix_web::test::TestRequest;

use super::*;
use crate::testing::Bench;

/// The routes that answer anybody. A new one is a decision, and belongs in API.md.
const OPEN: &[&str] = &[
    "GET /",
    "GET /livez",
    "GET /readyz",
    "GET /api/v1/health",
    "GET /api/v1/health/live",
    "GET /api/v1/health/ready",
    "POST /api/v1/auth/register",
    "POST /api/v1/auth/login",
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

#[test]
fn the_open_list_names_routes_that_exist() {
    let names: BTreeSet<String> = ROUTES.iter().map(name).collect();

    assert_eq!(names.len(), ROUTES.len(), "a line stands twice");
    for open in OPEN {
        assert!(names.contains(*open), "{open}");
    }
}

#[test]
fn lines_of_one_path_stand_together() {
    let runs = ROUTES.chunk_by(|one, other| one.path == other.path).count();
    let paths: BTreeSet<&str> = ROUTES.iter().map(|line| line.path).collect();

    assert_eq!(runs, paths.len(), "only the first run of a path would be reachable");
}
