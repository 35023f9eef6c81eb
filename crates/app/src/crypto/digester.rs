//! SHA-256 for secrets with too much randomness to be guessed, HMAC for what follows from them.

use aws_lc_rs::{digest, hmac};
use shopwright_ports::secrets::Digester;

/// SHA-256 and HMAC-SHA-256.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sha256Digester;

fn bytes(text: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(text);
    bytes
}

impl Digester for Sha256Digester {
    fn digest(&self, secret: &str) -> [u8; 32] {
        bytes(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref())
    }

    fn derive(&self, secret: &str, nonce: &[u8]) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        bytes(hmac::sign(&key, nonce).as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::super::sealing_key::hex;
    use super::*;

    /// FIPS 180-2 and RFC 4231, test case 2.
    #[test]
    fn they_are_what_the_standards_say() {
        let digest = hex(&Sha256Digester.digest("abc"));
        let derived = hex(&Sha256Digester.derive("Jefe", b"what do ya want for nothing?"));

        assert_eq!(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(derived, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
