//! The engines that stores can be made of: one descriptor, `engine.toml`, beside each chart. The only place that reads such files.

mod file;

use std::fmt;
use std::fs;
use std::path::Path;

use shopwright_domain::engine::{EngineCatalogue, EngineDescriptor};

/// The name of a descriptor's file.
pub(crate) const DESCRIPTOR: &str = "engine.toml";

/// Descriptors that cannot be used: every mistake in every file, so that nobody starts the program once for each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct InvalidEngines {
    /// One sentence each, the file first.
    pub mistakes: Vec<String>,
}

impl fmt::Display for InvalidEngines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the descriptors of the engines cannot be used:")?;
        self.mistakes.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

/// Whether the directory holds the chart of an engine.
pub(crate) fn is_there(charts_dir: &Path) -> bool {
    let entries = fs::read_dir(charts_dir).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.path().join(DESCRIPTOR).is_file())
}

/// The engines whose charts are in `charts_dir`: every directory with a descriptor is one, and has the engine's name.
///
/// # Errors
/// [`InvalidEngines`] when a descriptor or its chart is not right, or when there is none.
pub fn load(charts_dir: &Path) -> Result<EngineCatalogue, InvalidEngines> {
    let mut mistakes = Vec::new();
    let mut engines = Vec::new();
    let entries = match fs::read_dir(charts_dir).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
        Ok(entries) => entries,
        Err(error) => {
            mistakes.push(format!("{}: {error}", charts_dir.display()));
            Vec::new()
        }
    };
    let mut directories: Vec<_> = entries.iter().map(fs::DirEntry::path).collect();
    directories.sort();
    for directory in directories.iter().filter(|directory| directory.join(DESCRIPTOR).is_file()) {
        let file = directory.join(DESCRIPTOR);
        let name = directory.file_name().unwrap_or_default().to_string_lossy();
        mistakes.extend(mistake_of_chart(directory, &name));
        match fs::read_to_string(&file).map_err(|error| vec![error.to_string()]).and_then(|text| parse(&name, &text)) {
            Ok(engine) => engines.push(engine),
            Err(found) => mistakes.extend(found.into_iter().map(|mistake| format!("{}: {mistake}", file.display()))),
        }
    }
    if !mistakes.is_empty() {
        return Err(InvalidEngines { mistakes });
    }
    EngineCatalogue::new(engines)
        .map_err(|refused| InvalidEngines { mistakes: vec![format!("{}: {refused}", charts_dir.display())] })
}

/// The engines that come with the program, for where no chart is used.
///
/// # Errors
/// [`InvalidEngines`] never in a program whose tests passed.
pub fn shipped() -> Result<EngineCatalogue, InvalidEngines> {
    const SHIPPED: [(&str, &str); 2] = [
        ("medusa", include_str!("../../../charts/medusa/engine.toml")),
        ("woocommerce", include_str!("../../../charts/woocommerce/engine.toml")),
    ];
    let engines = SHIPPED.iter().map(|(name, text)| parse(name, text)).collect::<Result<Vec<_>, _>>();
    let engines = engines.map_err(|mistakes| InvalidEngines { mistakes })?;
    EngineCatalogue::new(engines).map_err(|refused| InvalidEngines { mistakes: vec![refused.to_string()] })
}

fn parse(name: &str, text: &str) -> Result<EngineDescriptor, Vec<String>> {
    EngineDescriptor::check(&file::draft(name, text).map_err(|mistake| vec![mistake])?)
}

/// A chart of another name would be installed under this one's.
fn mistake_of_chart(directory: &Path, name: &str) -> Option<String> {
    let file = directory.join("Chart.yaml");
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) => return Some(format!("{}: {error}", file.display())),
    };
    let said = text.lines().find_map(|line| line.strip_prefix("name:")).map(|said| said.trim().trim_matches('"'));
    (said != Some(name)).then(|| format!("{}: the chart's name must be the directory's, {name}", file.display()))
}

#[cfg(test)]
mod tests;
