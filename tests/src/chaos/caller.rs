//! One person's HTTP calls to the fleet: to any replica, sometimes hung up on, and what each answer means.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use super::record::{Outcome, Told};

/// A client that waits longer than this has been forgotten.
const PATIENCE: Duration = Duration::from_secs(20);

/// Somebody who is signed in at every replica.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    http: reqwest::Client,
    token: String,
}

/// What was heard of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nobody was there: nothing was done.
    Nobody,
    /// Not now: nothing was done, asking again may help.
    NotNow,
    /// An answer, or the lack of one, with the id of the store that it is about.
    Outcome(Outcome, Option<String>),
}

impl Caller {
    /// With this access token.
    ///
    /// # Errors
    /// When no client can be made.
    pub(super) fn new(token: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().connect_timeout(Duration::from_secs(2)).build()?;
        Ok(Self { http, token: token.to_owned() })
    }

    fn request(&self, method: Method, base: &str, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{base}/api/v1{path}")).bearer_auth(&self.token)
    }

    /// Asks for a store; the same key again is the same request.
    pub(super) fn create(&self, base: &str, name: &str, engine: &str, key: &str) -> RequestBuilder {
        let body = json!({"name": name, "engine": engine});
        self.request(Method::POST, base, "/stores").header("Idempotency-Key", key).json(&body)
    }

    /// Asks for the store's deletion.
    pub(super) fn delete(&self, base: &str, id: &str) -> RequestBuilder {
        self.request(Method::DELETE, base, &format!("/stores/{id}"))
    }

    /// Asks for another try.
    pub(super) fn retry(&self, base: &str, id: &str) -> RequestBuilder {
        self.request(Method::POST, base, &format!("/stores/{id}/retry"))
    }

    /// Asks for the end of an operation.
    pub(super) fn cancel(&self, base: &str, operation: &str) -> RequestBuilder {
        self.request(Method::POST, base, &format!("/operations/{operation}/cancel"))
    }

    /// Asks how the store is doing.
    pub(super) fn read(&self, base: &str, id: &str) -> RequestBuilder {
        self.request(Method::GET, base, &format!("/stores/{id}"))
    }
}

/// Sends, and listens until the answer is there or `hangs_up_after` has passed: then the connection ends in the middle (RELIABILITY F67).
pub(super) async fn send(request: RequestBuilder, hangs_up_after: Option<Duration>) -> Heard {
    let unknown = Heard::Outcome(Outcome::Unknown, None);
    match tokio::time::timeout(hangs_up_after.unwrap_or(PATIENCE), exchange(request)).await {
        Ok(Ok((status, body))) => heard(status, &body),
        Ok(Err(error)) if error.is_connect() => Heard::Nobody,
        Ok(Err(_)) | Err(_) => unknown,
    }
}

async fn exchange(request: RequestBuilder) -> reqwest::Result<(StatusCode, Value)> {
    let response: Response = request.send().await?;
    let status = response.status();
    Ok((status, serde_json::from_str(&response.text().await?).unwrap_or_default()))
}

fn heard(status: StatusCode, body: &Value) -> Heard {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if status.is_success() {
        let store = &body["store"];
        let told = &store["operation"];
        let operation = text(&told["id"]).map(|id| Told {
            id,
            kind: text(&told["kind"]).unwrap_or_default(),
            status: text(&told["status"]).unwrap_or_default(),
        });
        let state = text(&store["status"]).unwrap_or_default();
        return Heard::Outcome(Outcome::Done { state, operation }, text(&store["id"]));
    }
    // What the server's HTTP layer refuses has no words of ours.
    let code = text(&body["error"]["code"]).unwrap_or_else(|| status.to_string());
    match status {
        // 408: on a busy machine the server did not get to hear the request.
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Heard::NotNow,
        // Somebody else was at it at the same time: the key's first request, or another change of the store.
        StatusCode::CONFLICT if body["error"]["retryable"] == true => Heard::NotNow,
        _ if status.is_client_error() => {
            let state = text(&body["error"]["metadata"]["status"]);
            Heard::Outcome(Outcome::Refused { code, state }, None)
        }
        // A 5xx may come after the commit whose answer was lost.
        _ => Heard::Outcome(Outcome::Unknown, None),
    }
}
