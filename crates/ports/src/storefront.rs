//! The store as a shopper sees it.

use async_trait::async_trait;
use shopwright_domain::store::StoreHost;

use crate::Source;

/// Why the storefront is not there yet.
#[derive(Debug, thiserror::Error)]
pub enum StorefrontError {
    /// Nothing answered at the ingress.
    #[error("no answer from the ingress for {host}: {detail}")]
    Unreachable {
        /// The store's host.
        host: StoreHost,
        /// What happened.
        detail: String,
        /// The driver's error.
        #[source]
        source: Option<Source>,
    },
    /// Something answered, but not with success.
    #[error("{host}{path} answered {status}")]
    Status {
        /// The store's host.
        host: StoreHost,
        /// The path that was asked.
        path: String,
        /// The HTTP status.
        status: u16,
    },
}

/// Asks for a page of a store the way a shopper's browser does: through the ingress, on the store's own host.
#[async_trait]
pub trait Storefront: Send + Sync {
    /// One GET; success is a 2xx answer.
    async fn probe(&self, host: &StoreHost, path: &str) -> Result<(), StorefrontError>;
}
