//! Where storefront checks connect.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// A host and, when it is not the scheme's, a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngressAddr {
    /// An IP address, or a name for DNS.
    pub host: String,
    /// The port; that of the scheme when there is none.
    pub port: Option<u16>,
}

impl IngressAddr {
    /// Reads `host`, `host:port`, `ip`, `ip:port`, `[ipv6]:port`.
    ///
    /// # Errors
    /// What is wrong, to go on after the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Self { host: address.ip().to_string(), port: Some(address.port()) });
        }
        if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Ok(Self { host: ip.to_string(), port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().map_err(|_| "has no port after its colon".to_owned())?)),
            None => (text, None),
        };
        let ok = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        if ok {
            Ok(Self { host: host.to_owned(), port })
        } else {
            Err("is not a host, or a host and a port".to_owned())
        }
    }
}

impl fmt::Display for IngressAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match self.port {
            Some(port) => write!(f, "{host}:{port}"),
            None => f.write_str(&host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_addresses_come_with_and_without_a_port() {
        let show = |text: &str| IngressAddr::parse(text).map(|address| (address.host, address.port));

        assert_eq!(show("10.0.0.7"), Ok(("10.0.0.7".into(), None)));
        assert_eq!(show("10.0.0.7:8080"), Ok(("10.0.0.7".into(), Some(8080))));
        assert_eq!(show("[::1]:80"), Ok(("::1".into(), Some(80))));
        assert_eq!(show("node.example.com:80"), Ok(("node.example.com".into(), Some(80))));
        for text in ["", ":80", "node:eighty", "http://node", "a b"] {
            assert!(show(text).is_err(), "{text}");
        }
    }
}
