//! The lock on the data directory. The kernel gives it back when its holder dies, however it dies.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::error::PrivatePostgresError;

/// Held as long as this value lives. The file holds the URL of the server that the holder runs.
#[derive(Debug)]
pub(super) struct DataDirLock {
    file: File,
    path: std::path::PathBuf,
}

impl DataDirLock {
    /// Takes the lock, or says who has it.
    pub(super) fn take(data_dir: &Path) -> Result<Self, PrivatePostgresError> {
        let path = data_dir.join("serve.lock");
        let io = |action| PrivatePostgresError::io(action, &path);
        // The file is never removed: a lock on a removed file is no lock.
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(&path).map_err(io("open"))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let mut url = String::new();
                file.read_to_string(&mut url).map_err(io("read"))?;
                let url = Some(url).filter(|url| !url.is_empty());
                return Err(PrivatePostgresError::InUse { data_dir: data_dir.to_path_buf(), url });
            }
            Err(errno) => return Err(io("lock")(errno.into())),
        }
        let mut lock = Self { file, path };
        // What an earlier holder said is not true any more.
        lock.tell("")?;
        Ok(lock)
    }

    /// Tells whoever comes second which URL to use.
    pub(super) fn tell(&mut self, url: &str) -> Result<(), PrivatePostgresError> {
        let mut write = || {
            self.file.set_len(0)?;
            self.file.seek(SeekFrom::Start(0))?;
            self.file.write_all(url.as_bytes())
        };
        write().map_err(PrivatePostgresError::io("write", &self.path))
    }
}
