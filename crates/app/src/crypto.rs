//! The driven ports that need cryptography or the machine: sealing, password hashes, access tokens, randomness, time.
//!
//! One provider does it all: aws-lc-rs. [`install_crypto`] makes it the provider of TLS too, and must run before the first connection.

mod clock;
mod digester;
mod entropy;
mod hasher;
mod key_files;
mod key_ring;
mod sealer;
mod sealing_key;
mod signing_key;
mod signing_keys;
mod tokens;

pub use clock::SystemClock;
pub use digester::Sha256Digester;
pub use entropy::SystemEntropy;
pub use hasher::Argon2Hasher;
pub use key_ring::KeySource;
pub use sealer::{AeadSealer, UnusableKey};
pub use sealing_key::SealingKey;
pub use signing_keys::{Rotation, SigningKeyError, ensure_signing_key, rotate_signing_keys};
pub use tokens::Ed25519Tokens;

/// Makes aws-lc-rs the provider of TLS and of token signatures for the whole process. Calling it again changes nothing.
pub fn install_crypto() {
    // Both refuse when a provider is there already: then it is this one, for nothing else in the program installs any.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
}
