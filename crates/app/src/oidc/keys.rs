//! The issuer's keys, kept.
//!
//! They are fetched when the first token comes, when they have grown old, and when a token names one that is not known: that is how a
//! rotation is found. A fetch is made by one at a time and not more often than every half minute, so that made-up names of keys cost the
//! issuer nothing. While it is away its known keys go on for a day.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::Client;
use shopwright_ports::clock::Clock;
use shopwright_ports::external_issuer::ExternalTokenError;

use super::discovery::{self, IssuerUrl};

/// Keys are looked for again after this long.
const FRESH: Duration = Duration::from_mins(10);
/// For this long they are good although the issuer does not answer.
const STALE: Duration = Duration::from_hours(24);
/// The pause between two attempts to fetch them.
const PAUSE: Duration = Duration::from_secs(30);
/// Issuers have two or three.
const MOST: usize = 100;

/// A key, and the one algorithm that it is for.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) decoding: DecodingKey,
    pub(super) algorithm: Algorithm,
}

#[derive(Default)]
struct Known {
    keys: HashMap<String, Arc<Key>>,
    fetched_at: Option<Duration>,
    tried_at: Option<Duration>,
}

/// All of them.
pub(super) struct Keys {
    issuer: IssuerUrl,
    client: Client,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
    fetching: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// The algorithm that a key is for: its own word if it is one of ours, else the usual one of its kind. Never a symmetric one.
fn algorithm(key: &Jwk) -> Option<Algorithm> {
    let usual = match &key.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => Algorithm::ES256,
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P384 => Algorithm::ES384,
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        _ => return None,
    };
    let named = match key.common.key_algorithm {
        None => return Some(usual),
        Some(KeyAlgorithm::RS256) => Algorithm::RS256,
        Some(KeyAlgorithm::RS384) => Algorithm::RS384,
        Some(KeyAlgorithm::RS512) => Algorithm::RS512,
        Some(KeyAlgorithm::PS256) => Algorithm::PS256,
        Some(KeyAlgorithm::ES256) => Algorithm::ES256,
        Some(KeyAlgorithm::ES384) => Algorithm::ES384,
        Some(KeyAlgorithm::EdDSA) => Algorithm::EdDSA,
        Some(_) => return None,
    };
    let rsa =
        |algorithm| matches!(algorithm, Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512 | Algorithm::PS256);
    (named == usual || (rsa(named) && rsa(usual))).then_some(named)
}

fn usable(set: &JwkSet) -> HashMap<String, Arc<Key>> {
    let signs = |key: &&Jwk| key.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
    let entry = |key: &Jwk| {
        let (id, algorithm) = (key.common.key_id.clone()?, algorithm(key)?);
        Some((id, Arc::new(Key { decoding: DecodingKey::from_jwk(key).ok()?, algorithm })))
    };
    set.keys.iter().take(MOST).filter(signs).filter_map(entry).collect()
}

impl Keys {
    pub(super) fn new(issuer: IssuerUrl, client: Client, clock: Arc<dyn Clock>) -> Self {
        Self { issuer, client, clock, known: Mutex::default(), fetching: tokio::sync::Mutex::default() }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of this name, and whether it is time to look for new ones.
    fn look(&self, kid: &str) -> (Option<Arc<Key>>, bool) {
        let (known, now) = (self.known(), self.clock.monotonic());
        let age = known.fetched_at.map(|at| now.saturating_sub(at));
        let key = known.keys.get(kid).filter(|_| age.is_some_and(|age| age < STALE)).cloned();
        let old = age.is_none_or(|age| age >= FRESH);
        let rested = known.tried_at.is_none_or(|at| now.saturating_sub(at) >= PAUSE);
        let wanted = rested && (key.is_none() || old);
        (key, wanted)
    }

    /// The key that tokens name so.
    pub(super) async fn get(&self, kid: &str) -> Result<Arc<Key>, ExternalTokenError> {
        let (key, fetch) = self.look(kid);
        if let Some(key) = key {
            // Somebody else may be fetching already: a key that is known is worth no wait.
            if fetch && let Ok(_only) = self.fetching.try_lock() {
                self.fetch().await;
                return Ok(self.look(kid).0.unwrap_or(key));
            }
            return Ok(key);
        }
        if fetch {
            let _only = self.fetching.lock().await;
            if self.look(kid).1 {
                self.fetch().await;
            }
        }
        let never = self.known().fetched_at.is_none();
        self.look(kid).0.ok_or(if never { ExternalTokenError::Unavailable } else { ExternalTokenError::Invalid })
    }

    async fn fetch(&self) {
        self.known().tried_at = Some(self.clock.monotonic());
        match discovery::keys(&self.client, &self.issuer).await {
            Ok(set) => {
                let keys = usable(&set);
                let names: Vec<&String> = keys.keys().collect();
                tracing::info!(issuer = self.issuer.as_str(), ?names, "the issuer's keys are read");
                let mut known = self.known();
                known.keys = keys;
                known.fetched_at = Some(self.clock.monotonic());
            }
            Err(error) => tracing::warn!(issuer = self.issuer.as_str(), %error, "the issuer's keys cannot be read"),
        }
    }
}
