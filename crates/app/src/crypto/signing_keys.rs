//! The keys that sign access tokens: one database, one set of keys, whatever the number of replicas.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use shopwright_ports::clock::{Clock, Entropy};
use shopwright_ports::secrets::{SealError, Sealer};
use shopwright_ports::storage::{Reach, SealedKey, Storage, StorageError};

use super::key_ring::TimedKey;
use super::signing_key::SigningKey;

/// How long a new key is known before it signs: replicas look for keys six times in it, and clients fetch the key set anew.
const PUBLISHED_BEFORE: SignedDuration = SignedDuration::from_mins(1);
/// No token lives longer than this (`LEGACY_TOKEN_TTL` at its largest), so no key is needed for longer after its last signature.
const KEPT_AFTER: SignedDuration = SignedDuration::from_hours(24 * 31);

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    /// The database does not answer, or worse.
    #[error("the signing keys cannot be read")]
    Storage(#[from] StorageError),
    /// The key in the database was sealed with another secret key than the configured one.
    #[error(
        "the database was used with another SHOPWRIGHT_SECRET_KEY ({key_id}): configure that key, after a new one and a comma if there is a new one"
    )]
    OtherSecretKey {
        /// The id of the key that is missing.
        key_id: String,
    },
    /// The key in the database was changed.
    #[error(
        "signing key {id} in the database is damaged: delete its row to have a new one made; everybody refreshes their token then"
    )]
    Damaged {
        /// Which key.
        id: String,
    },
    /// A file of the directory with signing keys cannot be used.
    #[error("{}: {detail}; correct it, or SHOPWRIGHT_SIGNING_KEYS_DIR", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// There are keys, but none that signs yet.
    #[error("no key signs: SHOPWRIGHT_SIGNING_KEYS_DIR needs a file `signing.pem`")]
    NoneSigns,
    /// The cryptographic library refuses to make a key.
    #[error("no signing key can be made")]
    CannotMake,
}

/// What a rotation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The key that comes.
    pub id: String,
    /// From when on it signs.
    pub activates_at: Timestamp,
    /// Whether it was on its way already.
    pub under_way: bool,
    /// Keys that are gone: what they signed is refused.
    pub removed: Vec<String>,
}

/// Makes the first key, if there is none. The first process to come makes it; others wait for it.
///
/// # Errors
/// [`SigningKeyError`], which says what to do.
pub async fn ensure_signing_key(
    storage: &dyn Storage,
    sealer: &dyn Sealer,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<(), SigningKeyError> {
    let mut tx = storage.begin(Reach::Identity).await?;
    // The lock on all keys is what makes two processes agree on the first one.
    if tx.signing_keys().lock_all().await?.is_empty() {
        let now = clock.now();
        tx.signing_keys().insert(&new_key(sealer, entropy, now, now)?).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Begins a rotation: the next key is published now and signs a minute later, when every replica knows it; tokens of the keys before
/// it stay good until they expire. `at_once` is for a key that leaked: the new key signs now and every other is gone, so that
/// everybody refreshes their access token.
///
/// # Errors
/// [`SigningKeyError`], which says what to do.
pub async fn rotate_signing_keys(
    storage: &dyn Storage,
    sealer: &dyn Sealer,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    at_once: bool,
) -> Result<Rotation, SigningKeyError> {
    let now = clock.now();
    let mut tx = storage.begin(Reach::Identity).await?;
    let rows = tx.signing_keys().lock_all().await?;
    if let Some(next) = rows.iter().find(|row| row.activates_at > now).filter(|_| !at_once) {
        let SealedKey { id, activates_at, .. } = next.clone();
        return Ok(Rotation { id, activates_at, under_way: true, removed: Vec::new() });
    }
    let row = new_key(sealer, entropy, now, if at_once { now } else { now + PUBLISHED_BEFORE })?;
    let mut removed = Vec::new();
    let mut successor = row.activates_at;
    for old in rows {
        if at_once || successor + KEPT_AFTER < now {
            tx.signing_keys().remove(&old.id).await?;
            removed.push(old.id);
        }
        successor = old.activates_at;
    }
    tx.signing_keys().insert(&row).await?;
    tx.commit().await?;
    Ok(Rotation { id: row.id, activates_at: row.activates_at, under_way: false, removed })
}

fn new_key(
    sealer: &dyn Sealer,
    entropy: &dyn Entropy,
    now: Timestamp,
    activates_at: Timestamp,
) -> Result<SealedKey, SigningKeyError> {
    let mut seed = [0; 32];
    entropy.fill(&mut seed);
    let key = SigningKey::from_seed(&seed).ok_or(SigningKeyError::CannotMake)?;
    let closed = sealer.seal(&key.id, &seed).map_err(|_| SigningKeyError::CannotMake)?;
    Ok(SealedKey { id: key.id, sealed: closed, created_at: now, activates_at })
}

/// The keys of the database. Each checks for `grace` after its successor began to sign.
///
/// A key that signs no more and does not open is left out: its tokens are soon over. Any other must open, for a wrong
/// `SHOPWRIGHT_SECRET_KEY` would also leave every store's credentials closed.
pub(super) async fn load(
    storage: &dyn Storage,
    sealer: &dyn Sealer,
    grace: SignedDuration,
) -> Result<Vec<TimedKey>, SigningKeyError> {
    let rows = storage.begin(Reach::Identity).await?.signing_keys().all().await?;
    let mut keys = Vec::new();
    let mut successor: Option<Timestamp> = None;
    for row in &rows {
        let checks_until = successor.map(|signs| signs + grace);
        match open(sealer, row) {
            Ok(key) => keys.push(TimedKey { key: Arc::new(key), signs_from: row.activates_at, checks_until }),
            Err(error) if checks_until.is_none() => return Err(error),
            Err(error) => tracing::warn!(%error, "an older signing key is left out"),
        }
        successor = Some(row.activates_at);
    }
    Ok(keys)
}

fn open(sealer: &dyn Sealer, row: &SealedKey) -> Result<SigningKey, SigningKeyError> {
    let damaged = || SigningKeyError::Damaged { id: row.id.clone() };
    let seed = sealer.open(&row.id, &row.sealed).map_err(|error| match error {
        SealError::UnknownKey(key_id) => SigningKeyError::OtherSecretKey { key_id },
        SealError::Tampered => damaged(),
    })?;
    SigningKey::from_seed(&seed).filter(|key| key.id == row.id).ok_or_else(damaged)
}

#[cfg(test)]
#[path = "signing_keys_tests.rs"]
mod tests;
