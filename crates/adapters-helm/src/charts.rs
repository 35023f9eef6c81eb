//! Where the charts and the values files of an engine are.

use std::path::{Path, PathBuf};

use shopwright_domain::store::EngineName;
use shopwright_ports::releases::ReleaseError;

use crate::settings::Profile;

/// A chart that is there, with the values files that apply, later ones over earlier ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chart {
    pub(crate) dir: PathBuf,
    pub(crate) values: Vec<PathBuf>,
}

/// Finds the engine's chart and its values files. Paths come back absolute if they go in absolute.
pub(crate) fn locate(
    charts_dir: &Path,
    engine: &EngineName,
    profile: Profile,
    extra: &[PathBuf],
) -> Result<Chart, ReleaseError> {
    let dir = charts_dir.join(engine.as_str());
    if !dir.join("Chart.yaml").is_file() {
        let detail =
            format!("there is no chart for {engine} at {}: set CHARTS_DIR to where the charts are", dir.display());
        return Err(ReleaseError::Chart(detail));
    }
    let values = dir.join(profile.file_name());
    if !values.is_file() {
        return Err(ReleaseError::Chart(format!("the chart for {engine} has no profile {}", values.display())));
    }
    let mut values = vec![values];
    for path in extra {
        if path.is_dir() {
            let candidates = [format!("values-{engine}.yaml"), format!("{engine}.yaml")];
            values.extend(candidates.iter().map(|name| path.join(name)).filter(|file| file.is_file()));
        } else if path.is_file() {
            values.push(path.clone());
        } else {
            let detail = format!("{} is to be merged into the values of {engine}, and is not there", path.display());
            return Err(ReleaseError::Chart(detail));
        }
    }
    Ok(Chart { dir, values })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn later_values_files_win_and_a_directory_holds_one_per_engine() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        fs::create_dir_all(at("charts/medusa")).unwrap();
        fs::create_dir_all(at("images")).unwrap();
        for file in
            ["charts/medusa/Chart.yaml", "charts/medusa/values-local.yaml", "images/values-medusa.yaml", "own.yaml"]
        {
            fs::write(at(file), "").unwrap();
        }
        fs::write(at("images/woocommerce.yaml"), "").unwrap();
        let medusa = "medusa".parse().unwrap();
        let find = |extra: &[PathBuf]| locate(&at("charts"), &medusa, Profile::Local, extra);

        let chart = find(&[at("images"), at("own.yaml")]).unwrap();

        let values = [at("charts/medusa/values-local.yaml"), at("images/values-medusa.yaml"), at("own.yaml")];
        assert_eq!(chart.values, values);
        assert!(matches!(find(&[at("missing.yaml")]), Err(ReleaseError::Chart(_))));
    }

    #[test]
    fn a_missing_chart_says_where_it_was_looked_for() {
        let error = locate(Path::new("/nowhere"), &"medusa".parse().unwrap(), Profile::Local, &[]).unwrap_err();

        assert_eq!(
            error.to_string(),
            "the chart refuses its values: there is no chart for medusa at /nowhere/medusa: set CHARTS_DIR to where the charts are"
        );
    }
}
