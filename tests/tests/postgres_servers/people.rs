//! Clients that look at the whole answer: status, headers, body as it came.

use std::collections::BTreeMap;

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// An answer, word for word.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// Sends one request.
pub(crate) async fn send(
    http: &Client,
    method: Method,
    url: &str,
    token: Option<&str>,
    key: Option<&str>,
    body: Option<&Value>,
) -> anyhow::Result<Answer> {
    let mut request = http.request(method, url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    let response = request.send().await?;
    let status = response.status();
    let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    Ok(Answer { status, headers, text: response.text().await? })
}

pub(crate) async fn post(
    http: &Client,
    base: &str,
    path: &str,
    token: Option<&str>,
    key: Option<&str>,
    body: &Value,
) -> anyhow::Result<Answer> {
    send(http, Method::POST, &format!("{base}/api/v1{path}"), token, key, Some(body)).await
}

pub(crate) async fn get(http: &Client, base: &str, path: &str, token: Option<&str>) -> anyhow::Result<Answer> {
    send(http, Method::GET, &format!("{base}/api/v1{path}"), token, None, None).await
}

/// Registers somebody: what they got.
pub(crate) async fn register(http: &Client, base: &str, name: &str) -> anyhow::Result<Value> {
    let body = json!({"email": format!("{name}@example.com"), "username": name, "password": PASSWORD});
    let answer = post(http, base, "/auth/register", None, None, &body).await?;
    anyhow::ensure!(answer.status == StatusCode::CREATED, "registration: {answer:?}");
    Ok(answer.json())
}

/// Their access token.
pub(crate) fn token(signed_in: &Value) -> String {
    signed_in["token"].as_str().unwrap_or_default().to_owned()
}

pub(crate) fn shop(name: &str) -> Value {
    json!({"name": name, "engine": "medusa"})
}

/// Asks for a store until somebody says something final: keys in flight and meetings are asked again, as a good client does.
pub(crate) async fn insist(
    http: &Client,
    base: &str,
    token: &str,
    key: Option<&str>,
    name: &str,
) -> anyhow::Result<Answer> {
    for _ in 0..3_000 {
        let answer = post(http, base, "/stores", Some(token), key, &shop(name)).await?;
        let again = answer.json()["error"]["retryable"] == true;
        if !again {
            return Ok(answer);
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    anyhow::bail!("{name} was never heard")
}
