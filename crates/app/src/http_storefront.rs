//! Storefronts as a shopper sees them: HTTP through the ingress, on the store's own host.
//!
//! With an ingress address every store is looked for there, whatever DNS says: the name still goes into the Host header and the TLS
//! handshake, so it is the ingress that finds the store. Nothing is kept between two probes, for a store may have moved.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::HOST;
use reqwest::redirect::Policy;
use shopwright_domain::store::StoreHost;
use shopwright_ports::storefront::{Storefront, StorefrontError};

use crate::config::{IngressAddr, Scheme};

/// As much of an answer is read as tells that it is one.
const BODY_LIMIT: usize = 64 * 1024;

/// Probes storefronts over HTTP.
#[derive(Debug, Clone)]
pub struct HttpStorefront {
    client: reqwest::Client,
    scheme: Scheme,
    public_port: u16,
    connect_port: u16,
}

/// Sends every name to the ingress.
#[derive(Debug)]
struct ToIngress(Arc<IngressAddr>);

impl Resolve for ToIngress {
    fn resolve(&self, _: Name) -> Resolving {
        let ingress = Arc::clone(&self.0);
        Box::pin(async move {
            // Port 0: the one in the URL counts.
            let found = tokio::net::lookup_host((ingress.host.as_str(), 0)).await?;
            let addresses: Addrs = Box::new(found.collect::<Vec<_>>().into_iter());
            Ok(addresses)
        })
    }
}

impl HttpStorefront {
    /// Connects to `ingress`, or where DNS says when there is none. `public_port` is the one that shoppers use.
    ///
    /// # Errors
    /// When the machine has no trusted certificates for TLS.
    pub fn new(
        ingress: Option<IngressAddr>,
        scheme: Scheme,
        public_port: u16,
        timeout: Duration,
    ) -> Result<Self, reqwest::Error> {
        let builder = reqwest::Client::builder()
            .no_proxy()
            // A redirect is an answer of its own, and may lead anywhere.
            .redirect(Policy::none())
            // HTTP/2 would replace our Host header by the address in the URL.
            .http1_only()
            .pool_max_idle_per_host(0)
            .timeout(timeout)
            .user_agent("shopwright-probe");
        let connect_port = match &ingress {
            Some(ingress) => ingress.port.unwrap_or(scheme.default_port()),
            None => public_port,
        };
        let builder = match ingress {
            Some(ingress) => builder.dns_resolver(Arc::new(ToIngress(Arc::new(ingress)))),
            None => builder,
        };
        Ok(Self { client: builder.build()?, scheme, public_port, connect_port })
    }

    /// What a browser would send as `Host`.
    fn host_header(&self, host: &StoreHost) -> String {
        if self.public_port == self.scheme.default_port() {
            host.to_string()
        } else {
            format!("{host}:{}", self.public_port)
        }
    }

    async fn get(&self, host: &StoreHost, path: &str) -> Result<u16, reqwest::Error> {
        let url = format!("{}://{host}:{}{path}", self.scheme.as_str(), self.connect_port);
        let mut response = self.client.get(url).header(HOST, self.host_header(host)).send().await?;
        // An ingress may promise an answer that the store then does not finish.
        let mut read = 0;
        while let Some(chunk) = response.chunk().await? {
            read += chunk.len();
            if read >= BODY_LIMIT {
                break;
            }
        }
        Ok(response.status().as_u16())
    }
}

#[async_trait]
impl Storefront for HttpStorefront {
    async fn probe(&self, host: &StoreHost, path: &str) -> Result<(), StorefrontError> {
        match self.get(host, path).await {
            Ok(200..=299) => Ok(()),
            Ok(status) => Err(StorefrontError::Status { host: host.clone(), path: path.to_owned(), status }),
            Err(error) => {
                let error = error.without_url();
                let detail = describe(&error);
                Err(StorefrontError::Unreachable { host: host.clone(), detail, source: Some(Box::new(error)) })
            }
        }
    }
}

/// The innermost cause says what happened ("Connection refused"); the layers above only that something did.
pub(crate) fn describe(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return io.to_string();
        }
    }
    cause.to_string()
}

#[cfg(test)]
#[path = "http_storefront/tests.rs"]
mod tests;
