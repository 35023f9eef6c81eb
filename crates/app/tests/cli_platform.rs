//! `shopwright platform ...` against a server that plays a script.
#![cfg(feature = "binary")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot set itself up has failed")]

#[expect(dead_code, reason = "shared with cli_client")]
mod cli_support;

use cli_support::{Reply, Server, refusal};
use serde_json::{Value, json};

const ADA: &str = "0b8f6c1e-6a57-4a83-9d0e-3a5d7c2f9b11";

fn user(name: &str, active: bool) -> Value {
    json!({
        "id": ADA, "email": format!("{name}@example.com"), "username": name, "role": "tenant", "active": active,
        "organisationId": ADA, "sessions": 2, "apiTokens": 1, "createdAt": "2026-01-01T00:00:00.000Z",
    })
}

fn page(users: &[Value], next: Option<&str>) -> Reply {
    Reply::new(200, json!({"requestId": "req_1", "users": users, "nextPageToken": next}))
}

fn changed(active: bool) -> Reply {
    Reply::new(200, json!({"requestId": "req_1", "message": "Done.", "user": user("ada", active)}))
}

#[actix_web::test]
async fn users_are_listed_over_all_pages() {
    let server = Server::start()
        .on("GET /api/v1/platform/users?limit=100&search=a%40b&pageToken=next", [page(&[user("bob", false)], None)])
        .on("GET /api/v1/platform/users?limit=100&search=a%40b", [page(&[user("ada", true)], Some("next"))]);

    let table = server.run("platform users list --search a@b").await;
    let names = server.run("platform users list --search a@b -o name").await;
    let body = server.run("platform users list --search a@b -o json").await;

    assert_eq!(table.code, 0, "{}", table.err);
    let lines: Vec<Vec<&str>> = table.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["USERNAME", "EMAIL", "ROLE", "ACCESS", "SESSIONS", "TOKENS", "CREATED", "ID"]);
    assert_eq!(lines[1], ["ada", "ada@example.com", "tenant", "active", "2", "1", "2026-01-01T00:00:00.000Z", ADA]);
    assert_eq!(lines[2][3], "deactivated");
    assert_eq!(names.out, format!("{ADA}\n{ADA}\n"));
    let body: Value = serde_json::from_str(&body.out).unwrap();
    assert_eq!((body["users"].as_array().unwrap().len(), &body["nextPageToken"]), (2, &Value::Null));
}

#[actix_web::test]
async fn nobody_is_said_on_stderr() {
    let server = Server::start().on("GET /api/v1/platform/users", [page(&[], None)]);

    let outcome = server.run("platform users list").await;

    assert_eq!((outcome.code, outcome.out.as_str(), outcome.err.as_str()), (0, "", "Nobody matches.\n"));
}

#[actix_web::test]
async fn a_user_is_deactivated_by_name_and_activated_by_id() {
    let server = Server::start()
        .on("GET /api/v1/platform/users", [page(&[user("adas-friend", true), user("ada", true)], None)])
        .on(&format!("PATCH /api/v1/platform/users/{ADA}"), [changed(false), changed(true)]);

    let closed = server.run("platform users deactivate ADA@example.com --yes").await;
    let opened = server.run(&format!("platform users activate {ADA} -o name")).await;

    assert_eq!(closed.code, 0, "{}", closed.err);
    assert!(closed.out.contains("deactivated"), "{}", closed.out);
    assert_eq!((opened.code, opened.out), (0, format!("{ADA}\n")), "{}", opened.err);
    let bodies: Vec<Value> =
        server.asked().into_iter().filter(|asked| asked.line.starts_with("PATCH")).map(|asked| asked.body).collect();
    assert_eq!(bodies, [json!({"active": false}), json!({"active": true})]);
}

#[actix_web::test]
async fn deactivating_asks_first_and_a_part_of_a_name_names_nobody() {
    let server = Server::start().on("GET /api/v1/platform/users", [page(&[user("ada", true)], None)]);

    let unasked = server.run("platform users deactivate ada").await;
    let part = server.run("platform users deactivate ad --yes").await;

    assert_eq!(unasked.code, 2, "{}", unasked.err);
    assert!(unasked.err.contains("add --yes"), "{}", unasked.err);
    assert_eq!(part.code, 1);
    assert!(part.err.contains("there is no user `ad`"), "{}", part.err);
    assert!(server.asked().iter().all(|asked| !asked.line.starts_with("PATCH")));
}

#[actix_web::test]
async fn a_refusal_is_told_in_the_servers_words() {
    let server = Server::start().on(
        "PATCH /api/v1/platform/users",
        [refusal(
            409,
            "This is the last active platform administrator",
            "Let another platform administrator be active first.",
        )],
    );

    let outcome = server.run(&format!("platform users deactivate {ADA} --yes")).await;

    assert_eq!(outcome.code, 1);
    assert!(outcome.err.contains("error: This is the last active platform administrator"), "{}", outcome.err);
    assert!(outcome.err.contains("Let another"), "{}", outcome.err);
}

#[actix_web::test]
async fn clusters_are_shown_with_the_reason_why_one_takes_no_work() {
    let cluster = |name: &str, takes_work: bool, reason: Option<&str>| {
        json!({
            "name": name, "takesWork": takes_work, "reason": reason, "fence": if takes_work { "holds" } else { "open" },
            "breakers": {"helm": "closed", "kubernetes": "closed", "lastFailureAt": null}, "unknownNamespaces": 0,
            "capacity": {"permits": 32, "running": 3}, "stores": {"ready": 41},
            "operations": {"queued": 1, "running": 3, "waiting": 2, "stuck": 0},
            "engines": [{"name": "medusa", "title": "Medusa", "available": true, "unavailableReason": null, "stores": 42}],
        })
    };
    let clusters = [cluster("default", true, None), cluster("west", false, Some("its fence is open: no policy"))];
    let server = Server::start().on("GET /api/v1/platform/clusters", [Reply::new(200, json!({"clusters": clusters}))]);

    let table = server.run("platform clusters").await;
    let names = server.run("platform clusters -o name").await;

    assert_eq!(table.code, 0, "{}", table.err);
    let line = table.out.lines().nth(1).unwrap();
    let cells: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(cells, ["default", "yes", "closed", "holds", "3/32", "1", "2", "0", "42", "medusa"]);
    assert_eq!(table.err, "west takes no work: its fence is open: no policy\n");
    assert_eq!(names.out, "default\nwest\n");
}
