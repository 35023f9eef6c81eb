//! What the platform must know of an engine to make, watch, show and change stores of it: its descriptor.
//!
//! Nothing in the control plane names an engine. A descriptor lies beside the engine's chart; whoever loads it hands a [`Draft`] to
//! [`EngineDescriptor::check`], which refuses it with all its mistakes.

mod catalogue;
mod draft;

use jiff::SignedDuration;

pub use catalogue::{EngineCatalogue, NoSuchEngine, Refused};
pub use draft::Draft;

use crate::identity::Email;
use crate::store::{EngineName, ThemeName};

/// How the administrator of a store signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Administrator {
    /// With their e-mail address.
    Email,
    /// With a name that is the same in all stores of the engine.
    Name(String),
    /// There is none: nothing to sign in to.
    None,
}

impl Administrator {
    /// The name to sign in with, of a store whose owner has this address.
    pub fn username<'a>(&'a self, owner: &'a Email) -> &'a str {
        match self {
            Self::Name(name) => name,
            Self::Email | Self::None => owner.as_str(),
        }
    }
}

/// A secret of a store that can be replaced while the store lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RotationTarget {
    /// The administrator's password.
    Administrator,
    /// The password of the store's database user.
    Database,
}

impl RotationTarget {
    /// All targets.
    pub const ALL: [Self; 2] = [Self::Administrator, Self::Database];

    /// The target as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Database => "database",
        }
    }
}

/// A text that names no target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret that can be rotated is one of: administrator, database")]
pub struct InvalidRotationTarget;

impl std::fmt::Display for RotationTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for RotationTarget {
    type Err = InvalidRotationTarget;

    fn from_str(text: &str) -> Result<Self, InvalidRotationTarget> {
        Self::ALL.into_iter().find(|target| target.as_str() == text).ok_or(InvalidRotationTarget)
    }
}

/// What of a store's release must be there, and how far, before the store is ready.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Readiness {
    /// Deployments that must be there and ready. Whatever else the release holds must be ready too; these must not be missing.
    pub deployments: Vec<String>,
    /// Whether a set-up Job has to end well.
    pub setup: bool,
}

/// What of a store that was made ahead, without an owner, can be made its owner's in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Personal {
    /// Its host and URL.
    Host,
    /// What the shop is called.
    Title,
    /// The administrator's name, address and password.
    Administrator,
}

impl Personal {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Host, Self::Title, Self::Administrator];

    /// As descriptors and readers have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Title => "title",
            Self::Administrator => "administrator",
        }
    }
}

/// Something that stores of this engine may lack, as the chart's values say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caveat {
    /// Its name: what an operator who accepts it names.
    pub name: String,
    /// The path of the value, of type boolean, that says whether it applies.
    pub value: Vec<String>,
    /// What owners of such stores must know.
    pub note: String,
    /// Why no store is made unless an operator accepts it, and how to do that.
    pub refusal: String,
}

/// Everything about an engine that is not in its chart. Checked: see [`EngineDescriptor::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineDescriptor {
    name: EngineName,
    title: String,
    summary: String,
    storefront_path: String,
    admin_path: Option<String>,
    readiness: Readiness,
    setup_steps: Vec<String>,
    administrator: Administrator,
    rotates: Vec<RotationTarget>,
    themes: Vec<ThemeName>,
    personal: Vec<Personal>,
    caveats: Vec<Caveat>,
    usual_start: SignedDuration,
}

impl EngineDescriptor {
    /// Its name; also its chart's and its chart's directory's.
    pub const fn name(&self) -> &EngineName {
        &self.name
    }

    /// What people call it.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// One sentence for whoever chooses.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// What a shopper asks for first, below the store's URL. An answer to it is what makes a store ready.
    pub fn storefront_path(&self) -> &str {
        &self.storefront_path
    }

    /// Where the merchant signs in, below the store's URL; the storefront where there is nothing to sign in to.
    pub fn admin_path(&self) -> &str {
        self.admin_path.as_deref().unwrap_or_default()
    }

    /// What a store's release must hold.
    pub const fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// The set-up's steps in their order, as it reports them; a set-up may leave some out.
    pub fn setup_steps(&self) -> &[String] {
        &self.setup_steps
    }

    /// How the administrator signs in.
    pub const fn administrator(&self) -> &Administrator {
        &self.administrator
    }

    /// Which secrets its set-up can replace in a store that lives.
    pub fn rotates(&self) -> &[RotationTarget] {
        &self.rotates
    }

    /// The looks that a store may have, the default first. None when there is no choice.
    pub fn themes(&self) -> &[ThemeName] {
        &self.themes
    }

    /// The theme of a store for which none was chosen.
    pub fn default_theme(&self) -> Option<&ThemeName> {
        self.themes.first()
    }

    /// What its set-up, run again, changes of a store that was made ahead. Such a store can be handed out once all of
    /// [`Personal::ALL`] are among them.
    pub fn personal(&self) -> &[Personal] {
        &self.personal
    }

    /// What its stores may lack.
    pub fn caveats(&self) -> &[Caveat] {
        &self.caveats
    }

    /// How long a store usually takes from its first object to ready pods, with the images on the node.
    pub const fn usual_start(&self) -> SignedDuration {
        self.usual_start
    }
}
