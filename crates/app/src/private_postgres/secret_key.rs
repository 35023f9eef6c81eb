//! The generated sealing key of private mode: made once, kept in a file that only we may read.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use shopwright_ports::clock::Entropy;

use super::error::PrivatePostgresError;
use crate::crypto::SealingKey;

/// The key in `secret.key` of the data directory, made if there is none. Call it while the directory's lock is held.
///
/// # Errors
/// [`PrivatePostgresError::DamagedKey`] when the file holds something else: a new key could not open what the old one sealed.
pub fn load_or_generate(data_dir: &Path, entropy: &dyn Entropy) -> Result<SealingKey, PrivatePostgresError> {
    let path = data_dir.join("secret.key");
    match fs::read_to_string(&path) {
        Ok(text) => {
            let text = SecretString::from(text);
            SealingKey::parse(text.expose_secret()).map_err(|_| PrivatePostgresError::DamagedKey(path))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let key = SealingKey::generate(entropy);
            write(&path, &key.to_text()).map_err(PrivatePostgresError::io("write", &path))?;
            Ok(key)
        }
        Err(error) => Err(PrivatePostgresError::io("read", &path)(error)),
    }
}

/// Written aside and renamed, so that a crash never leaves half a key; on disk before anything is sealed with it.
fn write(path: &Path, text: &SecretString) -> std::io::Result<()> {
    let aside = path.with_extension("key.new");
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
    writeln!(file, "{}", text.expose_secret())?;
    file.sync_all()?;
    fs::rename(&aside, path)?;
    path.parent().map_or(Ok(()), |dir| fs::File::open(dir)?.sync_all())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::crypto::SystemEntropy;

    #[test]
    fn the_key_is_made_once_and_read_afterwards() {
        let dir = tempfile::tempdir().unwrap();

        let first = load_or_generate(dir.path(), &SystemEntropy).unwrap();
        let second = load_or_generate(dir.path(), &SystemEntropy).unwrap();

        assert_eq!(first.id(), second.id());
        assert_eq!(dir.path().join("secret.key").metadata().unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_key_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("secret.key"), "").unwrap();

        let error = load_or_generate(dir.path(), &SystemEntropy).unwrap_err();

        assert!(matches!(error, PrivatePostgresError::DamagedKey(_)));
        assert_eq!(fs::read_to_string(dir.path().join("secret.key")).unwrap(), "");
    }
}
