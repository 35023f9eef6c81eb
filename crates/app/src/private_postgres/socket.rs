//! The directory of the socket: entered by the server's user alone, and short, for a socket's path is cut off at 107 bytes.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::account::Account;
use super::error::PrivatePostgresError;

/// There is no TCP port, but the socket's name has a number.
pub(super) const PORT: u16 = 5432;
const SOCKET: &str = ".s.PGSQL.5432";
const LIMIT: usize = 100;

fn fits(dir: &Path) -> bool {
    dir.as_os_str().len() + 1 + SOCKET.len() < LIMIT
}

/// The directory for the socket: in the data directory, or under /run or /tmp when that would be too long a path.
pub(super) fn directory(data_dir: &Path, account: &Account) -> Result<PathBuf, PrivatePostgresError> {
    let inside = data_dir.join("run");
    if fits(&inside) {
        if !inside.exists() {
            fs::create_dir(&inside).map_err(PrivatePostgresError::io("create", &inside))?;
        }
        account.own(&inside)?;
        return Ok(inside);
    }
    let digest = Sha256::digest(data_dir.as_os_str().as_encoded_bytes());
    let name = format!("shopwright-{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3]);
    let parent = if rustix::process::geteuid().is_root() { "/run" } else { "/tmp" };
    let dir = Path::new(parent).join(name);
    // Anybody may make anything in /tmp: only a real directory of the right owner, closed to others, will do.
    match fs::DirBuilder::new().mode(0o700).create(&dir) {
        Ok(()) => account.own(&dir)?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let meta = fs::symlink_metadata(&dir).map_err(PrivatePostgresError::io("enter", &dir))?;
            if !meta.is_dir() || meta.uid() != account.uid || meta.mode() & 0o077 != 0 {
                return Err(PrivatePostgresError::ForeignSocketDir(dir));
            }
        }
        Err(error) => return Err(PrivatePostgresError::io("create", &dir)(error)),
    }
    Ok(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_data_directory_gets_a_short_socket() {
        let account = Account::for_server().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let long = dir.path().join("a".repeat(100));
        fs::create_dir(&long).unwrap();

        let near = directory(dir.path(), &account).unwrap();
        let far = directory(&long, &account).unwrap();

        assert_eq!(near, dir.path().join("run"));
        assert!(fits(&far) && !far.starts_with(dir.path()), "{}", far.display());
        assert_eq!(directory(&long, &account).unwrap(), far, "the same again");
        assert_eq!(far.metadata().unwrap().mode() & 0o777, 0o700);
        fs::remove_dir(far).unwrap();
    }
}
