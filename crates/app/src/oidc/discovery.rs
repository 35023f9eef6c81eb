//! What an issuer publishes: its metadata, and its keys. Both are read with a limit on time and size, and no redirect is followed.

use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Documents of real issuers have some 10 KiB.
const LARGEST: usize = 256 * 1024;

/// The URL of an issuer, as it stands in its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerUrl(String);

/// It is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIssuer {
    /// It cannot be read.
    #[error("is not a URL without query and fragment")]
    Url,
    /// Whoever stands in between could give out keys.
    #[error("is not https (http is for issuers on this machine's loopback interface alone)")]
    Scheme,
}

/// Whether what is fetched from there comes from there.
fn is_safe(url: &Url) -> bool {
    let loopback = url.host_str().is_some_and(|host| matches!(host, "127.0.0.1" | "[::1]" | "localhost"));
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

impl IssuerUrl {
    /// The issuer exactly as its tokens spell it.
    ///
    /// # Errors
    /// [`InvalidIssuer`]
    pub fn parse(text: &str) -> Result<Self, InvalidIssuer> {
        let url = Url::parse(text).map_err(|_| InvalidIssuer::Url)?;
        if url.query().is_some() || url.fragment().is_some() || url.host_str().is_none() || !url.username().is_empty() {
            return Err(InvalidIssuer::Url);
        }
        if is_safe(&url) { Ok(Self(text.to_owned())) } else { Err(InvalidIssuer::Scheme) }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why nothing came of it; for the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("no answer: {0}")]
    Http(#[from] reqwest::Error),
    #[error("{url} answered {status}")]
    Status { url: String, status: u16 },
    #[error("{0} is larger than {LARGEST} bytes")]
    TooLarge(String),
    #[error("{0} is not what it should be")]
    Malformed(String),
    #[error("the metadata is that of {0}")]
    AnotherIssuer(String),
    #[error("the keys are said to be at {0}, which is not https")]
    UnsafeKeys(String),
}

/// A client for both documents.
pub(super) fn client(patience: Duration) -> Result<Client, reqwest::Error> {
    Client::builder().timeout(patience).redirect(Policy::none()).no_proxy().build()
}

async fn fetch<T: DeserializeOwned>(client: &Client, url: Url) -> Result<T, FetchError> {
    let mut answer = client.get(url.clone()).header("accept", "application/json").send().await?;
    if !answer.status().is_success() {
        return Err(FetchError::Status { url: url.into(), status: answer.status().as_u16() });
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > LARGEST {
            return Err(FetchError::TooLarge(url.into()));
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|_| FetchError::Malformed(url.into()))
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// The issuer's keys as they are now.
pub(super) async fn keys(client: &Client, issuer: &IssuerUrl) -> Result<JwkSet, FetchError> {
    let address = format!("{}/.well-known/openid-configuration", issuer.as_str().trim_end_matches('/'));
    let url = Url::parse(&address).map_err(|_| FetchError::Malformed(address))?;
    let metadata: Metadata = fetch(client, url).await?;
    if metadata.issuer != issuer.as_str() {
        return Err(FetchError::AnotherIssuer(metadata.issuer.chars().take(200).collect()));
    }
    let url = Url::parse(&metadata.jwks_uri).ok().filter(is_safe);
    let url = url.ok_or_else(|| FetchError::UnsafeKeys(metadata.jwks_uri.chars().take(200).collect()))?;
    fetch(client, url).await
}
