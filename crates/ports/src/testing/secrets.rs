//! Secrets without cryptography: for tests only, and obviously so.

use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use crate::secrets::{
    Claims, Digester, HashError, InvalidToken, PasswordHasher, PublicKey, SealError, Sealed, Sealer, Tokens,
};

/// "Seals" by writing the context in front.
#[derive(Debug)]
pub struct FakeSealer {
    key_id: String,
}

impl Default for FakeSealer {
    fn default() -> Self {
        Self::with_key("fake")
    }
}

impl FakeSealer {
    /// A sealer whose key is called `key_id`: it opens nothing that another key sealed.
    pub fn with_key(key_id: &str) -> Self {
        Self { key_id: key_id.to_owned() }
    }
}

impl Sealer for FakeSealer {
    fn seal(&self, context: &str, plain: &[u8]) -> Result<Sealed, SealError> {
        let bytes = [context.as_bytes(), b"\0", plain].concat();
        Ok(Sealed { key_id: self.key_id.clone(), bytes })
    }

    fn open(&self, context: &str, sealed: &Sealed) -> Result<Vec<u8>, SealError> {
        if sealed.key_id != self.key_id {
            return Err(SealError::UnknownKey(sealed.key_id.clone()));
        }
        let prefix = [context.as_bytes(), b"\0"].concat();
        sealed.bytes.strip_prefix(prefix.as_slice()).map(<[u8]>::to_vec).ok_or(SealError::Tampered)
    }
}

/// "Hashes" by writing a prefix: `fake$`, and in earlier times `old$`.
#[derive(Debug, Default)]
pub struct FakeHasher;

#[async_trait]
impl PasswordHasher for FakeHasher {
    async fn hash(&self, password: SecretString) -> Result<String, HashError> {
        Ok(format!("fake${}", password.expose_secret()))
    }

    async fn verify(&self, password: SecretString, hash: Option<String>) -> Result<bool, HashError> {
        match hash {
            Some(hash) => {
                let known = hash.strip_prefix("fake$").or_else(|| hash.strip_prefix("old$"));
                known.map(|known| known == password.expose_secret()).ok_or(HashError::Malformed)
            }
            None => Ok(false),
        }
    }

    fn is_outdated(&self, hash: &str) -> bool {
        hash.starts_with("old$")
    }
}

/// "Signs" by writing the claims down.
#[derive(Debug, Default)]
pub struct FakeTokens;

#[async_trait]
impl Tokens for FakeTokens {
    fn issue(&self, claims: &Claims) -> Result<SecretString, InvalidToken> {
        let Claims { user_id, tenant_id, session_id, email, role } = claims;
        Ok(format!("fake.{user_id}.{tenant_id}.{session_id}.{}.{email}", role.as_str()).into())
    }

    fn lifetime(&self) -> Duration {
        Duration::from_mins(10)
    }

    async fn verify(&self, token: &str) -> Result<Claims, InvalidToken> {
        let parts: Vec<&str> = token.splitn(6, '.').collect();
        let ["fake", user, tenant, session, role, email] = parts.as_slice() else { return Err(InvalidToken) };
        Ok(Claims {
            user_id: user.parse().map_err(|_| InvalidToken)?,
            tenant_id: tenant.parse().map_err(|_| InvalidToken)?,
            session_id: session.parse().map_err(|_| InvalidToken)?,
            role: role.parse().map_err(|_| InvalidToken)?,
            email: email.parse().map_err(|_| InvalidToken)?,
        })
    }

    fn public_keys(&self) -> Vec<PublicKey> {
        vec![PublicKey { id: "fake".to_owned(), bytes: vec![7; 32] }]
    }
}

/// "Digests" by mixing the bytes: different texts give different digests, and that is all.
#[derive(Debug, Default)]
pub struct FakeDigester;

impl Digester for FakeDigester {
    fn digest(&self, secret: &str) -> [u8; 32] {
        self.derive(secret, b"")
    }

    fn derive(&self, secret: &str, nonce: &[u8]) -> [u8; 32] {
        let mut digest = [0; 32];
        for (lane, chunk) in digest.chunks_mut(8).enumerate() {
            // FNV-1a, begun elsewhere in each lane.
            let begin = 0xcbf2_9ce4_8422_2325_u64.wrapping_add(lane as u64);
            let mixed = secret.bytes().chain([0xff]).chain(nonce.iter().copied());
            let hash = mixed.fold(begin, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
            chunk.copy_from_slice(&hash.to_be_bytes());
        }
        digest
    }
}
