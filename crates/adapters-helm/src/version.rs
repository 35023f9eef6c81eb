//! Which helm this is. Helm 4 only: helm 3 knows neither `--wait=hookOnly` nor server-side apply as it is relied on here (DECISIONS 19).
//!
//! The binary is looked at once per process. One that was replaced since is refused: what runs must be what the digests say (S54).

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use shopwright_ports::releases::ReleaseError;

use crate::command::{self, RunError, Setup};
use crate::digest;
use crate::redact::filtered;

/// The only major version that is supported.
const MAJOR: &str = "4";
/// Helm prints its version in a tenth of a second; a cold disk may take longer.
const LIMIT: Duration = Duration::from_secs(30);

/// The helm that is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelmVersion {
    /// Where it is.
    pub path: PathBuf,
    /// As it says itself, for instance `v4.3.1`.
    pub version: String,
    /// The digest of the binary, in hexadecimal.
    pub sha256: String,
    file: FileIdentity,
}

/// Changes when the file is replaced or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileIdentity {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    /// Unlike the time of modification, nobody can set it.
    changed: (i64, i64),
}

impl FileIdentity {
    fn of(path: &Path) -> io::Result<Self> {
        let file = fs::metadata(path)?;
        if !file.is_file() {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        }
        let (modified, changed) = ((file.mtime(), file.mtime_nsec()), (file.ctime(), file.ctime_nsec()));
        Ok(Self { device: file.dev(), inode: file.ino(), length: file.len(), modified, changed })
    }
}

impl HelmVersion {
    /// Looks at the binary and asks it. `setup.helm` is the binary.
    pub(crate) async fn detect(setup: Setup<'_>) -> Result<Self, ReleaseError> {
        let path = setup.helm.to_owned();
        let file = FileIdentity::of(&path).map_err(|_| missing(&path))?;
        let args: Vec<OsString> = ["version", "--template", "{{.Version}}"].map(OsString::from).into();
        let ended = match command::run(&Setup { deadline: LIMIT, ..setup }, &args, b"").await {
            Ok(ended) => ended,
            Err(RunError::Deadline) => {
                return Err(ReleaseError::Unavailable(format!("{} does not say its version", path.display())));
            }
            Err(RunError::Io(error)) => {
                return Err(ReleaseError::Unavailable(format!("{} cannot be executed: {error}", path.display())));
            }
        };
        if !ended.status.success() {
            let said = filtered(&ended.stderr, "");
            return Err(ReleaseError::Unavailable(format!("{} does not say its version: {said}", path.display())));
        }
        let version = supported(&path, ended.stdout.trim())?;
        let hashed = path.clone();
        let sha256 = tokio::task::spawn_blocking(move || digest::of_file(&hashed)).await;
        let sha256 = sha256.map_err(io::Error::other).flatten().map_err(|error| unreadable(&path, &error))?;
        Ok(Self { path, version, sha256, file })
    }

    /// Fails if the binary is not the one that was looked at.
    pub(crate) fn ensure_unchanged(&self) -> Result<(), ReleaseError> {
        match FileIdentity::of(&self.path) {
            Ok(file) if file == self.file => Ok(()),
            Ok(_) => Err(ReleaseError::Unavailable(format!(
                "{} was replaced since this process started: restart it to use the new one",
                self.path.display()
            ))),
            Err(_) => Err(missing(&self.path)),
        }
    }
}

fn missing(path: &Path) -> ReleaseError {
    ReleaseError::Unavailable(format!("helm 4 was not found at {}: install it or set HELM_BIN", path.display()))
}

fn unreadable(path: &Path, error: &io::Error) -> ReleaseError {
    ReleaseError::Unavailable(format!("{} cannot be read: {error}", path.display()))
}

fn supported(path: &Path, version: &str) -> Result<String, ReleaseError> {
    let major = version.strip_prefix('v').and_then(|rest| rest.split('.').next());
    if major == Some(MAJOR) {
        return Ok(version.to_owned());
    }
    let shown = filtered(version, "");
    Err(ReleaseError::Unavailable(format!(
        "{} is helm {shown}, and only helm 4 is supported: install it or set HELM_BIN",
        path.display()
    )))
}

#[cfg(test)]
impl HelmVersion {
    /// One that is not there.
    pub(crate) fn for_tests(sha256: &str) -> Self {
        let file = FileIdentity { device: 0, inode: 0, length: 0, modified: (0, 0), changed: (0, 0) };
        Self { path: PathBuf::new(), version: "v4".to_owned(), sha256: sha256.to_owned(), file }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_helm_4_is_supported() {
        let supported = |version| supported(Path::new("/usr/bin/helm"), version);

        for version in ["v4.0.0", "v4.3", "v4.10.1+g1234567"] {
            assert_eq!(supported(version).unwrap(), version);
        }
        for version in ["v3.19.0", "v5.0.0", "4.1", "v40.1", "", "v"] {
            let error = supported(version).unwrap_err().to_string();
            assert!(error.contains("only helm 4 is supported"), "{version}: {error}");
        }
    }
}
