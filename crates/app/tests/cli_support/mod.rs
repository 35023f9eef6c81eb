//! A tiny server that plays a script, and a console whose words can be read.

use std::collections::VecDeque;
use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};

use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use clap::Parser;
use serde_json::{Value, json};
use shopwright_app::cli::client::{Console, run_client};
use shopwright_app::cli::definition::{Cli, Command};
use shopwright_app::config::Environment;

pub(crate) const STORE: &str = "store-1a2b3c4d";
pub(crate) const OPERATION: &str = "00000000-0000-4000-8000-000000000001";

/// What the server was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) token: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) body: Value,
}

/// One answer of the script.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn new(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
}

#[derive(Default)]
struct Script {
    /// By the start of the request line: answers in order; the last one stays.
    replies: Vec<(String, VecDeque<Reply>)>,
    asked: Vec<Asked>,
}

/// A server on the loopback interface.
pub(crate) struct Server {
    pub(crate) url: String,
    script: Arc<Mutex<Script>>,
    home: tempfile::TempDir,
}

async fn answer(request: HttpRequest, body: web::Bytes, script: web::Data<Mutex<Script>>) -> HttpResponse {
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let line = format!("{} {}", request.method(), request.uri());
    let mut script = script.lock().unwrap();
    script.asked.push(Asked {
        line: line.clone(),
        token: header("authorization"),
        key: header("idempotency-key"),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    });
    let replies = script.replies.iter_mut().find(|(start, _)| line.starts_with(start.as_str()));
    let Some((_, replies)) = replies else { return HttpResponse::NotImplemented().body(line) };
    let reply = if replies.len() > 1 { replies.pop_front().unwrap() } else { replies[0].clone() };
    let mut response = HttpResponse::build(StatusCode::from_u16(reply.status).unwrap());
    for header in reply.headers {
        response.insert_header(header);
    }
    response.json(reply.body)
}

impl Server {
    /// Starts with a signed-in user.
    pub(crate) fn start() -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        let data = web::Data::from(Arc::clone(&script));
        let server = HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(answer)));
        let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        tokio::spawn(server.run());
        Self { url, script, home: tempfile::tempdir().unwrap() }
    }

    /// Answers requests whose line starts like this with these replies, the last one for ever.
    pub(crate) fn on(self, start: &str, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.script.lock().unwrap().replies.push((start.to_owned(), replies.into_iter().collect()));
        self
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.script.lock().unwrap().asked.clone()
    }

    pub(crate) fn home(&self) -> &std::path::Path {
        self.home.path()
    }

    /// Runs a command as a signed-in user.
    pub(crate) async fn run(&self, line: &str) -> Outcome {
        self.run_with(line, "", &[("SHOPWRIGHT_TOKEN", "token-1")]).await
    }

    /// Runs a command with this standard input and these variables.
    pub(crate) async fn run_with(&self, line: &str, input: &str, variables: &[(&str, &str)]) -> Outcome {
        let words = ["shopwright", "--server", &self.url].into_iter().chain(line.split(' '));
        let cli = Cli::try_parse_from(words).unwrap();
        let Command::Client(command) = cli.command else { panic!("{line} is no command of the client") };
        let home = self.home.path().display().to_string();
        let variables = [("HOME", home.as_str())].into_iter().chain(variables.iter().copied());
        let environment = Environment::of_variables(variables);
        let (out, err) = (Words::default(), Words::default());
        let input = Cursor::new(input.as_bytes().to_vec());
        let mut console = Console::of_streams(out.clone(), err.clone(), input);
        let code = run_client(command, &cli.client, &environment, &mut console).await;
        Outcome { code, out: out.text(), err: err.text() }
    }
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

#[derive(Clone, Default)]
struct Words(Arc<Mutex<Vec<u8>>>);

impl Words {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Words {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A store as the API shows it.
pub(crate) fn store(status: &str) -> Value {
    let url = (status == "ready").then_some("http://teashop.localhost:8080");
    json!({
        "id": STORE, "name": "teashop", "engine": "medusa", "status": status, "theme": null,
        "urls": {"storefront": url, "admin": null}, "host": "teashop.localhost", "adminCredentials": {},
        "failureReason": (status == "failed").then_some("no node has room. Add capacity."), "engineNote": null,
        "provisioningDurationMs": null, "createdAt": "2026-01-01T00:00:00.000Z",
        "operation": {"id": OPERATION, "storeId": STORE, "kind": "provision", "status": operation_status(status)},
    })
}

fn operation_status(store: &str) -> &'static str {
    match store {
        "ready" | "deleted" => "succeeded",
        "failed" => "failed",
        _ => "running",
    }
}

/// `{store}` with this status.
pub(crate) fn get(status: &str) -> Reply {
    Reply::new(200, json!({"requestId": "req_1", "store": store(status)}))
}

/// `{operation}` with these steps: name and status.
pub(crate) fn operation(status: &str, steps: &[(&str, &str)]) -> Reply {
    let steps: Vec<Value> = steps
        .iter()
        .map(|(name, status)| {
            let finished = (*status == "succeeded").then_some("2026-01-01T00:00:01.500Z");
            json!({"name": name, "status": status, "attempts": 0, "startedAt": "2026-01-01T00:00:00.000Z", "finishedAt": finished})
        })
        .collect();
    Reply::new(
        200,
        json!({"operation": {"id": OPERATION, "storeId": STORE, "kind": "provision", "status": status, "steps": steps}}),
    )
}

/// A page of these stores.
pub(crate) fn page(stores: &[Value], total: usize) -> Reply {
    Reply::new(200, json!({"stores": stores, "total": total, "limit": 100, "offset": 0}))
}

/// The API's error envelope.
pub(crate) fn refusal(status: u16, message: &str, suggestion: &str) -> Reply {
    let error = json!({"code": "X", "message": message, "suggestion": suggestion, "retryable": false});
    Reply::new(status, json!({"requestId": "req_42", "error": error}))
}
