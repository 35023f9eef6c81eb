//! Requests to the server, and its refusals as errors.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::{Host, Url};

use super::credentials::{Credentials, now};
use super::error::ClientError;
use super::session::Kept;
use crate::http_storefront::describe;

const TIMEOUT: Duration = Duration::from_secs(30);

/// One server.
pub(super) struct Api {
    server: String,
    client: reqwest::Client,
    credentials: Mutex<Option<Credentials>>,
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
        Ok(Self { server: url.as_str().trim_end_matches('/').to_owned(), client, credentials: Mutex::new(None) })
    }

    /// The server's URL without a slash at its end.
    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// Whether others on the way could read what is sent.
    pub(super) fn is_in_the_clear(&self) -> bool {
        Url::parse(&self.server).is_ok_and(|url| url.scheme() == "http" && !is_loopback(&url))
    }

    /// Signs in with these from now on.
    pub(super) fn sign_in(&mut self, credentials: Credentials) {
        *self.credentials.get_mut() = Some(credentials);
    }

    /// A GET below `/api/v1`.
    pub(super) async fn get(&self, path: &str) -> Result<Answer, ClientError> {
        self.ask(Method::GET, path, None, None).await
    }

    /// A DELETE below `/api/v1`.
    pub(super) async fn delete(&self, path: &str) -> Result<Answer, ClientError> {
        self.ask(Method::DELETE, path, None, None).await
    }

    /// A PATCH below `/api/v1`.
    pub(super) async fn patch(&self, path: &str, body: &Value) -> Result<Answer, ClientError> {
        self.ask(Method::PATCH, path, Some(body), None).await
    }

    /// A POST below `/api/v1`. With a key the server does it once, however often it is sent.
    pub(super) async fn post(&self, path: &str, body: &Value, key: Option<&str>) -> Result<Answer, ClientError> {
        self.ask(Method::POST, path, Some(body), key).await
    }

    /// Asks; when the access token is over, again with the next one.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<Answer, ClientError> {
        let token = self.token(None).await?;
        let answer = self.send(self.request(&method, path, body, key, token.as_ref())).await;
        match (answer, token) {
            (Err(refusal @ ClientError::Refused { status: 401, .. }), Some(refused)) => {
                let next = self.token(Some(&refused)).await?;
                if next.as_ref().is_none_or(|next| next.expose_secret() == refused.expose_secret()) {
                    return Err(refusal);
                }
                self.send(self.request(&method, path, body, key, next.as_ref())).await
            }
            (answer, _) => answer,
        }
    }

    /// The access token to send: refreshed when it is over, or is `refused`.
    async fn token(&self, refused: Option<&SecretString>) -> Result<Option<SecretString>, ClientError> {
        let mut credentials = self.credentials.lock().await;
        let Some(credentials) = credentials.as_mut() else { return Ok(None) };
        let is_refused = refused.is_some_and(|refused| refused.expose_secret() == credentials.token().expose_secret());
        if !is_refused && !credentials.is_over() {
            return Ok(Some(credentials.token()));
        }
        let Credentials::Kept(sessions, _) = &*credentials else { return Ok(Some(credentials.token())) };
        let _refreshing = sessions.refreshing()?;
        // Whoever had the lock before may have done it already.
        let is_done = credentials.catch_up(&self.server)? && !credentials.is_over();
        if let Some(refresh_token) = credentials.refresh_token().filter(|_| !is_done) {
            let body = json!({"refreshToken": refresh_token.expose_secret()});
            let answer = self.send(self.request(&Method::POST, "/auth/refresh", Some(&body), None, None)).await?;
            credentials.renew(&self.server, Kept::new(answer.read()?, now()))?;
        }
        Ok(Some(credentials.token()))
    }

    fn request(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
        token: Option<&SecretString>,
    ) -> RequestBuilder {
        let mut request = self.client.request(method.clone(), format!("{}/api/v1{path}", self.server));
        if let Some(token) = token {
            request = request.bearer_auth(token.expose_secret());
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        match key {
            Some(key) => request.header("Idempotency-Key", key),
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
