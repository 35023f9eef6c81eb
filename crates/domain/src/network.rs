//! Addresses of clients: which proxies are believed, and whose address a request has.
//!
//! Anybody can write a header. What it says counts only as far as proxies of ours have written it: from the end of the list backwards,
//! until an address that is none of theirs.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// A range of addresses, `10.0.0.0/8`; an address alone is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr(IpNet);

/// A text that is no range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address or a range like 10.0.0.0/8")]
pub struct InvalidCidr(pub String);

impl Cidr {
    /// Whether the address is in the range. An IPv4 address is the same whether or not it is written as IPv6.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// Whether every address is in the range.
    pub fn is_everything(&self) -> bool {
        self.0.prefix_len() == 0
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Cidr {
    type Err = InvalidCidr;

    fn from_str(text: &str) -> Result<Self, InvalidCidr> {
        let trimmed = text.trim();
        let range = trimmed.parse().or_else(|_| trimmed.parse().map(|address: IpAddr| IpNet::from(address)));
        range.map(Self).map_err(|_| InvalidCidr(text.chars().take(80).collect()))
    }
}

/// The proxies in front of us, whose word about a client's address is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(pub Vec<Cidr>);

impl TrustedProxies {
    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(address))
    }

    /// Whose request it is: `peer` is who is connected, `forwarded` the value of a `Forwarded` header, `x_forwarded_for` that of
    /// `X-Forwarded-For`, which counts only without the other one. Several headers of one name are joined by commas.
    pub fn client(&self, peer: IpAddr, forwarded: Option<&str>, x_forwarded_for: Option<&str>) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        let nodes: Vec<Option<IpAddr>> = match (forwarded, x_forwarded_for) {
            (Some(forwarded), _) => forwarded.split(',').map(forwarded_for).collect(),
            (None, Some(list)) => list.split(',').map(node).collect(),
            (None, None) => Vec::new(),
        };
        let mut client = peer;
        for node in nodes.into_iter().rev() {
            // What no address can be read from (`unknown`, a name, rubbish) was passed on by the last one that we know.
            let Some(address) = node else { break };
            client = address;
            if !self.trusts(address) {
                break;
            }
        }
        client
    }
}

/// The address in `for=` of one element of `Forwarded` (RFC 7239).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    node(value.trim().trim_matches('"'))
}

/// An address, perhaps with a port: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None if text.matches(':').count() == 1 => text.split(':').next().unwrap_or_default(),
        None => text,
    };
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// The part of an address that one client is assumed to have: an IPv6 client has a network of 64 bits to choose from.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => std::net::Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_range_holds_what_begins_alike() {
        let range: Cidr = "10.1.0.0/16".parse().unwrap();
        assert!(range.contains(ip("10.1.255.1")) && range.contains(ip("::ffff:10.1.2.3")));
        assert!(!range.contains(ip("10.2.0.1")) && !range.contains(ip("::1")));
        assert!("2001:db8::/32".parse::<Cidr>().unwrap().contains(ip("2001:db8:ffff::1")));
        assert!("0.0.0.0/0".parse::<Cidr>().unwrap().contains(ip("203.0.113.1")));
        assert!(!"192.0.2.1".parse::<Cidr>().unwrap().contains(ip("192.0.2.2")));
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "a/8", "10.0.0.0/", "10.0.0.0/-1"] {
            assert!(text.parse::<Cidr>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_what_our_own_proxies_say_counts() {
        let ours = TrustedProxies(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        let client = |peer, forwarded, list| ours.client(ip(peer), forwarded, list).to_string();

        // Somebody who is no proxy of ours may write what they like.
        assert_eq!(client("203.0.113.9", Some("for=192.0.2.1"), Some("192.0.2.1")), "203.0.113.9");
        assert_eq!(client("10.0.0.1", None, Some("192.0.2.1")), "192.0.2.1");
        // The first entry is the client's own invention.
        assert_eq!(client("10.0.0.1", None, Some("1.1.1.1, 192.0.2.1, 10.0.0.2")), "192.0.2.1");
        assert_eq!(client("10.0.0.1", None, Some("10.0.0.3, 10.0.0.2")), "10.0.0.3");
        assert_eq!(client("10.0.0.1", None, Some("1.1.1.1, unknown, 10.0.0.2")), "10.0.0.2");
        assert_eq!(
            client("10.0.0.1", Some("for=192.0.2.60;proto=http, for=\"[2001:db8::17]:4711\""), Some("1.1.1.1")),
            "2001:db8::17"
        );
        assert_eq!(client("::ffff:10.0.0.1", Some("For=\"192.0.2.43:99\";by=10.0.0.1"), None), "192.0.2.43");
        assert_eq!(client("10.0.0.1", None, None), "10.0.0.1");
        assert_eq!(TrustedProxies::default().client(ip("10.0.0.1"), None, Some("192.0.2.1")).to_string(), "10.0.0.1");
    }

    #[test]
    fn an_ipv6_client_is_its_network() {
        assert_eq!(network_of(ip("2001:db8:1:2:3:4:5:6")), ip("2001:db8:1:2::"));
        assert_eq!(network_of(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
    }

    proptest! {
        #[test]
        fn no_header_is_too_strange(forwarded in "\\PC{0,80}", list in "[0-9a-f:., \\[\\]\"]{0,80}") {
            let ours = TrustedProxies(vec!["127.0.0.0/8".parse().unwrap()]);
            ours.client(ip("127.0.0.1"), Some(&forwarded), Some(&list));
            ours.client(ip("127.0.0.1"), None, Some(&list));
        }

        #[test]
        fn a_stranger_is_always_who_is_connected(list in "\\PC{0,80}") {
            let ours = TrustedProxies(vec!["10.0.0.0/8".parse().unwrap()]);
            prop_assert_eq!(ours.client(ip("203.0.113.1"), Some(&list), Some(&list)), ip("203.0.113.1"));
        }
    }
}
