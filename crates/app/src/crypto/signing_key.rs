//! One Ed25519 key that signs access tokens.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use jsonwebtoken::{DecodingKey, EncodingKey};
use sha2::{Digest, Sha256};
use shopwright_ports::secrets::PublicKey;

use super::sealing_key::hex;

/// A pair of keys and the id that tokens name it by.
pub(super) struct SigningKey {
    pub(super) id: String,
    pub(super) encoding: EncodingKey,
    pub(super) decoding: DecodingKey,
    public: Vec<u8>,
}

impl SigningKey {
    /// The pair of a 32-byte seed.
    pub(super) fn from_seed(seed: &[u8]) -> Option<Self> {
        Self::of(&Ed25519KeyPair::from_seed_unchecked(seed).ok()?)
    }

    /// The pair of a PKCS#8 document, as `openssl genpkey -algorithm ed25519` makes it.
    pub(super) fn from_pkcs8(document: &[u8]) -> Option<Self> {
        Self::of(&Ed25519KeyPair::from_pkcs8_maybe_unchecked(document).ok()?)
    }

    /// The id follows from the public key.
    fn of(pair: &Ed25519KeyPair) -> Option<Self> {
        let public = pair.public_key().as_ref();
        let private = pair.to_pkcs8v1().ok()?;
        Some(Self {
            id: hex(&Sha256::digest(public)[..8]),
            encoding: EncodingKey::from_ed_der(private.as_ref()),
            decoding: DecodingKey::from_ed_der(public),
            public: public.to_vec(),
        })
    }

    pub(super) fn public(&self) -> PublicKey {
        PublicKey { id: self.id.clone(), bytes: self.public.clone() }
    }
}
