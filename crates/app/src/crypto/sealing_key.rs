//! Keys that seal what rests in PostgreSQL.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::{Digest, Sha256};
use shopwright_ports::clock::Entropy;

/// 32 secret bytes and the id that tells which key sealed something.
#[derive(Clone)]
pub struct SealingKey {
    id: String,
    bytes: Arc<SecretBox<[u8; 32]>>,
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl SealingKey {
    /// A new key.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        Self::from_bytes(bytes)
    }

    fn from_bytes(bytes: [u8; 32]) -> Self {
        let id = hex(&Sha256::digest(bytes)[..4]);
        Self { id, bytes: Arc::new(SecretBox::new(Box::new(bytes))) }
    }

    /// The key of a text: 64 hexadecimal digits, or base64 of 32 bytes.
    ///
    /// # Errors
    /// What is wrong, without the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let bytes = unhex(text).or_else(|| STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok());
        let bytes: Option<[u8; 32]> = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self::from_bytes).ok_or_else(|| "is not 32 bytes in base64 or hexadecimal".to_owned())
    }

    /// Keys separated by commas: the first seals, all open.
    ///
    /// # Errors
    /// What is wrong, without the text.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        text.split(',').map(Self::parse).collect()
    }

    /// Whether the bytes look as if somebody had written them: few different ones, or each one more than the last. Of 32 random bytes
    /// fewer than 20 are different once in 10^12 keys.
    pub fn is_weak(&self) -> bool {
        let bytes = self.bytes.expose_secret();
        let different: std::collections::BTreeSet<u8> = bytes.iter().copied().collect();
        let steps: std::collections::BTreeSet<u8> =
            bytes.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
        different.len() < 20 || steps.len() < 8
    }

    /// The first 8 hexadecimal digits of the key's SHA-256.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The text that [`SealingKey::parse`] reads, for the key file.
    pub fn to_text(&self) -> SecretString {
        STANDARD.encode(self.bytes.expose_secret()).into()
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        self.bytes.expose_secret()
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_in_base64_and_hexadecimal() {
        let hexadecimal = SealingKey::parse(&"00ff".repeat(16)).unwrap();
        let base64 = SealingKey::parse(hexadecimal.to_text().expose_secret()).unwrap();

        assert_eq!(hexadecimal.id(), base64.id());
        assert_eq!(hexadecimal.id().len(), 8);
    }

    #[test]
    fn anything_but_32_bytes_is_refused_without_being_repeated() {
        for text in ["", "hunter2", "aGVsbG8=", &"0".repeat(63), &"0".repeat(66)] {
            assert_eq!(SealingKey::parse(text).unwrap_err(), "is not 32 bytes in base64 or hexadecimal", "{text}");
        }
    }

    #[test]
    fn a_key_that_somebody_wrote_is_weak() {
        for text in ["ab".repeat(32), "00ff".repeat(16), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".into()] {
            assert!(SealingKey::parse(&text).unwrap().is_weak(), "{text}");
        }
        let entropy = shopwright_ports::testing::SeededEntropy::new(1);
        for _ in 0..1000 {
            assert!(!SealingKey::generate(&entropy).is_weak());
        }
    }

    #[test]
    fn debug_does_not_show_the_key() {
        let key = SealingKey::parse(&"00ff".repeat(16)).unwrap();

        assert_eq!(format!("{key:?}"), format!("SealingKey {{ id: \"{}\", .. }}", key.id()));
    }
}
