//! Store names: a DNS label that a person chose.

use std::fmt;
use std::str::FromStr;

/// Words that would pass for a part of the platform.
const RESERVED: &[&str] = &[
    "admin",
    "alpha",
    "api",
    "app",
    "assets",
    "audit",
    "auth",
    "beta",
    "cdn",
    "config",
    "database",
    "db",
    "default",
    "demo",
    "dev",
    "development",
    "docker",
    "ftp",
    "git",
    "health",
    "helm",
    "imap",
    "internal",
    "k8s",
    "kube",
    "kubernetes",
    "login",
    "logs",
    "mail",
    "metrics",
    "mongo",
    "monitor",
    "mysql",
    "null",
    "oauth",
    "pop",
    "postgres",
    "preview",
    "private",
    "prod",
    "production",
    "public",
    "redis",
    "register",
    "registry",
    "root",
    "settings",
    "smtp",
    "ssh",
    "sso",
    "staging",
    "static",
    "status",
    "store",
    "stores",
    "svn",
    "system",
    "test",
    "undefined",
    "www",
];

/// Words that no part of a name between hyphens may be. Whole words only: `class`, `skill` and `analytics` are fine (API section 8, item 25).
const BLOCKED: &[&str] = &[
    "anal", "anus", "arse", "ass", "bastard", "bitch", "bollock", "boob", "clit", "cock", "crap", "cunt", "damn",
    "dick", "dildo", "dyke", "fag", "fuck", "hitler", "kill", "nazi", "nigger", "penis", "piss", "porn", "pussy",
    "rape", "sex", "shit", "slut", "tits", "turd", "vagina", "viagra", "wank", "whore",
];

/// 3 to 63 lower-case letters, digits and single hyphens, not at the ends, not a reserved or blocked word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreName(String);

/// Why a text is no store name. `Display` tells the user what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidStoreName {
    /// Nothing was given.
    #[error("name is required")]
    Empty,
    /// Fewer than 3 characters.
    #[error("name must have at least 3 characters")]
    TooShort,
    /// More than 63 characters.
    #[error("name must have at most 63 characters")]
    TooLong,
    /// A character that a host name cannot hold, or a hyphen at an end.
    #[error("name may hold lower-case letters, digits and hyphens, and must begin and end with a letter or digit")]
    Pattern,
    /// Two hyphens in a row.
    #[error("name must not hold two hyphens in a row")]
    DoubleHyphen,
    /// A word of the platform.
    #[error("name `{0}` is reserved: choose another")]
    Reserved(String),
    /// A name that passes for a word of the platform at a glance.
    #[error("name `{name}` looks like `{word}`, which is reserved: choose another")]
    LooksReserved {
        /// The name.
        name: String,
        /// The word.
        word: &'static str,
    },
    /// A word that is not wanted in a host name.
    #[error("name must not hold the word `{0}`")]
    Blocked(String),
}

/// What a digit, or two letters side by side, are read as at a glance.
const READ_AS: [(&str, &[&str]); 10] = [
    ("0", &["o"]),
    ("1", &["i", "l"]),
    ("3", &["e"]),
    ("4", &["a"]),
    ("5", &["s"]),
    ("7", &["t"]),
    ("8", &["b"]),
    ("9", &["g"]),
    ("rn", &["m"]),
    ("vv", &["w"]),
];

/// Whether `text` can be read as `word`. A `5` at the end is a number: `store5` is the fifth store, not the stores.
fn reads_as(text: &str, word: &str) -> bool {
    if text.is_empty() || word.is_empty() {
        return text.is_empty() && word.is_empty();
    }
    let same = text.as_bytes().first() == word.as_bytes().first() && reads_as(&text[1..], &word[1..]);
    same || READ_AS.iter().filter(|(seen, _)| text.starts_with(seen) && text != "5").any(|(seen, meant)| {
        meant.iter().any(|meant| word.starts_with(meant) && reads_as(&text[seen.len()..], &word[meant.len()..]))
    })
}

/// The reserved word that `text` passes for: with digits for letters, or cut apart by hyphens.
fn look_alike(text: &str) -> Option<&'static str> {
    let joined: String = text.split('-').collect();
    RESERVED.iter().copied().find(|word| *word == joined || reads_as(text, word))
}

impl StoreName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name near `text` that the rules allow; none when nothing can be made of it. Nobody has looked whether it is free.
    pub fn near(text: &str, number: u32) -> Option<Self> {
        let lower = text.to_lowercase();
        let words = lower.split(|c: char| !c.is_ascii_alphanumeric());
        let words: Vec<&str> = words.filter(|word| !word.is_empty() && !BLOCKED.contains(word)).collect();
        let base: String = words.join("-").chars().take(50).collect();
        let base = base.trim_matches('-');
        let ending = if number > 1 { format!("-{number}") } else { String::new() };
        let candidates = [format!("{base}{ending}"), format!("{base}-shop{ending}"), format!("my-{base}-shop{ending}")];
        candidates.into_iter().find_map(|candidate| candidate.parse().ok())
    }
}

impl fmt::Display for StoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for StoreName {
    type Err = InvalidStoreName;

    fn from_str(text: &str) -> Result<Self, InvalidStoreName> {
        let length = text.chars().count();
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        match length {
            0 => return Err(InvalidStoreName::Empty),
            1..3 => return Err(InvalidStoreName::TooShort),
            64.. => return Err(InvalidStoreName::TooLong),
            _ => {}
        }
        if !text.bytes().all(|b| plain(b) || b == b'-') || text.starts_with('-') || text.ends_with('-') {
            return Err(InvalidStoreName::Pattern);
        }
        if text.contains("--") {
            return Err(InvalidStoreName::DoubleHyphen);
        }
        if RESERVED.contains(&text) {
            return Err(InvalidStoreName::Reserved(text.to_owned()));
        }
        if let Some(word) = look_alike(text) {
            return Err(InvalidStoreName::LooksReserved { name: text.to_owned(), word });
        }
        if let Some(word) = text.split('-').find(|word| BLOCKED.contains(word)) {
            return Err(InvalidStoreName::Blocked(word.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_kind_of_bad_name_has_its_own_words() {
        let refusal = |text: &str| text.parse::<StoreName>().map_err(|error| error.to_string());

        assert_eq!(refusal(""), Err("name is required".into()));
        assert_eq!(refusal("ab"), Err("name must have at least 3 characters".into()));
        assert_eq!(refusal(&"a".repeat(64)), Err("name must have at most 63 characters".into()));
        assert!(refusal("Tea").unwrap_err().starts_with("name may hold"));
        assert!(refusal("-tea").unwrap_err().starts_with("name may hold"));
        assert!(refusal("tea shop").unwrap_err().starts_with("name may hold"));
        assert_eq!(refusal("tea--shop"), Err("name must not hold two hyphens in a row".into()));
        assert_eq!(refusal("admin"), Err("name `admin` is reserved: choose another".into()));
        assert_eq!(refusal("my-shit-shop"), Err("name must not hold the word `shit`".into()));
    }

    #[test]
    fn harmless_words_that_hold_a_blocked_one_are_fine() {
        for text in
            ["class-act", "glass", "skills", "grape-shop", "canal", "analytics", "shuttlecock", "essex", "my-admin"]
        {
            assert!(text.parse::<StoreName>().is_ok(), "{text}");
        }
    }

    #[test]
    fn what_passes_for_a_reserved_word_is_refused_with_the_word() {
        for (text, word) in [
            ("adm1n", "admin"),
            ("l0g1n", "login"),
            ("r00t", "root"),
            ("dem0", "demo"),
            ("adrnin", "admin"),
            ("vvww", "www"),
            ("a-d-m-i-n", "admin"),
            ("log-in", "login"),
        ] {
            let expected = InvalidStoreName::LooksReserved { name: text.to_owned(), word };
            assert_eq!(text.parse::<StoreName>(), Err(expected), "{text}");
        }
        for text in
            ["store-5", "store5", "log5", "mall", "teashop", "administer", "apples", "shop-1", "modern-tea", "test-1"]
        {
            assert!(text.parse::<StoreName>().is_ok(), "{text}");
        }
    }

    #[test]
    fn a_name_near_a_wrong_one_is_right() {
        let near = |text: &str, number| StoreName::near(text, number).map(|name| name.as_str().to_owned());

        assert_eq!(near("Tea Shop!", 1).as_deref(), Some("tea-shop"));
        assert_eq!(near("admin", 1).as_deref(), Some("admin-shop"));
        assert_eq!(near("my-shit-shop", 1).as_deref(), Some("my-shop"));
        assert_eq!(near("teashop", 2).as_deref(), Some("teashop-2"));
        assert_eq!(near("ab", 1).as_deref(), Some("ab-shop"));
        assert_eq!(near(&"x".repeat(80), 12).map(|name| name.len()), Some(53));
        assert_eq!(near("\u{e4}\u{f6}", 1).as_deref(), None);
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_a_dns_label(text in "\\PC{0,70}|[a-z0-9-]{1,66}") {
            if let Ok(name) = text.parse::<StoreName>() {
                let label = name.as_str();
                prop_assert!((3..=63).contains(&label.len()));
                prop_assert!(label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
                prop_assert!(!label.starts_with('-') && !label.ends_with('-'));
            }
        }
    }
}
