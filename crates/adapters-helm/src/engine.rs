//! Whether stores of an engine can be made, as the values of its chart say.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use shopwright_domain::store::Engine;
use shopwright_ports::releases::ReleaseError;

use crate::charts::Chart;

const BARE_NOTE: &str = "WordPress without WooCommerce: the image holds no plugin, this store cannot take orders";
const BARE_REFUSAL: &str = "stores on woocommerce cannot be made here: the image holds WordPress without the WooCommerce plugin, so they \
                            could not take orders. Build the image with the plugin, or set SHOPWRIGHT_ALLOW_BARE_WORDPRESS=true";

#[derive(Debug, Default, Deserialize)]
struct Values {
    wordpress: Option<WordPress>,
}

#[derive(Debug, Default, Deserialize)]
struct WordPress {
    bare: Option<bool>,
}

/// What the owners of such stores must know.
pub(crate) fn note(engine: Engine, chart: &Chart, allow_bare: bool) -> Result<Option<String>, ReleaseError> {
    let bare = match engine {
        Engine::Medusa => false,
        Engine::WooCommerce => is_bare(chart)?,
    };
    match (bare, allow_bare) {
        (false, _) => Ok(None),
        (true, true) => Ok(Some(BARE_NOTE.to_owned())),
        (true, false) => Err(ReleaseError::Chart(BARE_REFUSAL.to_owned())),
    }
}

/// `wordpress.bare` as helm will see it: the last file that sets it wins, the chart's defaults come first.
fn is_bare(chart: &Chart) -> Result<bool, ReleaseError> {
    let defaults = chart.dir.join("values.yaml");
    let files = [defaults.as_path()].into_iter().filter(|file| file.is_file());
    let mut bare = false;
    for file in files.chain(chart.values.iter().map(AsRef::as_ref)) {
        bare = bare_in(file)?.unwrap_or(bare);
    }
    Ok(bare)
}

fn bare_in(file: &Path) -> Result<Option<bool>, ReleaseError> {
    let unreadable = |error: &dyn std::fmt::Display| ReleaseError::Chart(format!("{}: {error}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| unreadable(&error))?;
    // A file without any value is null, not a map. The error must not quote other people's values.
    let values: Option<Values> = serde_saphyr::from_str(&text).map_err(|error| unreadable(error.without_snippet()))?;
    Ok(values.and_then(|values| values.wordpress).and_then(|wordpress| wordpress.bare))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(root: &Path, files: &[&str]) -> Chart {
        let values = files.iter().enumerate().map(|(n, text)| {
            let path = root.join(format!("{n}.yaml"));
            fs::write(&path, text).unwrap();
            path
        });
        Chart { dir: root.to_owned(), values: values.collect() }
    }

    fn woocommerce(files: &[&str], allow_bare: bool) -> Result<Option<String>, ReleaseError> {
        let root = tempfile::tempdir().unwrap();
        note(Engine::WooCommerce, &chart(root.path(), files), allow_bare)
    }

    const BARE: &str = "wordpress: {bare: true}\nimages: {web: {tag: x}}";
    const WHOLE: &str = "# an overlay\nwordpress:\n  bare: false\n";

    #[test]
    fn a_bare_wordpress_is_refused_unless_it_is_wanted() {
        let refused = woocommerce(&[BARE], false).unwrap_err().to_string();

        assert!(refused.contains("SHOPWRIGHT_ALLOW_BARE_WORDPRESS=true"), "{refused}");
        assert_eq!(woocommerce(&[BARE], true).unwrap().as_deref(), Some(BARE_NOTE));
    }

    #[test]
    fn the_last_file_that_says_so_decides() {
        assert_eq!(woocommerce(&[BARE, WHOLE], false).unwrap(), None);
        assert!(woocommerce(&[WHOLE, BARE, "images: {}", "", "# nothing\n"], false).is_err());
        assert_eq!(woocommerce(&["wordpress:\n"], false).unwrap(), None);
    }

    #[test]
    fn values_that_are_no_values_are_named() {
        let error = woocommerce(&["wordpress: {bare: maybe}"], false).unwrap_err().to_string();

        assert!(error.contains("0.yaml"), "{error}");
    }

    #[test]
    fn medusa_does_not_ask_for_wordpress() {
        let root = tempfile::tempdir().unwrap();

        assert_eq!(note(Engine::Medusa, &chart(root.path(), &[BARE]), false).unwrap(), None);
    }
}
