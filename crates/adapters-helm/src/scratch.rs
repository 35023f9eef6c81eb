//! Directories for running helms. They hold credentials, so none outlives its run: a run removes its own, and what a killed process left
//! is swept by the next one that starts on the same scratch directory.
//!
//! A process holds a lock on its part for as long as it lives; a part whose lock is free has no owner.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

const PREFIX: &str = "helm-";
const LOCK: &str = "lock";

/// This process's part of the scratch directory.
#[derive(Debug)]
pub(crate) struct Scratch {
    dir: TempDir,
    _lock: File,
}

impl Scratch {
    /// Makes `root` if need be, sweeps it and takes a part.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(root)?;
        // Nobody else sweeps between the making of our part and the taking of its lock.
        let gate = private_file(&root.join(LOCK))?;
        gate.lock()?;
        sweep(root)?;
        let dir = private_dir(root)?;
        let lock = private_file(&dir.path().join(LOCK))?;
        lock.lock()?;
        Ok(Self { dir, _lock: lock })
    }

    /// A directory for one run.
    pub(crate) fn run_dir(&self) -> io::Result<RunDir> {
        private_dir(self.dir.path()).map(RunDir)
    }
}

/// One run's directory; dropping it removes it.
#[derive(Debug)]
pub(crate) struct RunDir(TempDir);

impl RunDir {
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file that only its owner can read, and nothing if it cannot be written whole.
    pub(crate) fn write(&self, name: &str, content: &str) -> io::Result<PathBuf> {
        let path = self.path().join(name);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        match file.write_all(content.as_bytes()) {
            Ok(()) => Ok(path),
            Err(error) => {
                fs::remove_file(&path)?;
                Err(error)
            }
        }
    }
}

fn private_dir(parent: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix(PREFIX).permissions(Permissions::from_mode(0o700)).tempdir_in(parent)
}

fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn sweep(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let is_part = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if !is_part || !entry.file_type()?.is_dir() {
            continue;
        }
        let owned = File::open(entry.path().join(LOCK)).is_ok_and(|lock| lock.try_lock().is_err());
        if !owned {
            tracing::info!(dir = %entry.path().display(), "removing what a dead process left");
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_can_read_what_is_in_it() {
        let root = tempfile::tempdir().unwrap();
        let scratch = Scratch::open(&root.path().join("scratch")).unwrap();
        let run = scratch.run_dir().unwrap();

        let file = run.write("kubeconfig", "token").unwrap();

        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&root.path().join("scratch")), 0o700);
        assert_eq!(mode(run.path()), 0o700);
        assert_eq!(mode(&file), 0o600);
        assert!(run.write("kubeconfig", "other").is_err(), "a file is never written twice");
    }

    #[test]
    fn a_run_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let scratch = Scratch::open(root.path()).unwrap();
        let run = scratch.run_dir().unwrap();
        run.write("kubeconfig", "token").unwrap();
        let path = run.path().to_owned();

        drop(run);

        assert!(!path.exists());
    }

    #[test]
    fn what_a_dead_process_left_is_swept_and_what_a_live_one_has_is_not() {
        let root = tempfile::tempdir().unwrap();
        let dead = root.path().join("helm-dead");
        fs::create_dir_all(dead.join("helm-run")).unwrap();
        fs::write(dead.join(LOCK), "").unwrap();
        fs::write(dead.join("helm-run/kubeconfig"), "token").unwrap();
        let unrelated = root.path().join("other");
        fs::create_dir(&unrelated).unwrap();

        let live = Scratch::open(root.path()).unwrap();
        let later = Scratch::open(root.path()).unwrap();

        assert!(!dead.exists());
        assert!(live.dir.path().exists() && later.dir.path().exists() && unrelated.exists());
    }
}
