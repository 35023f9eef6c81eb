//! Single requests over one shared HTTP stack: each as one of two identities, with a limit in time, and never repeated here.
//!
//! *Base* is the control plane's own account. *Worker* is the impersonated user that carries the claim: its store and its epoch
//! (DECISIONS 1, 3); the admission policy compares both with the namespace's.

mod list;
mod request;

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use kube::Client;
use kube::client::Body;
use kube::core::Status;
use serde::de::DeserializeOwned;
use shopwright_domain::Epoch;
use shopwright_ports::Source;
use shopwright_ports::cluster::Fence;

use crate::names::{EPOCH_EXTRA, STORE_EXTRA, WORKER_GROUP, WORKER_USER};
use crate::stack::retry_after;

/// As whom a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity<'a> {
    Base,
    /// Of a claim: of the store with this namespace, at this epoch.
    Worker {
        namespace: &'a str,
        epoch: Epoch,
    },
}

/// Why a request did not bring what it should.
#[derive(Debug)]
pub(crate) enum CallError {
    /// No answer, or one that says that the cluster is ill.
    NoAnswer { detail: String, source: Option<Source> },
    /// The cluster said no.
    Refused(Refusal),
}

/// A refusal in the apiserver's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    pub(crate) reason: String,
    pub(crate) message: String,
    /// The kind of object that it is about, if it says so.
    pub(crate) kind: String,
    pub(crate) retry_after: Option<Duration>,
}

impl CallError {
    pub(crate) fn has_code(&self, code: u16) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.code == code)
    }
}

#[derive(Clone)]
pub(crate) struct Calls {
    client: Client,
    timeout: Duration,
}

impl Calls {
    pub(crate) const fn new(client: Client, timeout: Duration) -> Self {
        Self { client, timeout }
    }

    /// The stack itself, for watches: they have no limit in time.
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    /// Sends and reads the whole answer, all of it within the limit.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        identity: Identity<'_>,
        request: Request<Vec<u8>>,
    ) -> Result<T, CallError> {
        let (what, body) = self.exchange(identity, request).await?;
        serde_json::from_slice(&body).map_err(|error| CallError::NoAnswer {
            detail: format!("{what}: the answer is not what was asked for"),
            source: Some(error.into()),
        })
    }

    /// The same for an answer that is text.
    async fn send_text(&self, identity: Identity<'_>, request: Request<Vec<u8>>) -> Result<String, CallError> {
        let (_, body) = self.exchange(identity, request).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// Sends, and only wants to know that the answer is yes.
    pub(crate) async fn send_unread(&self, identity: Identity<'_>, request: Request<Vec<u8>>) -> Result<(), CallError> {
        self.exchange(identity, request).await.map(drop)
    }

    async fn exchange(
        &self,
        identity: Identity<'_>,
        mut request: Request<Vec<u8>>,
    ) -> Result<(String, Vec<u8>), CallError> {
        identity.write_to(request.headers_mut());
        let what = format!("{} {}", request.method(), request.uri().path());
        let exchange = async {
            let (parts, body) = self.client.send(request.map(Body::from)).await?.into_parts();
            Ok::<_, kube::Error>((parts, body.collect_bytes().await?.to_vec()))
        };
        let (parts, body) = match tokio::time::timeout(self.timeout, exchange).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                return Err(CallError::NoAnswer {
                    detail: format!("{what}: {}", words(&error)),
                    source: Some(error.into()),
                });
            }
            Err(_) => {
                let detail = format!("{what}: no answer within {:?}", self.timeout);
                return Err(CallError::NoAnswer { detail, source: None });
            }
        };
        if parts.status.is_success() {
            Ok((what, body))
        } else {
            Err(refusal(&what, parts.status, &parts.headers, &body))
        }
    }
}

impl<'a> Identity<'a> {
    pub(crate) fn worker(fence: &'a Fence) -> Self {
        Self::Worker { namespace: fence.store_id.namespace(), epoch: fence.epoch }
    }

    fn write_to(self, headers: &mut HeaderMap) {
        if let Self::Worker { namespace, epoch } = self {
            headers.insert(HeaderName::from_static("impersonate-user"), HeaderValue::from_static(WORKER_USER));
            headers.insert(HeaderName::from_static("impersonate-group"), HeaderValue::from_static(WORKER_GROUP));
            let extra = |key| HeaderName::try_from(format!("impersonate-extra-{key}"));
            // What cannot be a header is left out, and the policy refuses who carries nothing.
            if let (Ok(store), Ok(namespace)) = (extra(STORE_EXTRA), HeaderValue::from_str(namespace)) {
                headers.insert(store, namespace);
            }
            if let Ok(extra) = extra(EPOCH_EXTRA) {
                headers.insert(extra, HeaderValue::from(epoch.0));
            }
        }
    }
}

fn refusal(what: &str, code: StatusCode, headers: &HeaderMap, body: &[u8]) -> CallError {
    // Proxies, and an overloaded apiserver, answer in plain text.
    let status: Status = serde_json::from_slice(body).unwrap_or_else(|_| {
        let text: String = String::from_utf8_lossy(body).chars().filter(|c| !c.is_control()).take(200).collect();
        Status::failure(&text, "")
    });
    if code.is_server_error() {
        let detail = format!("{what}: {} {}", code.as_u16(), status.message);
        return CallError::NoAnswer { detail: detail.trim_end().to_owned(), source: None };
    }
    let (kind, wait) = status.details.map(|details| (details.kind, details.retry_after_seconds)).unwrap_or_default();
    let told = || Some(Duration::from_secs(u64::from(wait))).filter(|wait| !wait.is_zero());
    CallError::Refused(Refusal {
        code: code.as_u16(),
        reason: status.reason,
        message: status.message,
        kind,
        retry_after: retry_after(headers).or_else(told),
    })
}

/// The innermost reason: "connection refused" says more than "client error".
fn words(error: &kube::Error) -> String {
    if matches!(error, kube::Error::Auth(_)) {
        // It may hold what a credential helper printed.
        return "the kubeconfig's credentials could not be obtained".to_owned();
    }
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests;
