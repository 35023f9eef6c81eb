//! AES-256-GCM with a random nonce: what is sealed opens only with its key and its context.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use shopwright_ports::secrets::{SealError, Sealed, Sealer};

use super::sealing_key::SealingKey;

/// Seals with one key, opens with several: older keys stay until nothing is sealed with them.
///
/// Random nonces are safe up to 2^32 messages under one key; a store has one.
pub struct AeadSealer {
    current: (String, LessSafeKey),
    older: Vec<(String, LessSafeKey)>,
}

impl std::fmt::Debug for AeadSealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AeadSealer").field("key_id", &self.current.0).finish_non_exhaustive()
    }
}

/// The key cannot be used: the cryptographic library refuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealing key cannot be used")]
pub struct UnusableKey;

fn prepare(key: &SealingKey) -> Result<(String, LessSafeKey), UnusableKey> {
    let unbound = UnboundKey::new(&AES_256_GCM, key.bytes()).map_err(|Unspecified| UnusableKey)?;
    Ok((key.id().to_owned(), LessSafeKey::new(unbound)))
}

/// The context alone could collide with another use of the same key some day; the prefix says which use this is.
fn associated(context: &str) -> Aad<Vec<u8>> {
    Aad::from([b"shopwright sealed v1\0", context.as_bytes()].concat())
}

impl AeadSealer {
    /// Seals with `current`; opens what that or any of `older` sealed.
    ///
    /// # Errors
    /// [`UnusableKey`].
    pub fn new(current: &SealingKey, older: &[SealingKey]) -> Result<Self, UnusableKey> {
        Ok(Self { current: prepare(current)?, older: older.iter().map(prepare).collect::<Result<_, _>>()? })
    }

    fn key(&self, id: &str) -> Option<&LessSafeKey> {
        std::iter::once(&self.current).chain(&self.older).find(|(known, _)| known == id).map(|(_, key)| key)
    }
}

impl Sealer for AeadSealer {
    fn seal(&self, context: &str, plain: &[u8]) -> Result<Sealed, SealError> {
        let (id, key) = &self.current;
        let mut nonce = [0; NONCE_LEN];
        // Sealing fails only without randomness or beyond 64 GiB; there is nothing to open then.
        aws_lc_rs::rand::fill(&mut nonce).map_err(|Unspecified| SealError::Tampered)?;
        let mut cipher = plain.to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), associated(context), &mut cipher)
            .map_err(|Unspecified| SealError::Tampered)?;
        Ok(Sealed { key_id: id.clone(), bytes: [&nonce[..], &cipher].concat() })
    }

    fn open(&self, context: &str, sealed: &Sealed) -> Result<Vec<u8>, SealError> {
        let key = self.key(&sealed.key_id).ok_or_else(|| SealError::UnknownKey(sealed.key_id.clone()))?;
        let (nonce, cipher) = sealed.bytes.split_first_chunk::<NONCE_LEN>().ok_or(SealError::Tampered)?;
        let mut plain = cipher.to_vec();
        let length = key
            .open_in_place(Nonce::assume_unique_for_key(*nonce), associated(context), &mut plain)
            .map_err(|Unspecified| SealError::Tampered)?
            .len();
        plain.truncate(length);
        Ok(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SystemEntropy;

    fn key() -> SealingKey {
        SealingKey::generate(&SystemEntropy)
    }

    #[test]
    fn what_was_sealed_opens_with_its_context_alone() {
        let sealer = AeadSealer::new(&key(), &[]).unwrap();

        let closed = sealer.seal("store-1", b"secret").unwrap();

        assert_eq!(sealer.open("store-1", &closed), Ok(b"secret".to_vec()));
        assert_eq!(sealer.open("store-2", &closed), Err(SealError::Tampered));
        assert!(!closed.bytes.windows(6).any(|window| window == b"secret"));
    }

    #[test]
    fn the_same_text_never_seals_to_the_same_bytes() {
        let sealer = AeadSealer::new(&key(), &[]).unwrap();

        assert_ne!(sealer.seal("store-1", b"secret"), sealer.seal("store-1", b"secret"));
    }

    #[test]
    fn a_change_of_any_byte_is_noticed() {
        let sealer = AeadSealer::new(&key(), &[]).unwrap();
        let closed = sealer.seal("store-1", b"secret").unwrap();

        for at in 0..closed.bytes.len() {
            let mut changed = closed.clone();
            changed.bytes[at] ^= 1;
            assert_eq!(sealer.open("store-1", &changed), Err(SealError::Tampered), "byte {at}");
        }
        let cut = Sealed { bytes: closed.bytes[..5].to_vec(), ..closed };
        assert_eq!(sealer.open("store-1", &cut), Err(SealError::Tampered));
    }

    #[test]
    fn an_older_key_still_opens_and_an_unknown_one_is_named() {
        let (old, new) = (key(), key());
        let sealed = AeadSealer::new(&old, &[]).unwrap().seal("store-1", b"secret").unwrap();

        let rotated = AeadSealer::new(&new, std::slice::from_ref(&old)).unwrap();
        assert_eq!(rotated.open("store-1", &sealed), Ok(b"secret".to_vec()));
        assert_eq!(rotated.seal("store-1", b"secret").unwrap().key_id, new.id());

        let stranger = AeadSealer::new(&new, &[]).unwrap();
        assert_eq!(stranger.open("store-1", &sealed), Err(SealError::UnknownKey(old.id().to_owned())));
    }
}
