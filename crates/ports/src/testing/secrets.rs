//! Secrets without cryptography: for tests only, and obviously so.

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use crate::secrets::{Claims, HashError, InvalidToken, PasswordHasher, SealError, Sealed, Sealer, Tokens};

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

/// "Hashes" by writing a prefix.
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
                hash.strip_prefix("fake$").map(|known| known == password.expose_secret()).ok_or(HashError::Malformed)
            }
            None => Ok(false),
        }
    }
}

/// "Signs" by writing the claims down.
#[derive(Debug, Default)]
pub struct FakeTokens;

impl Tokens for FakeTokens {
    fn issue(&self, claims: &Claims) -> Result<SecretString, InvalidToken> {
        Ok(format!("fake.{}.{}.{}.{}", claims.user_id, claims.tenant_id, claims.role.as_str(), claims.email).into())
    }

    fn verify(&self, token: &str) -> Result<Claims, InvalidToken> {
        let mut parts = token.splitn(5, '.');
        let (Some("fake"), Some(user), Some(tenant), Some(role), Some(email)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(InvalidToken);
        };
        Ok(Claims {
            user_id: user.parse().map_err(|_| InvalidToken)?,
            tenant_id: tenant.parse().map_err(|_| InvalidToken)?,
            role: role.parse().map_err(|_| InvalidToken)?,
            email: email.parse().map_err(|_| InvalidToken)?,
        })
    }
}
