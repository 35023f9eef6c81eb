//! The numbers by which stores are granted, and how their URLs look.

use jiff::SignedDuration;
use shopwright_domain::ClusterName;
use shopwright_domain::limits::Rate;
use shopwright_domain::plans::Plans;
use shopwright_domain::store::{HostSuffix, StoreHost, StoreUrls};

/// The numbers.
#[derive(Debug, Clone)]
pub struct StoreRules {
    /// What follows a store's label in its host.
    pub suffix: HostSuffix,
    /// How a store's URLs look.
    pub urls: PublicUrls,
    /// Quota, pause between two creations and retries, by the organisation's plan. Platform administrators need not pause.
    pub plans: Plans,
    /// How long a deleted store's host stays unavailable (RELIABILITY S31).
    pub host_quarantine: SignedDuration,
    /// How long an idempotency key is remembered.
    pub idempotency_window: SignedDuration,
    /// How often one person may look at credentials of stores.
    pub reveal_rate: Rate,
    /// Where new stores are placed.
    pub cluster: ClusterName,
}

impl Default for StoreRules {
    fn default() -> Self {
        Self {
            suffix: HostSuffix::local(),
            urls: PublicUrls { scheme: "http".to_owned(), port: None },
            plans: Plans::default(),
            host_quarantine: SignedDuration::from_hours(30 * 24),
            idempotency_window: SignedDuration::from_hours(24),
            reveal_rate: Rate { limit: 10, window: SignedDuration::from_mins(15) },
            cluster: ClusterName::default_cluster(),
        }
    }
}

/// How shoppers reach hosts: the scheme, and a port when it is not the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrls {
    /// `http` or `https`.
    pub scheme: String,
    /// The port in URLs.
    pub port: Option<u16>,
}

impl PublicUrls {
    /// Where shoppers reach `host`.
    pub fn storefront(&self, host: &StoreHost) -> String {
        let own = match self.scheme.as_str() {
            "https" => 443,
            _ => 80,
        };
        match self.port {
            Some(port) if port != own => format!("{}://{host}:{port}", self.scheme),
            _ => format!("{}://{host}", self.scheme),
        }
    }

    /// Both URLs of a store whose merchant signs in at `admin_path`.
    pub fn of(&self, host: &StoreHost, admin_path: &str) -> StoreUrls {
        let storefront = self.storefront(host);
        let admin = format!("{storefront}{admin_path}");
        StoreUrls { storefront, admin }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_shown_only_when_it_is_not_the_schemes_own() {
        let host: StoreHost = "tea.example.com".parse().unwrap();
        let url = |scheme: &str, port| PublicUrls { scheme: scheme.to_owned(), port }.storefront(&host);

        assert_eq!(url("http", Some(8080)), "http://tea.example.com:8080");
        assert_eq!(url("http", Some(80)), "http://tea.example.com");
        assert_eq!(url("https", Some(443)), "https://tea.example.com");
        assert_eq!(url("https", None), "https://tea.example.com");
    }
}
