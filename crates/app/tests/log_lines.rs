//! P21: every line about a request or an operation says whose it is. A real server, with a simulated cluster.

#![expect(clippy::unwrap_used, reason = "a step of a test that fails is a failed test")]

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

struct Server {
    base: String,
    child: Child,
    log: tempfile::NamedTempFile,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = tempfile::NamedTempFile::new().unwrap();
        let child = Command::new(assert_cmd::cargo::cargo_bin!("shopwright"))
            .arg("serve")
            .env_clear()
            .env("HTTP_ADDR", format!("127.0.0.1:{port}"))
            .env("SHOPWRIGHT_SIMULATED", "true")
            .env("LOG_FORMAT", "json")
            // The spans around a line are there however few lines are wanted.
            .env("RUST_LOG", "info")
            .stdout(Stdio::null())
            .stderr(log.reopen().unwrap())
            .spawn()
            .unwrap();
        Self { base: format!("http://127.0.0.1:{port}"), child, log }
    }

    fn lines(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.log.path()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
    }
}

/// Asks until the answer is as wanted.
async fn until(url: &str, token: &str, is_wanted: impl Fn(StatusCode, &Value) -> bool) -> Value {
    let (start, client) = (Instant::now(), reqwest::Client::new());
    loop {
        if let Ok(answer) = client.get(url).bearer_auth(token).send().await {
            let status = answer.status();
            let body = answer.json().await.unwrap_or_default();
            if is_wanted(status, &body) {
                return body;
            }
        }
        assert!(start.elapsed() < Duration::from_mins(2), "{url} did not become what was wanted");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn every_line_about_an_operation_says_whose_it_is() {
    let server = Server::start();
    let api = format!("{}/api/v1", server.base);
    until(&format!("{}/readyz", server.base), "", |status, _| status.is_success()).await;
    let client = reqwest::Client::new();
    let account = json!({"email": "ada@example.com", "username": "ada", "password": "correct horse"});
    let answer = client.post(format!("{api}/auth/register")).json(&account).send().await.unwrap();
    let token = answer.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned();

    let wanted = json!({"name": "teashop", "engine": "woocommerce"});
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let asked = client.post(format!("{api}/stores?secret=in-the-query")).bearer_auth(&token).json(&wanted);
    let answer =
        asked.header("traceparent", &traceparent).header("x-request-id", "req_of_the_test").send().await.unwrap();

    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let place = answer.headers()["traceparent"].to_str().unwrap().to_owned();
    assert!(place.contains(TRACE) && place != traceparent, "{place}");
    let store = answer.json::<Value>().await.unwrap()["store"].clone();
    let (id, operation) = (store["id"].as_str().unwrap(), store["operation"]["id"].as_str().unwrap());
    until(&format!("{api}/stores/{id}"), &token, |_, body| body["store"]["status"] == "ready").await;
    let logs = until(&format!("{api}/stores/{id}/logs"), &token, |_, body| body["total"].as_u64() > Some(2)).await;

    let lines = server.lines();
    let about: Vec<&Value> = lines.iter().filter(|line| line.to_string().contains(operation)).collect();
    assert!(about.len() >= 3, "{lines:#?}");
    for line in about {
        assert_eq!(
            (&line["requestId"], &line["operationId"], &line["storeId"], &line["traceId"]),
            (&json!("req_of_the_test"), &json!(operation), &json!(id), &json!(TRACE)),
            "{line}"
        );
        assert!(line["epoch"].as_i64().is_some_and(|epoch| epoch > 0), "{line}");
    }
    for line in lines.iter().filter(|line| line["message"] == "answered") {
        assert!(line["requestId"].is_string() && line["traceId"].is_string(), "{line}");
    }
    // No query, no token, no password in any line.
    let text = lines.iter().map(Value::to_string).collect::<String>();
    for secret in ["in-the-query", token.as_str(), "correct horse"] {
        assert!(!text.contains(secret), "{secret}");
    }
    // And every audit row of the store names the trace.
    for entry in logs["logs"].as_array().unwrap() {
        assert_eq!(entry["metadata"]["traceId"], TRACE, "{entry}");
    }
}
