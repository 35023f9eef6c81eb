//! URLs and values of stores.

use std::path::PathBuf;

use shopwright_domain::store::HostSuffix;

use crate::config::reader::Reader;
use crate::config::settings::{
    SHOPWRIGHT_ALLOW_BARE_WORDPRESS, STORE_DOMAIN_SUFFIX, STORE_PROFILE, STORE_PUBLIC_PORT, STORE_SCHEME,
};
use crate::config::{paths, values};

/// The scheme of stores' URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

impl Scheme {
    const WORDS: [(&'static str, Self); 2] = [("http", Self::Http), ("https", Self::Https)];

    /// As it stands in URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that URLs need not name.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Which values file of the chart stores are made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// One machine.
    Local,
    /// A cluster for customers.
    Production,
}

impl Profile {
    const WORDS: [(&'static str, Self); 2] = [("local", Self::Local), ("production", Self::Production)];
}

/// URLs and values of stores.
#[derive(Debug, Clone)]
pub struct StoresConfig {
    /// What follows a store's name in its host.
    pub domain_suffix: HostSuffix,
    /// The scheme of URLs.
    pub scheme: Scheme,
    /// The port of URLs.
    pub public_port: u16,
    /// The values file of the chart.
    pub profile: Profile,
    /// Values instead of the profile's: a file, or a directory with `<engine>.yaml`.
    pub values: Option<PathBuf>,
    /// Whether WordPress without its plugin counts as a store.
    pub allow_bare_wordpress: bool,
}

pub(in crate::config) fn stores(reader: &mut Reader<'_>) -> Option<StoresConfig> {
    let domain_suffix =
        reader.read(&STORE_DOMAIN_SUFFIX, |text| text.parse().map_err(|_| "is not the end of a host name".to_owned()));
    let scheme = reader.read(&STORE_SCHEME, values::word(&Scheme::WORDS));
    let public_port = reader.read(&STORE_PUBLIC_PORT, values::number(1..=u16::MAX));
    let profile = reader.read(&STORE_PROFILE, values::word(&Profile::WORDS));
    let values = paths::store_values(reader);
    let allow_bare_wordpress = reader.read(&SHOPWRIGHT_ALLOW_BARE_WORDPRESS, values::switch);
    Some(StoresConfig {
        domain_suffix: domain_suffix?,
        scheme: scheme?,
        public_port: public_port.unwrap_or(scheme?.default_port()),
        profile: profile?,
        values,
        allow_bare_wordpress: allow_bare_wordpress?,
    })
}
