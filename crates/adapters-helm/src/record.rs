//! Helm's records of a release: what they say, read from what helm wrote and never from the labels beside it (RELIABILITY F45).

use std::fmt;
use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::read::GzDecoder;
use serde::Deserialize;
use shopwright_ports::releases::ReleaseRecord;

/// A record that is larger cannot have come from a Secret: those end at 1 MiB, compressed.
const LARGEST: u64 = 64 * 1024 * 1024;
const GZIP: [u8; 3] = [0x1f, 0x8b, 0x08];

/// What a release is doing, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status {
    Deployed,
    Uninstalling,
    /// A run was at work, or still is: `pending-install`, `pending-upgrade`, `pending-rollback`.
    Pending(String),
    /// Helm goes on from it: `failed`, `superseded`, `uninstalled`.
    Settled(String),
    /// `unknown` and whatever a later helm may write.
    Other(String),
}

impl Status {
    fn parse(text: String) -> Self {
        match text.as_str() {
            "deployed" => Self::Deployed,
            "uninstalling" => Self::Uninstalling,
            "failed" | "superseded" | "uninstalled" => Self::Settled(text),
            pending if pending.starts_with("pending-") => Self::Pending(text),
            _ => Self::Other(text),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Deployed => "deployed",
            Self::Uninstalling => "uninstalling",
            Self::Pending(text) | Self::Settled(text) | Self::Other(text) => text,
        }
    }

    /// Whether helm refuses to work on a release whose newest record says this.
    pub(crate) const fn blocks(&self) -> bool {
        matches!(self, Self::Pending(_) | Self::Uninstalling | Self::Other(_))
    }
}

/// A record that was read.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) revision: u32,
    pub(crate) status: Status,
    /// What the run that wrote it called itself.
    pub(crate) description: String,
    /// The objects that helm applied or was about to apply, as YAML. It may hold what is nobody's business.
    pub(crate) manifest: String,
}

impl fmt::Debug for Decoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoded")
            .field("revision", &self.revision)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// Why a record cannot be read. Helm skips such records without a word (RELIABILITY F52).
#[derive(Debug, thiserror::Error)]
pub(crate) enum Undecodable {
    #[error("it is not base64")]
    Base64(#[source] base64::DecodeError),
    #[error("it is not gzip")]
    Gzip(#[source] std::io::Error),
    #[error("it is too large")]
    TooLarge,
    #[error("it is not a release")]
    Json(#[source] serde_json::Error),
}

#[derive(Deserialize)]
struct Payload {
    version: u32,
    info: Info,
    #[serde(default)]
    manifest: String,
}

#[derive(Deserialize)]
struct Info {
    status: String,
    #[serde(default)]
    description: String,
}

/// Reads a record: JSON in gzip in base64. The Secret's own base64 around it may still be there; records of old helms have no gzip.
pub(crate) fn decode(record: &ReleaseRecord) -> Result<Decoded, Undecodable> {
    let mut bytes = record.payload.clone();
    for _ in 0..2 {
        if bytes.starts_with(&GZIP) || bytes.starts_with(b"{") {
            break;
        }
        bytes = BASE64.decode(bytes.trim_ascii()).map_err(Undecodable::Base64)?;
    }
    if bytes.starts_with(&GZIP) {
        let mut plain = Vec::new();
        let read = GzDecoder::new(bytes.as_slice()).take(LARGEST + 1).read_to_end(&mut plain);
        read.map_err(Undecodable::Gzip)?;
        if plain.len() as u64 > LARGEST {
            return Err(Undecodable::TooLarge);
        }
        bytes = plain;
    }
    let payload: Payload = serde_json::from_slice(&bytes).map_err(Undecodable::Json)?;
    let Payload { version: revision, info, manifest } = payload;
    Ok(Decoded { revision, status: Status::parse(info.status), description: info.description, manifest })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn record(payload: impl Into<Vec<u8>>) -> ReleaseRecord {
        ReleaseRecord {
            name: "sh.helm.release.v1.store-000000ab.v7".to_owned(),
            revision: 7,
            uid: "u".to_owned(),
            resource_version: "1".to_owned(),
            visible: true,
            payload: payload.into(),
        }
    }

    const RELEASE: &str =
        r#"{"name":"r","info":{"status":"pending-upgrade","description":"mine"},"version":3,"manifest":"kind: Job"}"#;

    #[test]
    fn the_payload_is_read_however_many_times_it_was_wrapped() {
        let once = BASE64.encode(gzip(RELEASE));
        let twice = BASE64.encode(&once);

        for payload in
            [once.into_bytes(), format!("{twice}\n").into_bytes(), gzip(RELEASE), BASE64.encode(RELEASE).into()]
        {
            let decoded = decode(&record(payload)).unwrap();
            let status = Status::Pending("pending-upgrade".to_owned());
            let (description, manifest) = ("mine".to_owned(), "kind: Job".to_owned());
            assert_eq!(decoded, Decoded { revision: 3, status, description, manifest });
        }
    }

    #[test]
    fn what_cannot_be_read_is_an_error_that_quotes_nothing() {
        let mut torn = gzip(RELEASE);
        torn.truncate(20);

        for payload in [&b"\xff\xfe"[..], b"", BASE64.encode(&torn).as_bytes(), b"{\"password\": \"CANARY\"}"] {
            let error = decode(&record(payload)).unwrap_err();
            assert!(!error.to_string().contains("CANARY"));
        }
    }

    #[test]
    fn helm_goes_on_from_settled_records_only() {
        let blocks = |text: &str| Status::parse(text.to_owned()).blocks();

        for text in
            ["pending-install", "pending-upgrade", "pending-rollback", "uninstalling", "unknown", "new-in-helm-9"]
        {
            assert!(blocks(text), "{text}");
        }
        for text in ["deployed", "failed", "superseded", "uninstalled"] {
            assert!(!blocks(text), "{text}");
        }
    }
}
