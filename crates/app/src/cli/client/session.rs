//! Tokens between two commands: one per server, in a file that only its owner may read.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::error::ClientError;
use crate::config::Environment;

/// The file with the tokens.
pub(super) struct Sessions {
    path: Option<PathBuf>,
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

    fn read(&self) -> Result<BTreeMap<String, String>, ClientError> {
        let path = self.path()?;
        match fs::read_to_string(path) {
            // A damaged file is a sign-in that is over, not a reason to stop for ever.
            Ok(text) => Ok(serde_json::from_str(&text).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(ClientError::io(format!("read {}", path.display()))(error)),
        }
    }

    /// The token for a server.
    pub(super) fn token(&self, server: &str) -> Result<Option<SecretString>, ClientError> {
        if self.path.is_none() {
            return Ok(None);
        }
        Ok(self.read()?.remove(server).map(SecretString::from))
    }

    /// Keeps a token, instead of an older one for the same server.
    pub(super) fn keep(&self, server: &str, token: &SecretString) -> Result<(), ClientError> {
        let path = self.path()?;
        let mut tokens = self.read()?;
        tokens.insert(server.to_owned(), token.expose_secret().to_owned());
        let write = || {
            if let Some(dir) = path.parent() {
                DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
            }
            // Written aside and renamed: another command never reads half of it.
            let aside = path.with_extension(format!("{}.new", std::process::id()));
            let mut options = OpenOptions::new();
            let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
            file.write_all(serde_json::to_string_pretty(&tokens)?.as_bytes())?;
            fs::rename(&aside, path)
        };
        write().map_err(ClientError::io(format!("write {}", path.display())))
    }
}
