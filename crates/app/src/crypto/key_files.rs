//! Signing keys in a directory, such as a mounted Secret: `signing.pem` signs, every other `*.pem` only checks.
//!
//! To rotate without a refused request: add the next key under a name of its own and wait until every replica has read it (a mounted
//! Secret takes up to two minutes); then make it `signing.pem` and keep the one before under another name for as long as its tokens live.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;

use super::key_ring::TimedKey;
use super::signing_key::SigningKey;
use super::signing_keys::SigningKeyError;

/// The file with the key that signs.
const SIGNS: &str = "signing.pem";

pub(super) fn load(directory: &Path) -> Result<Vec<TimedKey>, SigningKeyError> {
    let unreadable = |path: &Path, detail: String| SigningKeyError::File { path: path.to_owned(), detail };
    let entries = fs::read_dir(directory).map_err(|error| unreadable(directory, error.to_string()))?;
    let mut keys = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(directory, error.to_string()))?.path();
        if path.extension().is_none_or(|extension| extension != "pem") {
            continue;
        }
        let text = fs::read(&path).map_err(|error| unreadable(&path, error.to_string()))?;
        // Neither the parser's words nor ours repeat the file.
        let document = PrivatePkcs8KeyDer::from_pem_slice(&text).ok();
        let key = document.and_then(|document| SigningKey::from_pkcs8(document.secret_pkcs8_der()));
        let key = key.ok_or_else(|| unreadable(&path, "it is no Ed25519 key in PKCS#8".to_owned()))?;
        let signs = path.file_name().is_some_and(|name| name == SIGNS);
        let signs_from = if signs { Timestamp::MIN } else { Timestamp::MAX };
        keys.push(TimedKey { key: Arc::new(key), signs_from, checks_until: None });
    }
    // The order of a directory is none; and one key may stand under two names while it changes its place.
    keys.sort_by(|one, other| (one.signs_from, &one.key.id).cmp(&(other.signs_from, &other.key.id)));
    keys.dedup_by(|one, other| one.key.id == other.key.id);
    Ok(keys)
}
