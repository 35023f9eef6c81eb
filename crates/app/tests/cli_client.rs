//! `shopwright stores ...` against a server that plays a script.
#![cfg(feature = "binary")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot set itself up has failed")]

#[expect(dead_code, reason = "shared with cli_session")]
mod cli_support;

use cli_support::{OPERATION, Reply, STORE, Server, get, operation, page, refusal, store};
use serde_json::json;

const STEPS: [(&str, &str); 2] = [("create_namespace", "succeeded"), ("install_release", "started")];

#[actix_web::test]
async fn create_and_wait_prints_the_url_alone_on_stdout_and_each_step_once_on_stderr() {
    let server = Server::start()
        .on("POST /api/v1/stores", [Reply::new(202, json!({"store": store("requested")}))])
        .on(&format!("GET /api/v1/stores/{STORE}"), [get("provisioning"), get("provisioning"), get("ready")])
        .on(
            &format!("GET /api/v1/operations/{OPERATION}"),
            [
                operation("running", &STEPS),
                operation("running", &STEPS),
                operation("succeeded", &[("create_namespace", "succeeded"), ("install_release", "succeeded")]),
            ],
        );

    let outcome = server.run("stores create teashop --engine medusa --wait").await;

    assert_eq!(outcome.code, 0, "{}", outcome.err);
    assert_eq!(outcome.out, "http://teashop.localhost:8080\n");
    assert_eq!(outcome.err.matches("done  make the namespace (1.5 s)").count(), 1, "{}", outcome.err);
    assert_eq!(outcome.err.matches("now   install the chart").count(), 1, "{}", outcome.err);
    assert!(outcome.err.ends_with("teashop is ready.\n"), "{}", outcome.err);
    let asked = &server.asked()[0];
    assert_eq!(asked.body, json!({"name": "teashop", "engine": "medusa"}));
    assert_eq!(asked.token.as_deref(), Some("Bearer token-1"));
    assert!(asked.key.is_some(), "repeating the request must not make a second store");
}

#[actix_web::test]
async fn create_without_wait_prints_the_id_and_sends_the_chosen_password() {
    let server = Server::start().on("POST /api/v1/stores", [Reply::new(202, json!({"store": store("requested")}))]);

    let line = "stores create teashop --engine woocommerce --theme astra --password-stdin";
    let outcome = server.run_with(line, "correct horse\n", &[("SHOPWRIGHT_TOKEN", "token-1")]).await;

    assert_eq!((outcome.code, outcome.out.as_str()), (0, "store-1a2b3c4d\n"));
    assert!(outcome.err.contains("shopwright stores wait teashop"), "{}", outcome.err);
    assert!(!outcome.err.contains("horse"));
    let body = &server.asked()[0].body;
    assert_eq!((&body["password"], &body["theme"]), (&json!("correct horse"), &json!("astra")));
}

#[actix_web::test]
async fn a_store_that_fails_is_exit_code_1_with_the_reason_and_what_to_do() {
    let server = Server::start()
        .on(&format!("GET /api/v1/stores/{STORE}"), [get("provisioning"), get("failed")])
        .on("GET /api/v1/operations", [operation("running", &STEPS), operation("failed", &STEPS)]);

    let outcome = server.run(&format!("stores wait {STORE}")).await;

    assert_eq!((outcome.code, outcome.out.as_str()), (1, ""));
    assert!(outcome.err.contains("error: teashop failed to become ready: no node has room"), "{}", outcome.err);
    assert!(outcome.err.contains("shopwright stores retry store-1a2b3c4d --wait"), "{}", outcome.err);
}

#[actix_web::test]
async fn a_wait_ends_with_its_time_and_says_that_the_store_goes_on() {
    let server = Server::start()
        .on("GET /api/v1/stores", [get("provisioning")])
        .on("GET /api/v1/operations", [operation("running", &STEPS)]);

    let outcome = server.run(&format!("stores wait {STORE} --timeout 1s")).await;

    assert_eq!(outcome.code, 1);
    assert!(outcome.err.contains("is not ready after 1 s"), "{}", outcome.err);
    assert!(outcome.err.contains("It goes on by itself"), "{}", outcome.err);
}

#[actix_web::test]
async fn an_outage_on_the_way_is_waited_out_as_long_as_the_server_asks() {
    let outage = refusal(503, "the database does not answer", "").with("retry-after", "1");
    let server = Server::start()
        .on("GET /api/v1/stores", [outage.clone(), outage, get("ready")])
        .on("GET /api/v1/operations", [operation("succeeded", &[])]);
    let start = std::time::Instant::now();

    let outcome = server.run(&format!("stores wait {STORE}")).await;

    assert_eq!((outcome.code, outcome.out.as_str()), (0, "http://teashop.localhost:8080\n"));
    assert!(start.elapsed().as_secs() >= 2, "two answers asked for a second each");
    assert_eq!(outcome.err.matches("the database does not answer; still waiting").count(), 1, "{}", outcome.err);
    assert!(outcome.err.contains("The server answers again."), "{}", outcome.err);
}

#[actix_web::test]
async fn what_must_be_known_about_a_store_is_said() {
    let mut bare = store("ready");
    bare["engineNote"] = "this store cannot take orders".into();
    let ready = Reply::new(200, json!({"store": bare})).with("x-shopwright-simulated", "true");
    let server =
        Server::start().on("GET /api/v1/stores", [ready]).on("GET /api/v1/operations", [operation("succeeded", &[])]);

    let outcome = server.run(&format!("stores wait {STORE}")).await;

    assert!(outcome.err.contains("note: this store cannot take orders"), "{}", outcome.err);
    assert!(outcome.err.contains("simulated"), "{}", outcome.err);
}

#[actix_web::test]
async fn delete_waits_until_nothing_is_left() {
    let mut deleting = store("deleting");
    deleting["operation"]["kind"] = "delete".into();
    let server = Server::start()
        .on("DELETE /api/v1/stores", [Reply::new(202, json!({"store": deleting}))])
        .on("GET /api/v1/stores?", [page(&[store("ready")], 1)])
        .on(&format!("GET /api/v1/stores/{STORE}"), [get("deleting"), get("deleted")])
        .on("GET /api/v1/operations", [operation("running", &[("delete_namespace", "started")])]);

    let outcome = server.run("stores delete teashop --yes --wait").await;

    assert_eq!((outcome.code, outcome.out.as_str()), (0, ""));
    assert!(outcome.err.contains("now   remove the namespace"), "{}", outcome.err);
    assert!(outcome.err.ends_with("teashop is deleted.\n"), "{}", outcome.err);
}

#[actix_web::test]
async fn nothing_is_deleted_without_a_yes() {
    let server = Server::start();

    let outcome = server.run(&format!("stores delete {STORE}")).await;

    assert_eq!(outcome.code, 2);
    assert!(outcome.err.contains("add --yes"), "{}", outcome.err);
    assert!(server.asked().is_empty());
}

#[actix_web::test]
async fn a_name_is_looked_for_on_all_pages() {
    let mut other = store("ready");
    other["name"] = "other".into();
    other["id"] = "store-00000000".into();
    let server = Server::start()
        .on("GET /api/v1/stores?limit=100&offset=0", [page(&[other], 2)])
        .on("GET /api/v1/stores?limit=100&offset=1", [page(&[store("ready")], 2)])
        .on(&format!("GET /api/v1/stores/{STORE}"), [get("ready")]);

    let found = server.run("stores get teashop").await;
    let missing = server.run("stores get nothing").await;

    assert_eq!(found.code, 0, "{}", found.err);
    assert!(found.out.contains("url        http://teashop.localhost:8080"), "{}", found.out);
    assert_eq!(missing.code, 1);
    assert!(missing.err.contains("there is no store named `nothing`"), "{}", missing.err);
}

#[actix_web::test]
async fn lists_come_as_table_json_and_ids() {
    let server = Server::start().on("GET /api/v1/stores?status=ready", [page(&[store("ready")], 1)]);

    let table = server.run("stores list --status ready").await.out;
    let json = server.run("stores list --status ready -o json").await.out;
    let ids = server.run("stores list --status ready -o name").await.out;

    assert!(table.starts_with("NAME") && table.contains("teashop"), "{table}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["stores"][0]["name"], "teashop");
    assert_eq!(ids, "store-1a2b3c4d\n");
}

#[actix_web::test]
async fn logs_and_operations_are_shown() {
    let log = json!({
        "id": "1", "eventType": "status_change", "previousStatus": "ready", "newStatus": "deleting",
        "message": "deletion was \u{1b}[31masked for", "createdAt": "2026-01-01T00:00:00.000Z",
    });
    let server = Server::start()
        .on(&format!("GET /api/v1/stores/{STORE}/logs?limit=7"), [Reply::new(200, json!({"logs": [log], "total": 1}))])
        .on("GET /api/v1/operations", [operation("running", &STEPS)]);

    let logs = server.run(&format!("stores logs {STORE} --limit 7")).await;
    let operation = server.run(&format!("operations get {OPERATION}")).await;

    assert!(logs.out.contains("ready -> deleting"), "{}", logs.out);
    assert!(!logs.out.contains('\u{1b}'), "nobody else's text moves our cursor");
    assert!(operation.out.contains("create_namespace") && operation.out.contains("1.5 s"), "{}", operation.out);
}

#[actix_web::test]
async fn open_prints_the_url_of_a_store_that_is_ready() {
    let server = Server::start().on("GET /api/v1/stores", [get("ready"), get("failed")]);

    let ready = server.run(&format!("stores open {STORE}")).await;
    let failed = server.run(&format!("stores open {STORE}")).await;

    assert_eq!((ready.code, ready.out.as_str()), (0, "http://teashop.localhost:8080\n"));
    assert_eq!((failed.code, failed.out.as_str()), (1, ""));
    assert!(failed.err.contains("teashop is failed"), "{}", failed.err);
}

#[actix_web::test]
async fn a_provision_is_cancelled_by_its_stores_name_or_by_its_own_id() {
    let mut failed = store("failed");
    failed["operation"]["kind"] = "unwind".into();
    failed["operation"]["status"] = "queued".into();
    let server = Server::start()
        .on("GET /api/v1/stores?", [page(&[store("provisioning")], 1)])
        .on(&format!("GET /api/v1/stores/{STORE}"), [get("provisioning")])
        .on(&format!("POST /api/v1/operations/{OPERATION}/cancel"), [Reply::new(202, json!({"store": failed}))]);

    let by_name = server.run("stores cancel teashop").await;
    let by_id = server.run(&format!("operations cancel {OPERATION}")).await;

    for outcome in [by_name, by_id] {
        assert_eq!((outcome.code, outcome.out.as_str()), (0, "store-1a2b3c4d\n"), "{}", outcome.err);
        assert!(outcome.err.contains("What was made is being removed"), "{}", outcome.err);
    }
}

#[actix_web::test]
async fn a_refused_cancellation_says_what_to_do_instead() {
    let refusal = refusal(409, "A delete that is running cannot be cancelled", "Cancel a provision only.");
    let server = Server::start().on(&format!("POST /api/v1/operations/{OPERATION}/cancel"), [refusal]);

    let outcome = server.run(&format!("operations cancel {OPERATION}")).await;

    assert_eq!((outcome.code, outcome.out.as_str()), (1, ""));
    assert!(outcome.err.contains("cannot be cancelled") && outcome.err.contains("Cancel a provision only."));
}
