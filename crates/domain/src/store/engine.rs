//! What runs in a store.

use std::fmt;
use std::str::FromStr;

/// The shop software of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Engine {
    /// WordPress with the WooCommerce plugin, on MariaDB.
    WooCommerce,
    /// Medusa v2 on PostgreSQL.
    Medusa,
}

/// A text that names no engine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("engine must be one of: woocommerce, medusa")]
pub struct InvalidEngine;

impl Engine {
    /// All engines.
    pub const ALL: [Self; 2] = [Self::WooCommerce, Self::Medusa];

    /// The engine as it is stored and shown; also the name of its chart.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WooCommerce => "woocommerce",
            Self::Medusa => "medusa",
        }
    }

    /// Where the merchant signs in, below the store's URL.
    pub const fn admin_path(self) -> &'static str {
        match self {
            Self::WooCommerce => "/wp-admin",
            Self::Medusa => "/app",
        }
    }

    /// The name to sign in with where it is not the e-mail address.
    pub const fn admin_username(self) -> Option<&'static str> {
        match self {
            Self::WooCommerce => Some("admin"),
            Self::Medusa => None,
        }
    }

    /// The theme of a store for which none was chosen.
    pub const fn default_theme(self) -> Option<Theme> {
        match self {
            Self::WooCommerce => Some(Theme::Storefront),
            Self::Medusa => None,
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Engine {
    type Err = InvalidEngine;

    fn from_str(text: &str) -> Result<Self, InvalidEngine> {
        Self::ALL.into_iter().find(|engine| engine.as_str() == text).ok_or(InvalidEngine)
    }
}

/// The look of a WooCommerce store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Theme {
    /// WooCommerce's own theme.
    Storefront,
    /// Astra.
    Astra,
}

/// A text that names no theme.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("theme must be one of: storefront, astra")]
pub struct InvalidTheme;

impl Theme {
    /// All themes.
    pub const ALL: [Self; 2] = [Self::Storefront, Self::Astra];

    /// The theme as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Storefront => "storefront",
            Self::Astra => "astra",
        }
    }
}

impl FromStr for Theme {
    type Err = InvalidTheme;

    fn from_str(text: &str) -> Result<Self, InvalidTheme> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == text).ok_or(InvalidTheme)
    }
}
