//! Directories and programs: where they are when nobody says.

use std::path::{Path, PathBuf};

use super::environment::is_executable;
use super::reader::Reader;
use super::settings::{CHARTS_DIR, DATA_DIR, HELM_BIN, SHOPWRIGHT_SIGNING_KEYS_DIR, STORE_VALUES};
use crate::engines;

/// The data directory, whether it exists or not.
pub(super) fn data_dir(reader: &mut Reader<'_>) -> Option<PathBuf> {
    if let Some(dir) = reader.text(&DATA_DIR) {
        return Some(reader.environment.absolute(&dir));
    }
    if reader.environment.root {
        return Some(PathBuf::from("/var/lib/shopwright"));
    }
    let home = reader.environment.xdg("XDG_DATA_HOME", ".local/share").map(|dir| dir.join("shopwright"));
    if home.is_none() {
        reader.refuse(&DATA_DIR, "there is no home directory to put data in", "Set DATA_DIR or HOME.");
    }
    home
}

/// The helm binary.
pub(super) fn helm_bin(reader: &mut Reader<'_>) -> Option<PathBuf> {
    if let Some(text) = reader.text(&HELM_BIN) {
        let file = reader.environment.absolute(&text);
        if !is_executable(&file) {
            let problem = format!("{} is not a program", file.display());
            reader.refuse(&HELM_BIN, problem, "Name the helm 4 binary, or unset it to search PATH.");
            return None;
        }
        return Some(file);
    }
    let found = reader.environment.find_program("helm");
    if found.is_none() {
        reader.refuse(&HELM_BIN, "there is no `helm` on PATH", "Install helm 4, or name its binary with HELM_BIN.");
    }
    found
}

fn has_charts(dir: &Path) -> bool {
    engines::is_there(dir)
}

/// The directory of the charts: beside an installed program, beside a built one (`target/debug/shopwright`), or where we are.
pub(super) fn charts_dir(reader: &mut Reader<'_>) -> Option<PathBuf> {
    if let Some(text) = reader.text(&CHARTS_DIR) {
        let dir = reader.environment.absolute(&text);
        if !has_charts(&dir) {
            let problem = format!("{} holds no chart of an engine", dir.display());
            reader.refuse(
                &CHARTS_DIR,
                problem,
                "Name the directory whose directories hold engine.toml and Chart.yaml.",
            );
            return None;
        }
        return Some(dir);
    }
    let beside = reader.environment.program.as_deref().and_then(Path::parent).map(Path::to_path_buf);
    let found = beside
        .iter()
        .flat_map(|bin| ["charts", "../share/shopwright/charts", "../../charts"].map(|dir| bin.join(dir)))
        .chain([reader.environment.absolute("charts"), PathBuf::from("/usr/share/shopwright/charts")])
        .find(|dir| has_charts(dir));
    if found.is_none() {
        let remedy = "Name the directory that has medusa/engine.toml with CHARTS_DIR.";
        reader.refuse(&CHARTS_DIR, "the charts are neither beside the program nor in the working directory", remedy);
    }
    found.map(|dir| dir.canonicalize().unwrap_or(dir))
}

/// The values instead of the profile's.
pub(super) fn store_values(reader: &mut Reader<'_>) -> Option<PathBuf> {
    let text = reader.text(&STORE_VALUES)?;
    let path = reader.environment.absolute(&text);
    if !path.exists() {
        let problem = format!("{} does not exist", path.display());
        reader.refuse(&STORE_VALUES, problem, "Name a values file, or a directory with <engine>.yaml.");
    }
    Some(path)
}

/// The directory of the signing keys, if they are not in the database.
pub(super) fn signing_keys_dir(reader: &mut Reader<'_>) -> Option<PathBuf> {
    let text = reader.text(&SHOPWRIGHT_SIGNING_KEYS_DIR)?;
    let dir = reader.environment.absolute(&text);
    if !dir.join("signing.pem").is_file() {
        let problem = format!("{} holds no signing.pem", dir.display());
        let remedy =
            "Make one with `openssl genpkey -algorithm ed25519`, or unset it to keep the keys in the database.";
        reader.refuse(&SHOPWRIGHT_SIGNING_KEYS_DIR, problem, remedy);
    }
    Some(dir)
}
