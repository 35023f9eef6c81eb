//! The keys that a process signs and checks access tokens with, kept up to date while it runs.
//!
//! A key is known before it signs, and checks for as long as a token that it signed can be valid: that is what lets replicas learn of
//! a new key one after the other without refusing a request (RELIABILITY S9). A reload that fails changes nothing.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shopwright_ports::clock::Clock;
use shopwright_ports::secrets::{PublicKey, Sealer};
use shopwright_ports::storage::Storage;

use super::key_files;
use super::signing_key::SigningKey;
use super::signing_keys::{self, SigningKeyError};

/// How often a token with an unknown key may cause a look for new keys: strangers write what they like into a token.
const LOOK_AT_MOST_EVERY: Duration = Duration::from_secs(1);

/// A key and when it signs.
#[derive(Clone)]
pub(super) struct TimedKey {
    pub(super) key: Arc<SigningKey>,
    /// It signs from then on, until the next one does.
    pub(super) signs_from: Timestamp,
    /// It checks until then; for ever when there is none.
    pub(super) checks_until: Option<Timestamp>,
}

/// Where keys come from.
#[derive(Clone)]
pub enum KeySource {
    /// The database: sealed, shared by all replicas.
    Database {
        /// The database.
        storage: Arc<dyn Storage>,
        /// Opens them.
        sealer: Arc<dyn Sealer>,
    },
    /// A directory, such as a mounted Secret.
    Files(PathBuf),
}

impl std::fmt::Debug for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Database { .. } => f.write_str("Database"),
            Self::Files(path) => f.debug_tuple("Files").field(path).finish(),
        }
    }
}

#[async_trait]
pub(super) trait Keys: Send + Sync {
    /// All keys that sign or check, or will.
    async fn load(&self) -> Result<Vec<TimedKey>, SigningKeyError>;
}

struct Source {
    source: KeySource,
    /// For how long a key that signs no more still checks.
    grace: SignedDuration,
}

#[async_trait]
impl Keys for Source {
    async fn load(&self) -> Result<Vec<TimedKey>, SigningKeyError> {
        match &self.source {
            KeySource::Database { storage, sealer } => {
                signing_keys::load(storage.as_ref(), sealer.as_ref(), self.grace).await
            }
            KeySource::Files(directory) => key_files::load(directory),
        }
    }
}

/// The keys of a process.
pub(super) struct KeyRing {
    keys: Box<dyn Keys>,
    known: RwLock<Arc<Vec<TimedKey>>>,
    /// When keys were last looked for because of a token.
    looked_at: Mutex<Option<Duration>>,
    clock: Arc<dyn Clock>,
}

impl KeyRing {
    /// With the keys of `source`; there must be one that signs now.
    pub(super) async fn open(
        source: KeySource,
        grace: SignedDuration,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SigningKeyError> {
        Self::of(Box::new(Source { source, grace }), clock).await
    }

    pub(super) async fn of(keys: Box<dyn Keys>, clock: Arc<dyn Clock>) -> Result<Self, SigningKeyError> {
        let ring = Self { keys, known: RwLock::default(), looked_at: Mutex::default(), clock };
        ring.reload().await?;
        Ok(ring)
    }

    /// Looks for keys again; whether there was anything new.
    pub(super) async fn reload(&self) -> Result<bool, SigningKeyError> {
        let keys = self.keys.load().await?;
        if signing(&keys, self.clock.now()).is_none() {
            return Err(SigningKeyError::NoneSigns);
        }
        let ids = |keys: &[TimedKey]| keys.iter().map(|key| (key.key.id.clone(), key.signs_from)).collect::<Vec<_>>();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let changed = ids(&known) != ids(&keys);
        *known = Arc::new(keys);
        Ok(changed)
    }

    fn known(&self) -> Arc<Vec<TimedKey>> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The key to sign with now.
    pub(super) fn signing(&self) -> Option<Arc<SigningKey>> {
        signing(&self.known(), self.clock.now())
    }

    /// The key of this id, if it checks now. One that is not known is looked for.
    pub(super) async fn checking(&self, id: &str) -> Option<Arc<SigningKey>> {
        if let Some(key) = self.find(id) {
            return Some(key);
        }
        if !self.may_look() {
            return None;
        }
        if let Err(error) = self.reload().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the signing keys cannot be read again");
        }
        self.find(id)
    }

    fn find(&self, id: &str) -> Option<Arc<SigningKey>> {
        let now = self.clock.now();
        let known = self.known();
        let key = known.iter().find(|key| key.key.id == id)?;
        key.checks_until.is_none_or(|end| now < end).then(|| Arc::clone(&key.key))
    }

    fn may_look(&self) -> bool {
        let now = self.clock.monotonic();
        let mut looked_at = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        let may = looked_at.is_none_or(|last| now.saturating_sub(last) >= LOOK_AT_MOST_EVERY);
        if may {
            *looked_at = Some(now);
        }
        may
    }

    /// What others check our tokens with.
    pub(super) fn public_keys(&self) -> Vec<PublicKey> {
        let now = self.clock.now();
        let live = |key: &&TimedKey| key.checks_until.is_none_or(|end| now < end);
        let known = self.known();
        known.iter().filter(live).map(|key| key.key.public()).collect()
    }
}

fn signing(keys: &[TimedKey], now: Timestamp) -> Option<Arc<SigningKey>> {
    let begun = keys.iter().filter(|key| key.signs_from <= now);
    begun.max_by_key(|key| key.signs_from).map(|key| Arc::clone(&key.key))
}
