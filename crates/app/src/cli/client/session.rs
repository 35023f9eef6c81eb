//! Sign-ins between two commands: one per server, in a file that only its owner may read.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::error::ClientError;
use super::model::SignedIn;
use crate::config::Environment;

/// What is kept of a sign-in.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    /// The access token.
    pub(super) token: SecretString,
    /// Gets the next one, once; servers of an older version give none.
    pub(super) refresh_token: Option<SecretString>,
    /// When the access token expires, in seconds since 1970.
    pub(super) expires_at: Option<i64>,
}

impl Kept {
    /// What a server answered at `now`, in seconds since 1970.
    pub(super) fn new(signed_in: SignedIn, now: i64) -> Self {
        let SignedIn { token, refresh_token, expires_in } = signed_in;
        Self { token, refresh_token, expires_at: expires_in.map(|seconds| now.saturating_add(i64::from(seconds))) }
    }
}

/// A sign-in as the file has it. Older versions wrote the token alone.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Entry {
    Token(String),
    #[serde(rename_all = "camelCase")]
    Session {
        token: String,
        #[serde(default)]
        refresh_token: Option<String>,
        #[serde(default)]
        expires_at: Option<i64>,
    },
}

impl From<Entry> for Kept {
    fn from(entry: Entry) -> Self {
        match entry {
            Entry::Token(token) => Self { token: token.into(), refresh_token: None, expires_at: None },
            Entry::Session { token, refresh_token, expires_at } => {
                Self { token: token.into(), refresh_token: refresh_token.map(SecretString::from), expires_at }
            }
        }
    }
}

impl From<&Kept> for Entry {
    fn from(kept: &Kept) -> Self {
        Self::Session {
            token: kept.token.expose_secret().to_owned(),
            refresh_token: kept.refresh_token.as_ref().map(|token| token.expose_secret().to_owned()),
            expires_at: kept.expires_at,
        }
    }
}

/// The file with the sign-ins.
#[derive(Debug, Clone)]
pub(super) struct Sessions {
    path: Option<PathBuf>,
}

/// Held while a sign-in is refreshed: another command would use the same refresh token a second time.
pub(super) struct Refreshing {
    _file: File,
}

fn make_parent(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |dir| DirBuilder::new().recursive(true).mode(0o700).create(dir))
}

impl Sessions {
    /// In `shopwright/session.json` of the XDG configuration home.
    pub(super) fn new(environment: &Environment) -> Self {
        let home = environment.xdg("XDG_CONFIG_HOME", ".config");
        Self { path: home.map(|home| home.join("shopwright/session.json")) }
    }

    fn path(&self) -> Result<&PathBuf, ClientError> {
        let missing =
            || ClientError::Usage("there is no home directory for the token: set HOME or SHOPWRIGHT_TOKEN".to_owned());
        self.path.as_ref().ok_or_else(missing)
    }

    fn read(&self) -> Result<BTreeMap<String, Entry>, ClientError> {
        let path = self.path()?;
        match fs::read_to_string(path) {
            // A damaged file is a sign-in that is over, not a reason to stop for ever.
            Ok(text) => Ok(serde_json::from_str(&text).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(ClientError::io(format!("read {}", path.display()))(error)),
        }
    }

    /// The sign-in at a server.
    pub(super) fn find(&self, server: &str) -> Result<Option<Kept>, ClientError> {
        if self.path.is_none() {
            return Ok(None);
        }
        Ok(self.read()?.remove(server).map(Kept::from))
    }

    /// Waits until no other command refreshes.
    pub(super) fn refreshing(&self) -> Result<Refreshing, ClientError> {
        let path = self.path()?.with_extension("lock");
        let lock = || {
            make_parent(&path)?;
            // Never removed: a lock on a removed file is no lock.
            let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
            flock(&file, FlockOperation::LockExclusive)?;
            Ok(Refreshing { _file: file })
        };
        lock().map_err(ClientError::io(format!("lock {}", path.display())))
    }

    /// Keeps a sign-in, instead of an older one at the same server.
    pub(super) fn keep(&self, server: &str, kept: &Kept) -> Result<(), ClientError> {
        let mut entries = self.read()?;
        entries.insert(server.to_owned(), kept.into());
        self.write(&entries)
    }

    /// Forgets the sign-in at a server.
    pub(super) fn forget(&self, server: &str) -> Result<(), ClientError> {
        let mut entries = self.read()?;
        if entries.remove(server).is_some() { self.write(&entries) } else { Ok(()) }
    }

    fn write(&self, entries: &BTreeMap<String, Entry>) -> Result<(), ClientError> {
        let path = self.path()?;
        let write = || {
            make_parent(path)?;
            // Written aside and renamed: another command never reads half of it.
            let aside = path.with_extension(format!("{}.new", std::process::id()));
            let mut options = OpenOptions::new();
            let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
            file.write_all(serde_json::to_string_pretty(entries)?.as_bytes())?;
            fs::rename(&aside, path)
        };
        write().map_err(ClientError::io(format!("write {}", path.display())))
    }
}
