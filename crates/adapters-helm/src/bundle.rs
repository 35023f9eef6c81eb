//! Everything that decides what helm applies, read once: chart, values files, the store's own values.
//!
//! Helm is given a private copy, written from the same bytes that the digests are of. So what the digests say is what was installed, even
//! if somebody replaces the chart at that very moment (RELIABILITY F54). Where the files lie on this machine is no part of a digest.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use shopwright_domain::operation::ReleaseDigests;

use crate::charts::Chart;
use crate::digest;
use crate::scratch::RunDir;
use crate::version::HelmVersion;

/// Charts are shallow; deeper means a link that leads back.
const DEEPEST: usize = 16;
/// A chart of this size could not be recorded by helm, which keeps it in the release's record (RELIABILITY F50).
const LARGEST: usize = 32 * 1024 * 1024;

/// A file with its path below the chart.
#[derive(Debug)]
struct Content {
    path: String,
    bytes: Vec<u8>,
}

/// A chart with its values, in memory.
#[derive(Debug)]
pub(crate) struct Bundle {
    chart_name: PathBuf,
    chart: Vec<Content>,
    values: Vec<Content>,
    document: Vec<u8>,
}

/// Where a bundle was written to.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) chart: PathBuf,
    pub(crate) values: Vec<PathBuf>,
}

impl Bundle {
    /// Reads the files; `document` is the values that helm gets on its stdin.
    pub(crate) fn read(chart: &Chart, document: Vec<u8>) -> io::Result<Self> {
        let mut files = Vec::new();
        let mut room = LARGEST;
        directory(&mut files, &mut room, &chart.dir, "", DEEPEST)?;
        let values = chart.values.iter().enumerate().map(|(at, path)| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            Ok(Content { path: format!("{at}-{name}"), bytes: read(path, &mut room)? })
        });
        let values = values.collect::<io::Result<_>>()?;
        let chart_name = chart.dir.file_name().map_or_else(|| PathBuf::from("chart"), PathBuf::from);
        Ok(Self { chart_name, chart: files, values, document })
    }

    pub(crate) fn document(&self) -> &[u8] {
        &self.document
    }

    pub(crate) fn digests(&self, helm: &HelmVersion) -> ReleaseDigests {
        let mut chart = Sha256::new();
        for file in &self.chart {
            part(&mut chart, &file.path, &file.bytes);
        }
        let mut values = Sha256::new();
        for file in &self.values {
            part(&mut values, "file", &file.bytes);
        }
        part(&mut values, "document", &self.document);
        let digest = |hex: &str| format!("sha256:{hex}");
        ReleaseDigests {
            chart: digest(&digest::hex(&chart.finalize())),
            values: digest(&digest::hex(&values.finalize())),
            helm: digest(&helm.sha256),
        }
    }

    /// Writes the copy into a run's directory, which removes it with itself.
    pub(crate) fn write(&self, run_dir: &RunDir) -> io::Result<Written> {
        let chart = run_dir.path().join("chart").join(&self.chart_name);
        for file in &self.chart {
            write(&chart.join(&file.path), &file.bytes)?;
        }
        let values = self.values.iter().map(|file| {
            let path = run_dir.path().join("values").join(&file.path);
            write(&path, &file.bytes)?;
            Ok(path)
        });
        let values = values.collect::<io::Result<_>>()?;
        Ok(Written { chart, values })
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, bytes)
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
fn part(hash: &mut Sha256, name: &str, content: &[u8]) {
    for bytes in [name.as_bytes(), content] {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    }
}

#[cfg(test)]
mod tests;
