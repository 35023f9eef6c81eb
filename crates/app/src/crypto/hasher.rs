//! Argon2id in a bounded pool: a flood of sign-ins waits a little, then is turned away, and never starves the rest of the process.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error, PasswordHasher as _, PasswordVerifier as _};
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use shopwright_ports::secrets::{HashError, PasswordHasher};
use tokio::sync::Semaphore;

/// The hash of no password, at the same cost: what an unknown user is compared with, so that the answer takes as long.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdA$bm9ib2R5J3MgcGFzc3dvcmQgaGFzaGVzIHRvIHRoaXM";

/// Hashes with Argon2id at m = 19 MiB, t = 2, p = 1.
#[derive(Debug, Clone)]
pub struct Argon2Hasher {
    /// How many hash at once.
    running: Arc<Semaphore>,
    /// How many hash or wait.
    admitted: Arc<Semaphore>,
}

impl Argon2Hasher {
    /// At most `threads` hash at once (19 MiB each), and `waiting` more wait for their turn.
    pub fn new(threads: usize, waiting: usize) -> Self {
        let threads = threads.max(1);
        Self { running: Arc::new(Semaphore::new(threads)), admitted: Arc::new(Semaphore::new(threads + waiting)) }
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| HashError::Busy)?;
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_| HashError::Busy)?;
        let hashing = tokio::task::spawn_blocking(move || {
            let result = work();
            // Given back by the thread, not by the future: a client that hangs up does not free a thread that still works.
            drop((running, admitted));
            result
        });
        hashing.await.unwrap_or(Err(HashError::Busy))
    }
}

#[async_trait]
impl PasswordHasher for Argon2Hasher {
    async fn hash(&self, password: SecretString) -> Result<String, HashError> {
        self.run(move || {
            // The defaults are the parameters above; a test pins them. Fails only when there is no randomness for the salt.
            let hash = Argon2::default().hash_password(password.expose_secret().as_bytes());
            hash.map(|hash| hash.to_string()).map_err(|_| HashError::Busy)
        })
        .await
    }

    async fn verify(&self, password: SecretString, hash: Option<String>) -> Result<bool, HashError> {
        self.run(move || {
            let known = hash.is_some();
            let text = hash.as_deref().unwrap_or(NOBODY);
            let parsed = PasswordHash::new(text).map_err(|_| HashError::Malformed)?;
            match Argon2::default().verify_password(password.expose_secret().as_bytes(), &parsed) {
                Ok(()) => Ok(known),
                Err(Error::PasswordInvalid) => Ok(false),
                Err(_) => Err(HashError::Malformed),
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_verifies_against_its_own_hash_alone() {
        let hasher = Argon2Hasher::new(2, 2);

        let hash = hasher.hash("correct horse".into()).await.unwrap();

        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(hasher.verify("correct horse".into(), Some(hash.clone())).await, Ok(true));
        assert_eq!(hasher.verify("wrong horse".into(), Some(hash.clone())).await, Ok(false));
        assert_ne!(hasher.hash("correct horse".into()).await.unwrap(), hash, "salted");
    }

    #[tokio::test]
    async fn an_unknown_user_costs_the_same_work_and_is_refused() {
        let hasher = Argon2Hasher::new(1, 0);
        let real = hasher.hash("anything".into()).await.unwrap();
        let cost = |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();

        assert_eq!(hasher.verify("anything".into(), None).await, Ok(false));
        assert_eq!(cost(NOBODY), cost(&real));
        assert!(PasswordHash::new(NOBODY).is_ok());
    }

    #[tokio::test]
    async fn a_damaged_hash_is_not_a_wrong_password() {
        let hasher = Argon2Hasher::new(1, 0);

        assert_eq!(hasher.verify("x".into(), Some("not a hash".into())).await, Err(HashError::Malformed));
    }

    #[tokio::test]
    async fn a_flood_is_turned_away_and_the_next_one_is_not() {
        let hasher = Argon2Hasher::new(1, 1);

        let flood = futures::future::join_all((0..10).map(|_| hasher.hash("flood".into()))).await;

        assert_eq!(flood.iter().filter(|result| result.is_ok()).count(), 2);
        assert_eq!(flood.iter().filter(|result| **result == Err(HashError::Busy)).count(), 8);
        assert!(hasher.hash("later".into()).await.is_ok());
    }
}
