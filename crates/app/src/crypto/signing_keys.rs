//! The keys that sign access tokens: one database, one set of keys, whatever the number of replicas.

use std::sync::Arc;
use std::time::Duration;

use shopwright_ports::clock::{Clock, Entropy};
use shopwright_ports::secrets::{SealError, Sealer};
use shopwright_ports::storage::{SealedKey, Storage, StorageError};

use super::tokens::{Ed25519Tokens, SigningKey};

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
        "signing key {id} in the database is damaged: delete its row to have a new one made; everybody signs in again then"
    )]
    Damaged {
        /// Which key.
        id: String,
    },
    /// The cryptographic library refuses to make a key.
    #[error("no signing key can be made")]
    CannotMake,
}

/// Tokens that live for `ttl`, with the keys of the database. The first process to come makes the first key; others wait for it.
///
/// An older key that does not open is left out: its tokens are soon over. The newest must open, for a wrong `SHOPWRIGHT_SECRET_KEY`
/// would also leave every store's credentials closed.
///
/// # Errors
/// [`SigningKeyError`], which says what to do.
pub async fn load_or_create(
    storage: &dyn Storage,
    sealer: &dyn Sealer,
    clock: Arc<dyn Clock>,
    entropy: &dyn Entropy,
    ttl: Duration,
) -> Result<Ed25519Tokens, SigningKeyError> {
    let mut transaction = storage.begin().await?;
    // The lock on all keys is what makes two processes agree on the first one.
    let rows = transaction.signing_keys().lock_all().await?;
    let (newest, older) = if let Some((newest, older)) = rows.split_first() {
        (open(sealer, newest)?, older.iter().filter_map(|row| open(sealer, row).ok()).collect())
    } else {
        let mut seed = [0; 32];
        entropy.fill(&mut seed);
        let key = SigningKey::from_seed(&seed).ok_or(SigningKeyError::CannotMake)?;
        let closed = sealer.seal(&key.id, &seed).map_err(|_| SigningKeyError::CannotMake)?;
        let row = SealedKey { id: key.id.clone(), sealed: closed, created_at: clock.now() };
        transaction.signing_keys().insert(&row).await?;
        (key, Vec::new())
    };
    transaction.commit().await?;
    Ok(Ed25519Tokens::new(newest, older, clock, ttl))
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
mod tests {
    use secrecy::ExposeSecret;
    use shopwright_domain::identity::PlatformRole;
    use shopwright_domain::{TenantId, UserId};
    use shopwright_ports::secrets::{Claims, InvalidToken, Tokens};
    use shopwright_ports::testing::{FakeStorage, ManualClock};

    use super::*;
    use crate::crypto::{AeadSealer, SealingKey, SystemEntropy};

    fn clock() -> Arc<dyn Clock> {
        Arc::new(ManualClock::default())
    }

    async fn load(storage: &FakeStorage, key: &SealingKey) -> Result<Ed25519Tokens, SigningKeyError> {
        let sealer = AeadSealer::new(key, &[]).unwrap();
        load_or_create(storage, &sealer, clock(), &SystemEntropy, Duration::from_mins(10)).await
    }

    fn token(tokens: &Ed25519Tokens) -> String {
        let (user_id, tenant_id) = (UserId::from_random(1), TenantId::from_random(2));
        let email = "ada@example.com".parse().unwrap();
        let claims = Claims { user_id, tenant_id, email, role: PlatformRole::Tenant };
        tokens.issue(&claims).unwrap().expose_secret().to_owned()
    }

    #[tokio::test]
    async fn replicas_of_one_database_check_each_others_tokens() {
        let (storage, key) = (FakeStorage::new(clock()), SealingKey::generate(&SystemEntropy));

        let (first, second) = tokio::join!(load(&storage, &key), load(&storage, &key));
        let (first, second) = (first.unwrap(), second.unwrap());

        assert!(second.verify(&token(&first)).is_ok());
        assert!(first.verify(&token(&second)).is_ok());
        let stranger = load(&FakeStorage::new(clock()), &key).await.unwrap();
        assert_eq!(stranger.verify(&token(&first)), Err(InvalidToken));
    }

    #[tokio::test]
    async fn another_secret_key_is_told_and_changes_nothing() {
        let (storage, key) = (FakeStorage::new(clock()), SealingKey::generate(&SystemEntropy));
        let before = token(&load(&storage, &key).await.unwrap());

        let error = load(&storage, &SealingKey::generate(&SystemEntropy)).await.unwrap_err();

        assert!(matches!(&error, SigningKeyError::OtherSecretKey { key_id } if key_id == key.id()), "{error}");
        assert!(load(&storage, &key).await.unwrap().verify(&before).is_ok());
    }

    #[tokio::test]
    async fn a_damaged_row_is_named() {
        let (storage, key) = (FakeStorage::new(clock()), SealingKey::generate(&SystemEntropy));
        let closed = AeadSealer::new(&key, &[]).unwrap().seal("another row", &[7; 32]).unwrap();
        let mut transaction = storage.begin().await.unwrap();
        let row = SealedKey { id: "row-1".to_owned(), sealed: closed, created_at: clock().now() };
        transaction.signing_keys().insert(&row).await.unwrap();
        transaction.commit().await.unwrap();

        let error = load(&storage, &key).await.unwrap_err();

        assert!(matches!(&error, SigningKeyError::Damaged { id } if id == "row-1"), "{error}");
    }
}
