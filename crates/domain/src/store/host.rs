//! Hosts: where a store is reached. Unique in the installation while held.

use std::fmt;
use std::str::FromStr;

use crate::store::StoreName;

/// What follows the store's label, with its leading dot: `.localhost`, `.shops.example.com`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSuffix(String);

/// The host name of one store, lower case, without a trailing dot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreHost(String);

/// A text that is no host name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a host name: labels of letters, digits and hyphens, joined by dots, at most 253 characters")]
pub struct InvalidHost(pub String);

const LABEL_MAX: usize = 63;

fn is_label(label: &str) -> bool {
    (1..=LABEL_MAX).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

impl HostSuffix {
    /// `.localhost`, which browsers resolve to the machine itself.
    pub fn local() -> Self {
        Self(".localhost".to_owned())
    }

    /// The suffix with its leading dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HostSuffix {
    type Err = InvalidHost;

    /// A missing leading dot is added; upper case is folded.
    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        let lower = text.trim().to_ascii_lowercase();
        let bare = lower.strip_prefix('.').unwrap_or(&lower);
        // Room for the longest label and its dot within the 253 characters of a host name.
        let fits = bare.len() + 1 + LABEL_MAX <= 253;
        if fits && !bare.is_empty() && bare.split('.').all(is_label) {
            Ok(Self(format!(".{bare}")))
        } else {
            Err(InvalidHost(text.chars().take(80).collect()))
        }
    }
}

impl StoreHost {
    /// The host that a store gets when nobody else holds it: its name.
    pub fn preferred(name: &StoreName, suffix: &HostSuffix) -> Self {
        Self::of_label(name.as_str(), suffix)
    }

    /// The host for a name that somebody else holds: the name, cut to fit, and 4 hexadecimal digits of `bits`.
    pub fn alternative(name: &StoreName, suffix: &HostSuffix, bits: u16) -> Self {
        let kept: String = name.as_str().chars().take(LABEL_MAX - 5).collect();
        Self::of_label(&format!("{}-{bits:04x}", kept.trim_end_matches('-')), suffix)
    }

    pub(crate) fn of_label(label: &str, suffix: &HostSuffix) -> Self {
        Self(format!("{label}{}", suffix.as_str()))
    }

    /// The host as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StoreHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for StoreHost {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        if text.len() <= 253 && text.split('.').all(is_label) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidHost(text.chars().take(80).collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> StoreName {
        text.parse().unwrap()
    }

    #[test]
    fn a_suffix_gets_the_dot_it_lacks() {
        assert_eq!("Shops.Example.com".parse::<HostSuffix>().unwrap().as_str(), ".shops.example.com");
        assert_eq!(".localhost".parse::<HostSuffix>().unwrap(), HostSuffix::local());
    }

    #[test]
    fn a_bad_suffix_is_refused() {
        for text in ["", ".", "..com", "-a.com", "a b.com", &"a.".repeat(120)] {
            assert!(text.parse::<HostSuffix>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_taken_name_gets_four_digits_and_stays_a_label() {
        let suffix = HostSuffix::local();

        assert_eq!(StoreHost::preferred(&name("teashop"), &suffix).as_str(), "teashop.localhost");
        assert_eq!(StoreHost::alternative(&name("teashop"), &suffix, 0xbeef).as_str(), "teashop-beef.localhost");
        let long = StoreHost::alternative(&name(&"a".repeat(63)), &suffix, 1);
        assert_eq!(long.as_str(), format!("{}-0001.localhost", "a".repeat(58)));
        assert!(long.as_str().parse::<StoreHost>().is_ok());
    }

    #[test]
    fn a_cut_never_leaves_two_hyphens() {
        let cut = StoreHost::alternative(&name(&format!("{}-bcde", "a".repeat(57))), &HostSuffix::local(), 1);

        assert_eq!(cut.as_str(), format!("{}-0001.localhost", "a".repeat(57)));
    }
}
