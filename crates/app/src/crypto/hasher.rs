//! Argon2id in a bounded pool: a flood of sign-ins waits a little, then is turned away, and never starves the rest of the process.
//!
//! The threads are the pool's own and always the same. An allocator keeps what a thread has given back for that thread: on tokio's blocking
//! threads, of which there may be hundreds, a flood left 19 MiB with each of them (RELIABILITY S6).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error, PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, KeyId, Params, ParamsBuilder, Version};
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use shopwright_ports::secrets::{HashError, PasswordHasher};
use tokio::sync::{Semaphore, oneshot};

use super::sealing_key::SealingKey;

/// The hash of no password, at the same cost: what an unknown user is compared with, so that the answer takes as long.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdA$bm9ib2R5J3MgcGFzc3dvcmQgaGFzaGVzIHRvIHRoaXM";

type Job = Box<dyn FnOnce() + Send>;

/// Hashes with Argon2id at m = 19 MiB, t = 2, p = 1.
#[derive(Debug, Clone)]
pub struct Argon2Hasher {
    /// To the threads, which end with the last of these.
    jobs: Sender<Job>,
    /// How many hash or wait.
    admitted: Arc<Semaphore>,
    /// Secrets that go into hashes and stand beside none: the first into new ones.
    peppers: Arc<[SealingKey]>,
}

/// Argon2id with the pepper of this hash.
fn argon2<'a>(peppers: &'a [SealingKey], params: &Params) -> Result<Argon2<'a>, HashError> {
    let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
    if params.keyid().is_empty() {
        return Ok(Argon2::new(algorithm, version, params.clone()));
    }
    let pepper = peppers.iter().find(|key| key.id().as_bytes() == params.keyid()).ok_or(HashError::UnknownKey)?;
    Argon2::new_with_secret(pepper.bytes(), algorithm, version, params.clone()).map_err(|_| HashError::UnknownKey)
}

impl Argon2Hasher {
    /// At most `threads` hash at once (19 MiB each), and `waiting` more wait for their turn.
    pub fn new(threads: usize, waiting: usize) -> Self {
        let threads = threads.max(1);
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads {
            let queue = Arc::clone(&queue);
            if let Err(error) = thread::Builder::new().name("argon2".to_owned()).spawn(move || work_off(&queue)) {
                tracing::error!(error = &error as &dyn std::error::Error, "a thread for passwords does not start");
            }
        }
        Self { jobs, admitted: Arc::new(Semaphore::new(threads + waiting)), peppers: Arc::new([]) }
    }

    /// With secrets that are kept elsewhere than the hashes: who has these alone cannot guess. The first goes into new hashes; hashes name
    /// theirs, so that the others go on checking. Hashes without one are checked too.
    #[must_use]
    pub fn peppered(self, peppers: &[SealingKey]) -> Self {
        Self { peppers: peppers.into(), ..self }
    }

    /// How new hashes are made. The costs are the library's defaults; a test pins them.
    fn params(&self) -> Result<Params, HashError> {
        let mut params = ParamsBuilder::new();
        if let Some(pepper) = self.peppers.first() {
            params.keyid(KeyId::new(pepper.id().as_bytes()).map_err(|_| HashError::UnknownKey)?);
        }
        params.build().map_err(|_| HashError::Malformed)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| HashError::Busy)?;
        let (hasher, (answer, answered)) = (self.clone(), oneshot::channel());
        let job: Job = Box::new(move || {
            // A client that has hung up costs nothing; one that hangs up now does not free a thread that still works.
            let result = (!answer.is_closed()).then(|| work(&hasher));
            // Before the answer: whoever has it may come again at once.
            drop(admitted);
            if let Some(result) = result {
                let _ = answer.send(result);
            }
        });
        self.jobs.send(job).map_err(|_| HashError::Busy)?;
        answered.await.unwrap_or(Err(HashError::Busy))
    }
}

/// One job after the other, until nobody can send one any more.
fn work_off(queue: &Mutex<Receiver<Job>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // Whoever asked is told by the end of their channel.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

#[async_trait]
impl PasswordHasher for Argon2Hasher {
    async fn hash(&self, password: SecretString) -> Result<String, HashError> {
        self.run(move |hasher| {
            let hash = argon2(&hasher.peppers, &hasher.params()?)?.hash_password(password.expose_secret().as_bytes());
            // Fails only when there is no randomness for the salt.
            hash.map(|hash| hash.to_string()).map_err(|_| HashError::Busy)
        })
        .await
    }

    async fn verify(&self, password: SecretString, hash: Option<String>) -> Result<bool, HashError> {
        self.run(move |hasher| {
            let known = hash.is_some();
            let text = hash.as_deref().unwrap_or(NOBODY);
            let parsed = PasswordHash::new(text).map_err(|_| HashError::Malformed)?;
            let params = Params::try_from(&parsed).map_err(|_| HashError::Malformed)?;
            match argon2(&hasher.peppers, &params)?.verify_password(password.expose_secret().as_bytes(), &parsed) {
                Ok(()) => Ok(known),
                Err(Error::PasswordInvalid) => Ok(false),
                Err(_) => Err(HashError::Malformed),
            }
        })
        .await
    }

    fn is_outdated(&self, hash: &str) -> bool {
        let Ok(wanted) = self.params() else { return false };
        let Ok(parsed) = PasswordHash::new(hash) else { return false };
        let Ok(params) = Params::try_from(&parsed) else { return false };
        let cheaper = params.m_cost() < wanted.m_cost() || params.t_cost() < wanted.t_cost();
        let older = parsed.algorithm != Algorithm::Argon2id.ident() || parsed.version != Some(Version::V0x13.into());
        cheaper || older || params.keyid() != wanted.keyid()
    }
}

#[cfg(test)]
mod tests {
    use shopwright_ports::testing::SeededEntropy;

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

    /// RELIABILITY S5: hashes that were made cheaper, or otherwise, are renewed; those of today are not.
    #[tokio::test]
    async fn s5_what_is_cheaper_than_new_hashes_is_outdated() {
        let hasher = Argon2Hasher::new(1, 0);
        let tail = "$c29tZXNhbHRzb21l$bm9ib2R5J3MgcGFzc3dvcmQgaGFzaGVzIHRvIHRoaXM";
        let of = |head: &str| format!("{head}{tail}");

        assert!(!hasher.is_outdated(&hasher.hash("correct horse".into()).await.unwrap()));
        assert!(!hasher.is_outdated(&of("$argon2id$v=19$m=65536,t=3,p=4")), "dearer ones stay");
        for head in [
            "$argon2id$v=19$m=4096,t=3,p=1",
            "$argon2id$v=19$m=19456,t=1,p=1",
            "$argon2i$v=19$m=19456,t=2,p=1",
            "$argon2id$v=16$m=19456,t=2,p=1",
        ] {
            assert!(hasher.is_outdated(&of(head)), "{head}");
        }
        assert!(!hasher.is_outdated("not a hash"), "damage is told where it is met");
    }

    /// RELIABILITY S5: a secret that is kept elsewhere goes into every new hash, and hashes name theirs.
    #[tokio::test]
    async fn s5_a_pepper_is_needed_to_check_and_can_be_replaced() {
        let entropy = SeededEntropy::new(1);
        let (old, new) = (SealingKey::generate(&entropy), SealingKey::generate(&entropy));
        let (plain, first) = (Argon2Hasher::new(1, 0), Argon2Hasher::new(1, 0).peppered(std::slice::from_ref(&old)));
        let second = Argon2Hasher::new(1, 0).peppered(&[new.clone(), old]);
        let hash = first.hash("correct horse".into()).await.unwrap();
        let right = async |hasher: &Argon2Hasher, hash: &str| {
            hasher.verify("correct horse".into(), Some(hash.to_owned())).await
        };

        assert_eq!((right(&first, &hash).await, right(&second, &hash).await), (Ok(true), Ok(true)));
        assert_eq!(first.verify("wrong horse".into(), Some(hash.clone())).await, Ok(false));
        assert_eq!(right(&plain, &hash).await, Err(HashError::UnknownKey), "a dump alone is nothing to guess at");
        assert_eq!(right(&Argon2Hasher::new(1, 0).peppered(&[new]), &hash).await, Err(HashError::UnknownKey));
        assert!(!first.is_outdated(&hash) && second.is_outdated(&hash));
        let without = plain.hash("correct horse".into()).await.unwrap();
        assert_eq!(right(&first, &without).await, Ok(true), "what was there before goes on");
        assert!(first.is_outdated(&without));
        assert!(hash.contains(",keyid=") && !without.contains("keyid"), "{hash}");
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
