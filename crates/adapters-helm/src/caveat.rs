//! What stores of an engine lack, as the values of its chart say.

use std::fs;
use std::path::Path;

use serde_json::Value;
use shopwright_domain::engine::Caveat;
use shopwright_ports::releases::ReleaseError;

use crate::charts::Chart;

/// What the owners of such stores must know: one sentence for each caveat that applies and was accepted by name.
///
/// # Errors
/// [`ReleaseError::Chart`] with the refusal of one that applies and was not accepted.
pub(crate) fn note(caveats: &[Caveat], chart: &Chart, accepted: &[String]) -> Result<Option<String>, ReleaseError> {
    let mut notes = Vec::new();
    for caveat in caveats {
        if !applies(caveat, chart)? {
            continue;
        }
        if !accepted.contains(&caveat.name) {
            return Err(ReleaseError::Chart(caveat.refusal.clone()));
        }
        notes.push(caveat.note.as_str());
    }
    Ok((!notes.is_empty()).then(|| notes.join("; ")))
}

/// The caveat's value as helm will see it: the last file that sets it wins, the chart's defaults come first.
fn applies(caveat: &Caveat, chart: &Chart) -> Result<bool, ReleaseError> {
    let defaults = chart.dir.join("values.yaml");
    let files = [defaults.as_path()].into_iter().filter(|file| file.is_file());
    let mut applies = false;
    for file in files.chain(chart.values.iter().map(AsRef::as_ref)) {
        applies = said_in(file, &caveat.value)?.unwrap_or(applies);
    }
    Ok(applies)
}

fn said_in(file: &Path, path: &[String]) -> Result<Option<bool>, ReleaseError> {
    let unreadable = |error: &dyn std::fmt::Display| ReleaseError::Chart(format!("{}: {error}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| unreadable(&error))?;
    // A file without any value is null, not a map. The error must not quote other people's values.
    let values: Option<Value> = serde_saphyr::from_str(&text).map_err(|error| unreadable(error.without_snippet()))?;
    let found = values.and_then(|values| path.iter().try_fold(values, |value, key| value.get(key).cloned()));
    match found {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(said)) => Ok(Some(said)),
        Some(_) => Err(unreadable(&format!("{} is neither true nor false", path.join(".")))),
    }
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

    fn bare() -> Caveat {
        Caveat {
            name: "bare".to_owned(),
            value: vec!["wordpress".to_owned(), "bare".to_owned()],
            note: "no orders".to_owned(),
            refusal: "set ALLOW_BARE".to_owned(),
        }
    }

    fn told(files: &[&str], accepted: bool) -> Result<Option<String>, ReleaseError> {
        let root = tempfile::tempdir().unwrap();
        let accepted = accepted.then(|| "bare".to_owned());
        note(&[bare()], &chart(root.path(), files), accepted.as_slice())
    }

    const BARE: &str = "wordpress: {bare: true}\nimages: {web: {tag: x}}";
    const WHOLE: &str = "# an overlay\nwordpress:\n  bare: false\n";

    #[test]
    fn what_a_store_lacks_is_refused_unless_it_is_accepted() {
        let refused = told(&[BARE], false).unwrap_err().to_string();

        assert!(refused.contains("set ALLOW_BARE"), "{refused}");
        assert_eq!(told(&[BARE], true).unwrap().as_deref(), Some("no orders"));
    }

    #[test]
    fn the_last_file_that_says_so_decides() {
        assert_eq!(told(&[BARE, WHOLE], false).unwrap(), None);
        assert!(told(&[WHOLE, BARE, "images: {}", "", "# nothing\n"], false).is_err());
        assert_eq!(told(&["wordpress:\n"], false).unwrap(), None);
    }

    #[test]
    fn values_that_are_no_values_are_named() {
        let error = told(&["wordpress: {bare: maybe}"], false).unwrap_err().to_string();

        assert!(error.contains("0.yaml"), "{error}");
    }

    #[test]
    fn an_engine_without_caveats_asks_for_nothing() {
        let root = tempfile::tempdir().unwrap();

        assert_eq!(note(&[], &chart(root.path(), &[BARE]), &[]).unwrap(), None);
    }
}
