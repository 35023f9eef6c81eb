//! A chart with its values files, without anything of a store: read from a directory, or from the archive that was kept of an earlier one.
//!
//! The archive is the JSON of all files, compressed. What comes back from it is installed like what is read from a directory, so paths
//! that lead elsewhere are refused.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Component, Path};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shopwright_ports::releases::{ReleaseError, ReleaseOrigin};

use crate::charts::Chart;
use crate::digest;

/// Charts are shallow; deeper means a link that leads back.
const DEEPEST: usize = 16;
/// A chart of this size could not be recorded by helm, which keeps it in the release's record (RELIABILITY F50).
pub(crate) const LARGEST: usize = 32 * 1024 * 1024;

/// A file with its path below the chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) path: String,
    #[serde(with = "text")]
    pub(crate) bytes: Vec<u8>,
}

/// A chart with its values files, in memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(crate) chart_name: String,
    pub(crate) chart: Vec<Content>,
    pub(crate) values: Vec<Content>,
}

impl Origin {
    /// Reads the files.
    pub(crate) fn read(chart: &Chart) -> io::Result<Self> {
        let mut files = Vec::new();
        let mut room = LARGEST;
        directory(&mut files, &mut room, &chart.dir, "", DEEPEST)?;
        let values = chart.values.iter().enumerate().map(|(at, path)| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            Ok(Content { path: format!("{at}-{name}"), bytes: read(path, &mut room)? })
        });
        let values = values.collect::<io::Result<_>>()?;
        let name = chart.dir.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self { chart_name: name.into_owned(), chart: files, values })
    }

    pub(crate) fn chart_digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for file in &self.chart {
            part(&mut hash, &file.path, &file.bytes);
        }
        hash.finalize().into()
    }

    /// What it is kept under.
    pub(crate) fn digest(&self) -> String {
        let mut hash = Sha256::new();
        part(&mut hash, "chart", &self.chart_digest());
        for file in &self.values {
            part(&mut hash, &file.path, &file.bytes);
        }
        format!("sha256:{}", digest::hex(&hash.finalize()))
    }

    pub(crate) fn pack(&self) -> io::Result<ReleaseOrigin> {
        let mut archive = GzEncoder::new(Vec::new(), Compression::default());
        archive.write_all(&serde_json::to_vec(self)?)?;
        Ok(ReleaseOrigin { digest: self.digest(), archive: archive.finish()?.into() })
    }

    /// What [`Origin::pack`] made.
    ///
    /// # Errors
    /// [`ReleaseError::Chart`] when it is something else, or leads out of its directory.
    pub(crate) fn unpack(kept: &ReleaseOrigin) -> Result<Self, ReleaseError> {
        let damaged = |detail: &dyn std::fmt::Display| {
            ReleaseError::Chart(format!("what was kept of the release {} is damaged: {detail}", kept.digest))
        };
        let mut json = Vec::new();
        // Base64 makes of three bytes four.
        let mut archive = GzDecoder::new(&*kept.archive).take(LARGEST as u64 * 2);
        archive.read_to_end(&mut json).map_err(|error| damaged(&error))?;
        let origin: Self = serde_json::from_slice(&json).map_err(|error| damaged(&error))?;
        let mut paths = origin.chart.iter().chain(&origin.values).map(|file| file.path.as_str());
        if !is_below(&origin.chart_name) || !paths.all(is_below) {
            return Err(damaged(&"a path leads out of it"));
        }
        if origin.digest() != kept.digest {
            return Err(damaged(&"its digest is another one"));
        }
        Ok(origin)
    }
}

fn is_below(path: &str) -> bool {
    !path.is_empty() && Path::new(path).components().all(|component| matches!(component, Component::Normal(_)))
}

fn read(path: &Path, room: &mut usize) -> io::Result<Vec<u8>> {
    let bytes = fs::read(path)?;
    let left = room.checked_sub(bytes.len());
    *room = left.ok_or_else(|| io::Error::other(format!("the chart is larger than {LARGEST} bytes")))?;
    Ok(bytes)
}

/// Links are followed, as helm does: the library chart is one.
fn directory(files: &mut Vec<Content>, room: &mut usize, dir: &Path, below: &str, depth: usize) -> io::Result<()> {
    let deeper = depth.checked_sub(1).ok_or_else(|| io::Error::other(format!("{} is too deep", dir.display())))?;
    let mut entries = fs::read_dir(dir)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| io::Error::other(format!("{}: no name", path.display())))?;
        if fs::metadata(&path)?.is_dir() {
            directory(files, room, &path, &format!("{below}{name}/"), deeper)?;
        } else {
            files.push(Content { path: format!("{below}{name}"), bytes: read(&path, room)? });
        }
    }
    Ok(())
}

/// Names and contents carry their lengths, so that no two lists of parts look the same.
pub(crate) fn part(hash: &mut Sha256, name: &str, content: &[u8]) {
    for bytes in [name.as_bytes(), content] {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    }
}

/// Bytes as base64: JSON holds text.
mod text {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        BASE64.decode(String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(path: &str) -> Origin {
        let file = |path: &str, text: &str| Content { path: path.to_owned(), bytes: text.into() };
        Origin {
            chart_name: "medusa".to_owned(),
            chart: vec![file("Chart.yaml", "name: medusa"), file(path, "kind: Job")],
            values: vec![file("0-values-local.yaml", "a: 1")],
        }
    }

    #[test]
    fn what_was_kept_comes_back_byte_for_byte() {
        let origin = origin("templates/store.yaml");

        let kept = origin.pack().unwrap();

        assert_eq!(Origin::unpack(&kept).unwrap(), origin);
        assert_eq!(kept, origin.pack().unwrap());
    }

    #[test]
    fn what_is_damaged_or_leads_elsewhere_is_refused() {
        let good = origin("a").pack().unwrap();
        let cut = ReleaseOrigin { archive: good.archive[..20].into(), ..good.clone() };
        let renamed = ReleaseOrigin { digest: "sha256:00".to_owned(), ..good };
        let outside = origin("../../etc/passwd").pack().unwrap();

        for kept in [cut, renamed, outside] {
            assert!(matches!(Origin::unpack(&kept), Err(ReleaseError::Chart(_))));
        }
    }
}
