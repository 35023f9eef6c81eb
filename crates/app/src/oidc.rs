//! Access tokens of another issuer, checked as a resource server does: by its published keys.
//!
//! Issuer, audience and algorithms are pinned by configuration and by the keys; nothing that a token says chooses how it is checked
//! (RELIABILITY S1, S2). Keys are fetched once and kept; an issuer that is away refuses nobody whose key is known.

mod discovery;
mod keys;
mod token;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shopwright_ports::clock::Clock;
use shopwright_ports::external_issuer::{ExternalIdentity, ExternalIssuer, ExternalTokenError};

pub use discovery::{InvalidIssuer, IssuerUrl};
use keys::Keys;

/// Which tokens are taken.
#[derive(Debug, Clone)]
pub struct OidcSettings {
    /// Whose.
    pub issuer: IssuerUrl,
    /// For whom they must be.
    pub audience: String,
}

/// The tokens of one issuer.
pub struct OidcIssuer {
    settings: OidcSettings,
    clock: Arc<dyn Clock>,
    keys: Keys,
}

impl std::fmt::Debug for OidcIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OidcIssuer").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl OidcIssuer {
    /// Knows no key yet: the first token fetches them, so that an issuer that is away keeps nobody from starting.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(settings: OidcSettings, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        let client = discovery::client(Duration::from_secs(5))?;
        let keys = Keys::new(settings.issuer.clone(), client, clock.clone());
        Ok(Self { settings, clock, keys })
    }
}

#[async_trait]
impl ExternalIssuer for OidcIssuer {
    fn is_named_by(&self, token: &str) -> bool {
        token::claimed_issuer(token).is_some_and(|issuer| issuer == self.settings.issuer.as_str())
    }

    async fn verify(&self, token: &str) -> Result<ExternalIdentity, ExternalTokenError> {
        let header = token::header(token).ok_or(ExternalTokenError::Invalid)?;
        let key = self.keys.get(&header.kid).await?;
        let now = self.clock.now().as_second();
        let good = token::check(token, &header, &key, &self.settings, now);
        good.ok_or(ExternalTokenError::Invalid)
    }
}

#[cfg(test)]
mod tests;
