//! Two engines for tests, one with a choice of themes and one without. What the program ships lies beside its charts.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "these descriptors are constants; a test of this file proves them"
)]

use jiff::SignedDuration;
use shopwright_domain::engine::{Administrator, Draft, EngineCatalogue, EngineDescriptor};
use shopwright_domain::store::{EngineName, ThemeName};

/// An engine whose administrator signs in with their address, without themes.
pub fn medusa() -> EngineName {
    medusa_descriptor().name().clone()
}

/// An engine whose administrator has a name, with themes.
pub fn woocommerce() -> EngineName {
    woocommerce_descriptor().name().clone()
}

/// A theme of [`woocommerce`], not its default.
pub fn astra() -> ThemeName {
    woocommerce_descriptor().themes().last().cloned().expect("two themes")
}

/// What is known of [`medusa`].
pub fn medusa_descriptor() -> EngineDescriptor {
    let draft = Draft {
        title: "Medusa".to_owned(),
        admin_path: Some("/app".to_owned()),
        setup: true,
        setup_steps: ["wait-database", "migrate", "administrator", "marker"].map(str::to_owned).to_vec(),
        administrator: Administrator::Email,
        rotates: both(),
        personal: ["host", "title", "administrator"].map(str::to_owned).to_vec(),
        usual_start: SignedDuration::from_secs(26),
        ..Draft::new("medusa")
    };
    EngineDescriptor::check(&draft).expect("a descriptor")
}

/// What is known of [`woocommerce`].
pub fn woocommerce_descriptor() -> EngineDescriptor {
    let draft = Draft {
        title: "WooCommerce".to_owned(),
        admin_path: Some("/wp-admin".to_owned()),
        setup: true,
        setup_steps: ["database", "wordpress", "marker"].map(str::to_owned).to_vec(),
        administrator: Administrator::Name("admin".to_owned()),
        rotates: both(),
        themes: ["storefront", "astra"].map(str::to_owned).to_vec(),
        caveats: vec![(
            "bare-wordpress".to_owned(),
            "wordpress.bare".to_owned(),
            "this store cannot take orders".to_owned(),
            "the image holds no plugin; set SHOPWRIGHT_ALLOW_BARE_WORDPRESS=true".to_owned(),
        )],
        usual_start: SignedDuration::from_secs(8),
        ..Draft::new("woocommerce")
    };
    EngineDescriptor::check(&draft).expect("a descriptor")
}

/// Both.
pub fn catalogue() -> EngineCatalogue {
    EngineCatalogue::new([medusa_descriptor(), woocommerce_descriptor()]).expect("a catalogue")
}

fn both() -> Vec<String> {
    ["administrator", "database"].map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constants_are_what_they_promise() {
        assert_eq!(catalogue().names(), "medusa, woocommerce");
        assert_eq!((medusa().as_str(), woocommerce().as_str(), astra().as_str()), ("medusa", "woocommerce", "astra"));
        assert_ne!(woocommerce_descriptor().default_theme(), Some(&astra()));
    }
}
