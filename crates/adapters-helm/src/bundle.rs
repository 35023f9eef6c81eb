//! Everything that decides what helm applies, read once: chart, values files, the store's own values.
//!
//! Helm is given a private copy, written from the same bytes that the digests are of. So what the digests say is what was installed, even
//! if somebody replaces the chart at that very moment (RELIABILITY F54). Where the files lie on this machine is no part of a digest.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use shopwright_domain::operation::ReleaseDigests;
use shopwright_domain::plans::SizeName;

use crate::digest;
use crate::origin::{Origin, part};
use crate::scratch::RunDir;
use crate::version::HelmVersion;
use sha2::{Digest, Sha256};

/// A chart with its values, in memory.
#[derive(Debug)]
pub(crate) struct Bundle {
    /// Chart and values files.
    pub(crate) origin: Origin,
    /// The values that helm gets on its stdin.
    pub(crate) document: Vec<u8>,
    /// The size that is among them.
    pub(crate) size: Option<SizeName>,
}

/// Where a bundle was written to.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) chart: PathBuf,
    pub(crate) values: Vec<PathBuf>,
}

impl Bundle {
    pub(crate) fn document(&self) -> &[u8] {
        &self.document
    }

    pub(crate) fn digests(&self, helm: &HelmVersion) -> ReleaseDigests {
        let mut values = Sha256::new();
        for file in &self.origin.values {
            part(&mut values, "file", &file.bytes);
        }
        part(&mut values, "document", &self.document);
        let digest = |hex: &str| format!("sha256:{hex}");
        ReleaseDigests {
            chart: digest(&digest::hex(&self.origin.chart_digest())),
            values: digest(&digest::hex(&values.finalize())),
            helm: digest(&helm.sha256),
            origin: Some(self.origin.digest()),
            size: self.size.clone(),
        }
    }

    /// Writes the copy into a run's directory, which removes it with itself.
    pub(crate) fn write(&self, run_dir: &RunDir) -> io::Result<Written> {
        let chart = run_dir.path().join("chart").join(&self.origin.chart_name);
        for file in &self.origin.chart {
            write(&chart.join(&file.path), &file.bytes)?;
        }
        let values = self.origin.values.iter().map(|file| {
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

#[cfg(test)]
mod tests;
