//! The system's `initdb` and `postgres`: the newest there is, or the one that wrote the data.

use std::path::{Path, PathBuf};

use super::error::PrivatePostgresError;
use crate::config::Environment;

/// Two programs of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) initdb: PathBuf,
    pub(super) postgres: PathBuf,
    /// The major version, like `15`.
    pub(super) version: String,
}

impl Binaries {
    /// The newest on the machine, or that of `wanted` major version.
    pub(super) fn find(wanted: Option<&str>) -> Result<Self, PrivatePostgresError> {
        Self::choose(directories().iter().filter_map(|dir| Self::in_directory(dir)).collect(), wanted)
    }

    fn choose(found: Vec<Self>, wanted: Option<&str>) -> Result<Self, PrivatePostgresError> {
        let mut versions: Vec<String> = found.iter().map(|binaries| binaries.version.clone()).collect();
        versions.dedup();
        let fitting = found.into_iter().filter(|binaries| wanted.is_none_or(|wanted| binaries.version == wanted));
        let newest = fitting.max_by_key(|binaries| binaries.version.parse::<u32>().unwrap_or(0));
        newest.ok_or_else(|| match wanted {
            Some(wanted) if !versions.is_empty() => {
                PrivatePostgresError::OtherVersion { wanted: wanted.to_owned(), found: versions.join(", ") }
            }
            _ => PrivatePostgresError::NotInstalled,
        })
    }

    /// Both programs, if the directory has them and they run.
    fn in_directory(dir: &Path) -> Option<Self> {
        // PATH may hold links; the programs look for their own files beside the real ones.
        let [initdb, postgres] = ["initdb", "postgres"].map(|name| dir.join(name).canonicalize().ok());
        let (initdb, postgres) = (initdb?, postgres?);
        let answer = std::process::Command::new(&postgres).arg("--version").env_clear().output().ok()?;
        let text = String::from_utf8_lossy(&answer.stdout);
        // "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)"
        let version = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
        let version = version.split(|c: char| !c.is_ascii_digit()).next()?.to_owned();
        Some(Self { initdb, postgres, version })
    }
}

fn directories() -> Vec<PathBuf> {
    let environment = Environment::of_process();
    let on_path = environment.find_program("initdb").and_then(|file| file.parent().map(Path::to_path_buf));
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    on_path.into_iter().chain(installed.map(|entry| entry.path().join("bin"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_version(version: &str) -> Binaries {
        Binaries { initdb: "/i".into(), postgres: "/p".into(), version: version.to_owned() }
    }

    #[test]
    fn the_newest_is_taken_unless_the_data_want_another() {
        let found = || vec![of_version("15"), of_version("9"), of_version("17")];

        assert_eq!(Binaries::choose(found(), None).unwrap().version, "17");
        assert_eq!(Binaries::choose(found(), Some("15")).unwrap().version, "15");
    }

    #[test]
    fn what_is_missing_is_named_as_the_package_to_install() {
        let none = Binaries::choose(Vec::new(), Some("15")).unwrap_err().to_string();
        assert!(none.contains("apt-get install postgresql)"), "{none}");

        let other = Binaries::choose(vec![of_version("17")], Some("15")).unwrap_err().to_string();
        assert!(other.contains("written by PostgreSQL 15, and 17 is installed"), "{other}");
        assert!(other.contains("apt-get install postgresql-15"), "{other}");
    }
}
