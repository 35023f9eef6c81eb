//! Requests to the server, and its refusals as errors.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::{Host, Url};

use super::error::ClientError;
use crate::http_storefront::describe;

const TIMEOUT: Duration = Duration::from_secs(30);

/// One server.
pub(super) struct Api {
    server: String,
    client: reqwest::Client,
    token: Option<SecretString>,
}

/// An answer: as it came, and when to ask again.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) body: Value,
    pub(super) retry_after: Option<Duration>,
    /// Whether everything is simulated.
    pub(super) simulated: bool,
    server: String,
}

impl Answer {
    /// The answer as something that is known.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        T::deserialize(&self.body)
            .map_err(|error| ClientError::Foreign { server: self.server.clone(), detail: error.to_string() })
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    #[serde(default)]
    request_id: Option<String>,
    #[serde(default)]
    error: EnvelopeError,
}

#[derive(Default, Deserialize)]
struct EnvelopeError {
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    suggestion: Option<String>,
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

impl Api {
    /// A server by its URL; nothing is sent yet.
    pub(super) fn new(server: &str) -> Result<Self, ClientError> {
        let wrong =
            || ClientError::Usage(format!("`{server}` is no URL of a server: write it like http://127.0.0.1:3001"));
        let url = Url::parse(server).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url = url.ok_or_else(wrong)?;
        let mut builder =
            reqwest::Client::builder().timeout(TIMEOUT).user_agent(concat!("shopwright/", env!("CARGO_PKG_VERSION")));
        if is_loopback(&url) {
            builder = builder.no_proxy();
        }
        let foreign =
            |error: reqwest::Error| ClientError::Unreachable { server: server.to_owned(), detail: describe(&error) };
        let client = builder.build().map_err(foreign)?;
        Ok(Self { server: url.as_str().trim_end_matches('/').to_owned(), client, token: None })
    }

    /// The server's URL without a slash at its end.
    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// Whether others on the way could read what is sent.
    pub(super) fn is_in_the_clear(&self) -> bool {
        Url::parse(&self.server).is_ok_and(|url| url.scheme() == "http" && !is_loopback(&url))
    }

    /// Sends this token from now on.
    pub(super) fn sign_in(&mut self, token: SecretString) {
        self.token = Some(token);
    }

    /// A GET below `/api/v1`.
    pub(super) async fn get(&self, path: &str) -> Result<Answer, ClientError> {
        self.send(self.request(Method::GET, path)).await
    }

    /// A DELETE below `/api/v1`.
    pub(super) async fn delete(&self, path: &str) -> Result<Answer, ClientError> {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// A POST below `/api/v1`. With a key the server does it once, however often it is sent.
    pub(super) async fn post(&self, path: &str, body: &Value, key: Option<&str>) -> Result<Answer, ClientError> {
        let request = self.request(Method::POST, path).header(CONTENT_TYPE, "application/json").body(body.to_string());
        self.send(match key {
            Some(key) => request.header("Idempotency-Key", key),
            None => request,
        })
        .await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}/api/v1{path}", self.server));
        match &self.token {
            Some(token) => request.bearer_auth(token.expose_secret()),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        let unreachable =
            |error: reqwest::Error| ClientError::Unreachable { server: self.server.clone(), detail: describe(&error) };
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let retry_after = retry_after(&response);
        let simulated = response.headers().contains_key("x-shopwright-simulated");
        let bytes = response.bytes().await.map_err(unreachable)?;
        let body = serde_json::from_slice::<Value>(&bytes).ok();
        if status.is_success() {
            let detail = || "it is no JSON".to_owned();
            let foreign = || ClientError::Foreign { server: self.server.clone(), detail: detail() };
            return Ok(Answer { body: body.ok_or_else(foreign)?, retry_after, simulated, server: self.server.clone() });
        }
        let envelope = body.and_then(|body| Envelope::deserialize(body).ok()).unwrap_or_default();
        Err(ClientError::Refused {
            status: status.as_u16(),
            message: envelope.error.message.unwrap_or_else(|| format!("the server answered {status}")),
            suggestion: envelope.error.suggestion,
            request_id: envelope.request_id,
            retry_after,
        })
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}
