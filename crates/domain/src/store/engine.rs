//! What runs in a store, by name. What the platform knows of an engine is in [`crate::engine`].

use std::fmt;
use std::str::FromStr;

/// Lower-case letters and digits, in words with single hyphens between them, at most `limit` characters: fit for a label of
/// Kubernetes, a directory and a URL.
fn is_word(text: &str, limit: usize) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.len() <= limit && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.split('-').all(is_part)
}

macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $(#[$error_doc:meta])* $error:ident, $message:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        $(#[$error_doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
        #[error($message)]
        pub struct $error;

        impl $name {
            /// The name as it is stored and shown.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                if is_word(text, 32) { Ok(Self(text.to_owned())) } else { Err($error) }
            }
        }
    };
}

word!(
    /// The shop software of a store; also the name of its chart and of its chart's directory. That a name is well formed says nothing
    /// about whether there is such an engine here: [`crate::engine::EngineCatalogue`] does.
    EngineName,
    /// A text that cannot name an engine.
    InvalidEngineName,
    "an engine's name is at most 32 lower-case letters, digits and single hyphens, a letter first"
);

word!(
    /// The look of a store; its engine says which there are.
    ThemeName,
    /// A text that cannot name a theme.
    InvalidThemeName,
    "a theme's name is at most 32 lower-case letters, digits and single hyphens, a letter first"
);

impl EngineName {
    /// What example stores run.
    pub(super) fn example() -> Self {
        Self("medusa".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_words_of_letters_and_digits_with_single_hyphens_between() {
        for text in ["medusa", "static-site", "a", "shop2", "a-1"] {
            assert_eq!(text.parse::<EngineName>().map(|name| name.to_string()), Ok(text.to_owned()));
        }
        let long = "x".repeat(33);
        for text in ["", "-a", "a-", "a--b", "2shop", "Medusa", "a_b", "a/b", "..", "ä", &long] {
            assert_eq!(text.parse::<EngineName>(), Err(InvalidEngineName), "{text}");
            assert_eq!(text.parse::<ThemeName>(), Err(InvalidThemeName), "{text}");
        }
    }
}
