//! A digest of everything that decides what helm applies: chart, values and helm itself. Equal digests mean equal objects (RELIABILITY
//! F54); where the files lie on this machine is no part of it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::charts::Chart;

/// Charts are shallow; deeper means a link that leads back.
const DEEPEST: usize = 16;

/// The digest, in hexadecimal.
pub(crate) fn of(chart: &Chart, document: &[u8], helm: &str) -> io::Result<String> {
    let mut hash = Sha256::new();
    part(&mut hash, "helm", helm.as_bytes());
    directory(&mut hash, &chart.dir, "", DEEPEST)?;
    for values in &chart.values {
        part(&mut hash, "values", &fs::read(values)?);
    }
    part(&mut hash, "document", document);
    Ok(hex(&hash.finalize()))
}

/// The digest of a file's content, in hexadecimal.
pub(crate) fn of_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1024 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// Names and contents carry their lengths, so that no two lists of parts look the same.
fn part(hash: &mut Sha256, name: &str, content: &[u8]) {
    for bytes in [name.as_bytes(), content] {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    }
}

fn directory(hash: &mut Sha256, dir: &Path, name: &str, depth: usize) -> io::Result<()> {
    let deeper = depth.checked_sub(1).ok_or_else(|| io::Error::other(format!("{} is too deep", dir.display())))?;
    let mut entries = fs::read_dir(dir)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        // Links are followed, as helm does: the library chart is one.
        if fs::metadata(&path)?.is_dir() {
            directory(hash, &path, &name, deeper)?;
        } else {
            part(hash, &name, &fs::read(&path)?);
        }
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn chart(root: &Path) -> Chart {
        let dir = root.join("charts/medusa");
        fs::create_dir_all(dir.join("templates")).unwrap();
        fs::create_dir_all(root.join("charts/common")).unwrap();
        fs::write(dir.join("Chart.yaml"), "name: medusa").unwrap();
        fs::write(dir.join("templates/store.yaml"), "kind: Job").unwrap();
        fs::write(root.join("charts/common/a.tpl"), "a").unwrap();
        fs::write(root.join("own.yaml"), "a: 1").unwrap();
        symlink("../common", dir.join("common")).unwrap();
        Chart { dir, values: vec![root.join("own.yaml")] }
    }

    #[test]
    fn it_changes_with_everything_that_decides_and_with_nothing_else() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let chart = (chart(here.path()), chart(there.path()));
        let digest = || of(&chart.0, b"{}", "v4").unwrap();
        let first = digest();

        assert_eq!(first.len(), 64);
        assert_eq!(of(&chart.1, b"{}", "v4").unwrap(), first);
        assert_ne!(of(&chart.0, b"{ }", "v4").unwrap(), first);
        assert_ne!(of(&chart.0, b"{}", "v5").unwrap(), first);
        for file in ["charts/medusa/templates/store.yaml", "charts/common/a.tpl", "own.yaml"] {
            let path = here.path().join(file);
            let before = fs::read(&path).unwrap();
            fs::write(&path, "changed").unwrap();
            assert_ne!(digest(), first, "{file}");
            fs::write(&path, before).unwrap();
        }
        assert_eq!(digest(), first);
    }

    #[test]
    fn a_link_that_leads_back_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let chart = chart(root.path());
        symlink(".", chart.dir.join("again")).unwrap();

        assert!(of(&chart, b"{}", "v4").is_err());
    }
}
