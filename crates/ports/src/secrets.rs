//! Secrets: what a store's credentials are, and how they are sealed, hashed and signed.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use shopwright_domain::engine::{Administrator, RotationTarget};
use shopwright_domain::identity::{Email, PlatformRole};
use shopwright_domain::{SessionId, TenantId, UserId};

use crate::clock::Entropy;

/// Everything secret that a store is made with: minted once, when it is asked for, and kept byte for byte (DECISIONS 15).
#[derive(Debug, Clone)]
pub struct StoreCredentials {
    /// The e-mail address of the store's administrator.
    pub admin_email: String,
    /// The name to sign in with.
    pub admin_username: String,
    /// The administrator's password.
    pub admin_password: SecretString,
    /// The password of the store's database user.
    pub database_password: SecretString,
    /// The password of the database's own administrator.
    pub database_root_password: SecretString,
    /// Signs and salts inside the engine.
    pub app_secret: SecretString,
    /// Signs sessions inside the engine.
    pub session_secret: SecretString,
    /// While a database's password is being replaced: the other one, that may still be in force. Never sealed.
    pub database_password_before: Option<SecretString>,
}

/// A sealed box that is not one of these credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a sealed set of store credentials")]
pub struct MalformedCredentials;

impl StoreCredentials {
    /// Mints the credentials of a new store. The password is the one that was chosen, or else a strong one.
    pub fn mint(
        administrator: &Administrator,
        owner: &Email,
        chosen: Option<SecretString>,
        entropy: &dyn Entropy,
    ) -> Self {
        Self {
            admin_email: owner.as_str().to_owned(),
            admin_username: administrator.username(owner).to_owned(),
            admin_password: chosen.unwrap_or_else(|| random_text(entropy, 20)),
            database_password: random_text(entropy, 32),
            database_root_password: random_text(entropy, 32),
            app_secret: random_text(entropy, 48),
            session_secret: random_text(entropy, 48),
            database_password_before: None,
        }
    }

    /// The same credentials with another administrator's password: for a retry that chose a new one.
    #[must_use]
    pub fn with_admin_password(mut self, password: SecretString) -> Self {
        self.admin_password = password;
        self
    }

    /// The same credentials with fresh values for these targets, where they are still those of `current`.
    #[must_use]
    pub fn rotated(mut self, targets: &[RotationTarget], current: &Self, entropy: &dyn Entropy) -> Self {
        for target in targets {
            let (value, length, before) = match target {
                RotationTarget::Administrator => (&mut self.admin_password, 20, &current.admin_password),
                RotationTarget::Database => (&mut self.database_password, 32, &current.database_password),
            };
            // A rotation that failed half-way is taken up with the values that it had: the database may know them already.
            if value.expose_secret() == before.expose_secret() {
                *value = random_text(entropy, length);
            }
        }
        self
    }

    /// The same credentials, with the database's password of `other` beside, when that is another one.
    #[must_use]
    pub fn beside(mut self, other: &Self) -> Self {
        let differs = self.database_password.expose_secret() != other.database_password.expose_secret();
        self.database_password_before = differs.then(|| other.database_password.clone());
        self
    }

    /// Key and value of each entry of the Secret that the charts read.
    pub fn entries(&self) -> Vec<(&'static str, &str)> {
        let mut entries = self.kept().to_vec();
        if let Some(before) = &self.database_password_before {
            entries.push(("database-password-before", before.expose_secret()));
        }
        entries
    }

    fn kept(&self) -> [(&'static str, &str); 7] {
        [
            ("admin-email", &self.admin_email),
            ("admin-username", &self.admin_username),
            ("admin-password", self.admin_password.expose_secret()),
            ("database-password", self.database_password.expose_secret()),
            ("database-root-password", self.database_root_password.expose_secret()),
            ("app-secret", self.app_secret.expose_secret()),
            ("session-secret", self.session_secret.expose_secret()),
        ]
    }

    /// The bytes that are sealed: each value behind its length.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (_, value) in self.kept() {
            bytes.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend_from_slice(value.as_bytes());
        }
        bytes
    }

    /// What [`StoreCredentials::encode`] made.
    ///
    /// # Errors
    /// [`MalformedCredentials`] for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, MalformedCredentials> {
        let mut rest = bytes;
        let mut next = || -> Result<String, MalformedCredentials> {
            let (length, tail) = rest.split_first_chunk::<4>().ok_or(MalformedCredentials)?;
            let length = u32::from_be_bytes(*length) as usize;
            let (value, tail) = tail.split_at_checked(length).ok_or(MalformedCredentials)?;
            rest = tail;
            String::from_utf8(value.to_vec()).map_err(|_| MalformedCredentials)
        };
        let credentials = Self {
            admin_email: next()?,
            admin_username: next()?,
            admin_password: next()?.into(),
            database_password: next()?.into(),
            database_root_password: next()?.into(),
            app_secret: next()?.into(),
            session_secret: next()?.into(),
            database_password_before: None,
        };
        if rest.is_empty() { Ok(credentials) } else { Err(MalformedCredentials) }
    }
}

/// A random text of letters and digits, about 5.9 bits each: safe in URLs, shells and configuration files.
pub fn random_text(entropy: &dyn Entropy, length: usize) -> SecretString {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut byte = [0];
        entropy.fill(&mut byte);
        // 248 is the largest multiple of 62 in a byte: beyond it some letters would come more often.
        if byte[0] < 248 {
            text.push(char::from(ALPHABET[usize::from(byte[0]) % ALPHABET.len()]));
        }
    }
    text.into()
}

/// Sealed bytes and the id of the key that sealed them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Which key.
    pub key_id: String,
    /// Nonce and ciphertext.
    pub bytes: Vec<u8>,
}

/// Why a box stays closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It was sealed with a key that is not configured.
    #[error("sealed with key `{0}`, which is not configured")]
    UnknownKey(String),
    /// It was changed, or belongs somewhere else.
    #[error("the sealed data was changed or belongs to something else")]
    Tampered,
}

/// Authenticated encryption with a key that PostgreSQL never sees.
pub trait Sealer: Send + Sync {
    /// Seals `plain`, bound to `context` (a store id): it opens only with the same context.
    fn seal(&self, context: &str, plain: &[u8]) -> Result<Sealed, SealError>;

    /// Opens what [`Sealer::seal`] made.
    fn open(&self, context: &str, sealed: &Sealed) -> Result<Vec<u8>, SealError>;
}

/// Why a password could not be hashed or compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// Too many sign-ins at once; come back in a second.
    #[error("too many sign-ins at once")]
    Busy,
    /// The stored hash is no hash.
    #[error("the stored password hash is damaged")]
    Malformed,
    /// The key that the hash was made with is not known any more.
    #[error("the stored password hash was made with a key that is not configured")]
    UnknownKey,
}

/// Slow, salted hashes for the passwords of accounts.
#[async_trait::async_trait]
pub trait PasswordHasher: Send + Sync {
    /// The hash of a password, as a PHC string.
    async fn hash(&self, password: SecretString) -> Result<String, HashError>;

    /// Whether the password is the hashed one. With `None` it takes as long and says no: for accounts that do not exist.
    async fn verify(&self, password: SecretString, hash: Option<String>) -> Result<bool, HashError>;

    /// Whether a hash was made otherwise than new ones are: whoever signs in with that password gets a new one.
    fn is_outdated(&self, hash: &str) -> bool;
}

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Who.
    pub user_id: UserId,
    /// In the name of which organisation.
    pub tenant_id: TenantId,
    /// The sign-in that it belongs to: once that is ended, the token is worth nothing.
    pub session_id: SessionId,
    /// Their address, for clients that show it.
    pub email: Email,
    /// Their role at the time of signing; authority is read from storage on every request.
    pub role: PlatformRole,
}

/// The token is not ours, not valid any more, or not yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the access token is not valid")]
pub struct InvalidToken;

/// The public half of a key that signs access tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// What tokens name it by.
    pub id: String,
    /// 32 bytes, a point of Ed25519.
    pub bytes: Vec<u8>,
}

/// Signs and checks access tokens.
#[async_trait::async_trait]
pub trait Tokens: Send + Sync {
    /// A token for these claims.
    ///
    /// # Errors
    /// [`InvalidToken`] when the signing key cannot be used.
    fn issue(&self, claims: &Claims) -> Result<SecretString, InvalidToken>;

    /// How long a token is valid.
    fn lifetime(&self) -> Duration;

    /// The claims of a token that is ours and valid now. A key that another replica has begun to use meanwhile is looked up.
    ///
    /// # Errors
    /// [`InvalidToken`] without a reason: a stranger learns nothing from it.
    async fn verify(&self, token: &str) -> Result<Claims, InvalidToken>;

    /// The keys that tokens may be signed with, those that come next too.
    fn public_keys(&self) -> Vec<PublicKey>;
}

/// Digests of secrets that have too much randomness to be guessed: refresh tokens, API tokens.
pub trait Digester: Send + Sync {
    /// What a secret is found by at rest.
    fn digest(&self, secret: &str) -> [u8; 32];

    /// 32 bytes that follow from a secret and a nonce, and tell nothing to whoever has only one of the two.
    fn derive(&self, secret: &str, nonce: &[u8]) -> [u8; 32];
}
