//! One set of keys for all replicas, and rotation without a refused request (RELIABILITY S9).

use std::time::Duration;

use secrecy::ExposeSecret;
use shopwright_domain::identity::PlatformRole;
use shopwright_domain::{SessionId, TenantId, UserId};
use shopwright_ports::secrets::{Claims, InvalidToken, Tokens};
use shopwright_ports::storage::Reach;
use shopwright_ports::testing::{FakeStorage, Fault, ManualClock};

use super::*;
use crate::crypto::{AeadSealer, Ed25519Tokens, KeySource, SealingKey, SystemEntropy};

const TTL: Duration = Duration::from_mins(10);

struct Installation {
    clock: Arc<ManualClock>,
    storage: FakeStorage,
    key: SealingKey,
}

impl Installation {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let storage = FakeStorage::new(clock.clone());
        Self { clock, storage, key: SealingKey::generate(&SystemEntropy) }
    }

    fn sealer(&self) -> AeadSealer {
        AeadSealer::new(&self.key, &[]).unwrap()
    }

    async fn replica(&self) -> Result<Ed25519Tokens, SigningKeyError> {
        ensure_signing_key(&self.storage, &self.sealer(), self.clock.as_ref(), &SystemEntropy).await?;
        let source = KeySource::Database { storage: Arc::new(self.storage.clone()), sealer: Arc::new(self.sealer()) };
        Ed25519Tokens::open(source, self.clock.clone(), TTL).await
    }

    async fn rotate(&self, at_once: bool) -> Rotation {
        let (sealer, clock) = (self.sealer(), self.clock.as_ref());
        rotate_signing_keys(&self.storage, &sealer, clock, &SystemEntropy, at_once).await.unwrap()
    }
}

fn claims() -> Claims {
    Claims {
        user_id: UserId::from_random(1),
        tenant_id: TenantId::from_random(2),
        session_id: SessionId::from_random(3),
        email: "ada@example.com".parse().unwrap(),
        role: PlatformRole::Tenant,
    }
}

fn token(tokens: &Ed25519Tokens) -> String {
    tokens.issue(&claims()).unwrap().expose_secret().to_owned()
}

fn ids(tokens: &Ed25519Tokens) -> Vec<String> {
    tokens.public_keys().into_iter().map(|key| key.id).collect()
}

#[tokio::test]
async fn replicas_of_one_database_check_each_others_tokens() {
    let installation = Installation::new();

    let (first, second) = tokio::join!(installation.replica(), installation.replica());
    let (first, second) = (first.unwrap(), second.unwrap());

    assert!(second.verify(&token(&first)).await.is_ok());
    assert!(first.verify(&token(&second)).await.is_ok());
    let stranger = Installation::new().replica().await.unwrap();
    assert_eq!(stranger.verify(&token(&first)).await, Err(InvalidToken));
}

/// RELIABILITY S9: two replicas that look for keys at different times, tokens of both checked by both all the time.
#[tokio::test]
async fn s9_a_rotation_refuses_no_token_that_is_live() {
    let installation = Installation::new();
    let replicas = [installation.replica().await.unwrap(), installation.replica().await.unwrap()];
    let old = ids(&replicas[0]);
    let mut live: Vec<(Timestamp, String)> = Vec::new();
    let mut seen_new = false;
    for second in 0_i64..900 {
        if second == 100 {
            let rotation = installation.rotate(false).await;
            assert!(!rotation.under_way && rotation.removed.is_empty(), "{rotation:?}");
            assert!(installation.rotate(false).await.under_way, "a second one joins the first");
        }
        // One looks every 10 s, the other at the end of every interval between two looks.
        for (replica, look) in replicas.iter().zip([0, 9]) {
            if second % 10 == look {
                replica.ring.reload().await.unwrap();
            }
            let token = token(replica);
            seen_new |= !old.iter().any(|id| {
                let header = jsonwebtoken::decode_header(&token).unwrap();
                header.kid.as_ref() == Some(id)
            });
            live.push((installation.clock.now() + SignedDuration::try_from(TTL).unwrap(), token));
        }
        let now = installation.clock.now();
        live.retain(|(end, _)| now < *end);
        // All of them would be slow without optimisation: the oldest are the ones at risk, and the newest.
        for (_, token) in live.iter().take(2).chain(live.iter().rev().take(2)) {
            for replica in &replicas {
                assert_eq!(replica.verify(token).await, Ok(claims()), "second {second}");
            }
        }
        installation.clock.advance(SignedDuration::from_secs(1));
    }

    assert!(seen_new, "the new key signs");
    assert_eq!(ids(&replicas[0]).len(), 1, "the old key is not shown any more");
    assert!(!ids(&replicas[0]).contains(&old[0]));
}

#[tokio::test]
async fn two_keys_are_public_while_one_takes_over() {
    let installation = Installation::new();
    let replica = installation.replica().await.unwrap();
    let rotation = installation.rotate(false).await;

    replica.ring.reload().await.unwrap();

    assert_eq!(ids(&replica).len(), 2);
    assert!(ids(&replica).contains(&rotation.id), "clients can fetch it before it signs");
    assert_ne!(jsonwebtoken::decode_header(token(&replica)).unwrap().kid, Some(rotation.id));
}

/// A replica that has not looked for keys yet does when it meets one, but not for every token that a stranger writes.
#[tokio::test]
async fn an_unknown_key_is_looked_for_at_most_once_a_second() {
    let installation = Installation::new();
    let (early, late) = (installation.replica().await.unwrap(), installation.replica().await.unwrap());
    let old = token(&late);
    installation.rotate(true).await;
    early.ring.reload().await.unwrap();
    let new = token(&early);

    assert_eq!(late.verify(&new).await, Ok(claims()), "it looked");
    assert_eq!(late.verify(&old).await, Err(InvalidToken), "the leaked key is gone");

    installation.rotate(true).await;
    early.ring.reload().await.unwrap();
    let newer = token(&early);
    assert_eq!(late.verify(&newer).await, Err(InvalidToken), "it looked a moment ago");
    installation.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(late.verify(&newer).await, Ok(claims()));
}

#[tokio::test]
async fn a_look_that_fails_changes_nothing() {
    let installation = Installation::new();
    let replica = installation.replica().await.unwrap();
    let lost = StorageError::Unavailable { detail: "away".into(), source: None };
    installation.storage.faults.push("begin", Fault::Before(lost));

    assert!(replica.ring.reload().await.is_err());

    assert!(replica.verify(&token(&replica)).await.is_ok());
}

#[tokio::test]
async fn keys_that_nobody_needs_any_more_go_with_a_later_rotation() {
    let installation = Installation::new();
    let replica = installation.replica().await.unwrap();
    let first = ids(&replica).remove(0);
    installation.rotate(false).await;
    installation.clock.advance(SignedDuration::from_hours(24 * 32));

    assert_eq!(installation.rotate(false).await.removed, [first]);
}

#[tokio::test]
async fn another_secret_key_is_told_and_changes_nothing() {
    let mut installation = Installation::new();
    let before = token(&installation.replica().await.unwrap());
    let right = installation.key.clone();

    installation.key = SealingKey::generate(&SystemEntropy);
    let error = installation.replica().await.unwrap_err();
    installation.key = right;

    let id = installation.key.id();
    assert!(matches!(&error, SigningKeyError::OtherSecretKey { key_id } if key_id == id), "{error}");
    assert!(installation.replica().await.unwrap().verify(&before).await.is_ok());
}

#[tokio::test]
async fn a_damaged_row_is_named() {
    let installation = Installation::new();
    let sealed = installation.sealer().seal("another row", &[7; 32]).unwrap();
    let now = installation.clock.now();
    let mut tx = installation.storage.begin(Reach::Identity).await.unwrap();
    let row = SealedKey { id: "row-1".to_owned(), sealed, created_at: now, activates_at: now };
    tx.signing_keys().insert(&row).await.unwrap();
    tx.commit().await.unwrap();

    let error = installation.replica().await.unwrap_err();

    assert!(matches!(&error, SigningKeyError::Damaged { id } if id == "row-1"), "{error}");
}
