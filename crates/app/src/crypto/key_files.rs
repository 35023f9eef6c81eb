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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use secrecy::ExposeSecret;
    use shopwright_domain::identity::PlatformRole;
    use shopwright_domain::{SessionId, TenantId, UserId};
    use shopwright_ports::secrets::{Claims, InvalidToken, Tokens};
    use shopwright_ports::testing::ManualClock;

    use super::*;
    use crate::crypto::{Ed25519Tokens, KeySource};

    fn pem(seed: u8) -> String {
        let pair = aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let document = STANDARD.encode(pair.to_pkcs8v1().unwrap());
        format!("-----BEGIN PRIVATE KEY-----\n{document}\n-----END PRIVATE KEY-----\n")
    }

    async fn replica(directory: &Path) -> Result<Ed25519Tokens, SigningKeyError> {
        let clock = Arc::new(ManualClock::default());
        Ed25519Tokens::open(KeySource::Files(directory.to_owned()), clock, Duration::from_mins(10)).await
    }

    fn token(tokens: &Ed25519Tokens) -> String {
        let claims = Claims {
            user_id: UserId::from_random(1),
            tenant_id: TenantId::from_random(2),
            session_id: SessionId::from_random(3),
            email: "ada@example.com".parse().unwrap(),
            role: PlatformRole::Tenant,
        };
        tokens.issue(&claims).unwrap().expose_secret().to_owned()
    }

    /// RELIABILITY S9: the steps of the header comment, seen by a replica that reads after each and one that reads late.
    #[tokio::test]
    async fn s9_files_are_exchanged_without_a_refused_token() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, seed| fs::write(directory.path().join(name), pem(seed)).unwrap();
        write("signing.pem", 1);
        let (early, late) = (replica(directory.path()).await.unwrap(), replica(directory.path()).await.unwrap());
        let mut live = vec![token(&early)];

        write("next.pem", 2);
        early.ring.reload().await.unwrap();
        late.ring.reload().await.unwrap();
        live.push(token(&early));
        assert_eq!(early.public_keys().len(), 2);

        write("previous.pem", 1);
        write("signing.pem", 2);
        early.ring.reload().await.unwrap();
        live.push(token(&early));
        live.push(token(&late));
        for token in &live {
            assert!(early.verify(token).await.is_ok() && late.verify(token).await.is_ok());
        }

        fs::remove_file(directory.path().join("previous.pem")).unwrap();
        early.ring.reload().await.unwrap();
        assert_eq!(early.verify(&live[0]).await, Err(InvalidToken), "its key is gone");
    }

    #[tokio::test]
    async fn a_file_that_is_no_key_is_named_and_not_repeated() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
        let error = replica(directory.path()).await.unwrap_err().to_string();
        assert!(error.contains("needs a file `signing.pem`"), "{error}");

        write("README", "not a key, and not called one");
        write("signing.pem", "-----BEGIN PRIVATE KEY-----\nc2VzYW1l\n-----END PRIVATE KEY-----\n");
        let error = replica(directory.path()).await.unwrap_err().to_string();
        assert!(error.contains("signing.pem: it is no Ed25519 key in PKCS#8"), "{error}");
        assert!(!error.contains("c2VzYW1l"), "{error}");
    }
}
