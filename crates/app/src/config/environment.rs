//! What the process was given: variables, working directory, terminal. A value, so that tests bring their own.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// The surroundings of the process.
#[derive(Clone)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// The working directory, which relative paths stand on.
    pub working_dir: PathBuf,
    /// Where the program itself lies.
    pub program: Option<PathBuf>,
    /// Whether it runs as root.
    pub root: bool,
    /// Whether standard output is a terminal.
    pub terminal: bool,
}

impl std::fmt::Debug for Environment {
    /// Names only: values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").field("variables", &self.variables.keys()).finish_non_exhaustive()
    }
}

impl Environment {
    /// That of this process. Variables that are not UTF-8 are left out: no setting can be.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self {
            variables: std::env::vars_os().filter_map(text).collect(),
            working_dir: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            program: std::env::current_exe().ok(),
            root: rustix::process::geteuid().is_root(),
            terminal: std::io::stdout().is_terminal(),
        }
    }

    /// These variables and nothing else, for tests and embedders.
    pub fn of_variables<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self {
            variables: variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            working_dir: PathBuf::from("/nonexistent"),
            program: None,
            root: false,
            terminal: false,
        }
    }

    /// A variable. One that is set to nothing counts as not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The directory of the XDG base directory specification: `variable`, or else `fallback` below the home directory.
    pub fn xdg(&self, variable: &str, fallback: &str) -> Option<PathBuf> {
        let named = self.get(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        named.or_else(|| self.get("HOME").map(|home| Path::new(home).join(fallback)))
    }

    /// The first executable file `name` on PATH.
    pub fn find_program(&self, name: &str) -> Option<PathBuf> {
        let path = self.get("PATH")?;
        std::env::split_paths(path)
            .filter(|dir| dir.is_absolute())
            .map(|dir| dir.join(name))
            .find(|file| is_executable(file))
    }

    /// The path as seen from the working directory.
    pub fn absolute(&self, path: &str) -> PathBuf {
        self.working_dir.join(path)
    }
}

/// Whether the file is there and somebody may execute it.
pub(super) fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
