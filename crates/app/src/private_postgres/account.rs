//! Whose processes and files the server's are: ours, or an unprivileged user's when we are root.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{Gid, Uid, chown};
use tokio::process::Command;

use super::error::PrivatePostgresError;

/// The user that the server runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    gid: u32,
    /// Whether we are root and must become that user.
    switch: bool,
}

impl Account {
    /// Ourselves; as root `postgres`, or else `nobody`.
    pub(super) fn for_server() -> Result<Self, PrivatePostgresError> {
        let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        if !uid.is_root() {
            return Ok(Self {
                name: format!("uid {}", uid.as_raw()),
                uid: uid.as_raw(),
                gid: gid.as_raw(),
                switch: false,
            });
        }
        let found = ["postgres", "nobody"].into_iter().find_map(|name| parse(&passwd, name));
        found.ok_or(PrivatePostgresError::NoUser)
    }

    /// Makes the command run as this user, with nothing of our environment: it may hold our secrets (DECISIONS 31).
    pub(super) fn prepare(&self, command: &mut Command) {
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C").env("TZ", "UTC");
        if self.switch {
            command.uid(self.uid).gid(self.gid);
        }
    }

    /// Gives the path to this user, for nobody else to enter.
    pub(super) fn own(&self, path: &Path) -> Result<(), PrivatePostgresError> {
        let mode = if path.is_dir() { 0o700 } else { 0o600 };
        fs::set_permissions(path, Permissions::from_mode(mode)).map_err(PrivatePostgresError::io("protect", path))?;
        if self.switch {
            let owner = (Some(Uid::from_raw(self.uid)), Some(Gid::from_raw(self.gid)));
            chown(path, owner.0, owner.1).map_err(|errno| PrivatePostgresError::io("give away", path)(errno.into()))?;
        }
        Ok(())
    }

    /// The data directory: ours, but the server's user must be able to pass through it and everything above.
    pub(super) fn make_data_dir(&self, dir: &Path) -> Result<(), PrivatePostgresError> {
        if !dir.exists() {
            fs::create_dir_all(dir).map_err(PrivatePostgresError::io("create", dir))?;
            let mode = if self.switch { 0o711 } else { 0o700 };
            fs::set_permissions(dir, Permissions::from_mode(mode)).map_err(PrivatePostgresError::io("protect", dir))?;
        }
        let full = dir.canonicalize().map_err(PrivatePostgresError::io("enter", dir))?;
        let blocked = full.ancestors().filter(|_| self.switch).find(|above| !self.may_enter(above));
        match blocked {
            Some(above) => {
                Err(PrivatePostgresError::NotReachable { dir: above.to_path_buf(), user: self.name.clone() })
            }
            None => Ok(()),
        }
    }

    fn may_enter(&self, dir: &Path) -> bool {
        let Ok(meta) = dir.metadata() else { return false };
        let bit = match (meta.uid() == self.uid, meta.gid() == self.gid) {
            (true, _) => 0o100,
            (false, true) => 0o010,
            (false, false) => 0o001,
        };
        meta.mode() & bit != 0
    }
}

fn parse(passwd: &str, wanted: &str) -> Option<Account> {
    let fields: Vec<&str> = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|f| f[0] == wanted)?;
    let (uid, gid) = (fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?);
    Some(Account { name: wanted.to_owned(), uid, gid, switch: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_name() {
        let passwd = "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\n";

        let account = parse(passwd, "nobody").unwrap();

        assert_eq!((account.uid, account.gid), (65534, 65533));
        assert_eq!(parse(passwd, "postgres"), None);
    }
}
