//! Installing a release: heal, run helm, read back record and objects.
//!
//! Helm always runs. Skipping it when the digest is unchanged needs a look at every object (DECISIONS 17), which is not this crate's.

use std::ffi::OsString;

use shopwright_domain::operation::ReleaseDigests;
use shopwright_domain::store::EngineName;
use shopwright_ports::cluster::Fence;
use shopwright_ports::releases::{Installed, ReleaseError, ReleaseSpec};

use crate::bundle::{Bundle, Written};
use crate::heal::{heal, newest};
use crate::objects::{self, in_words};
use crate::origin::Origin;
use crate::record::{Decoded, Status};
use crate::releases::{HelmReleases, io_error};

pub(crate) async fn install(
    releases: &HelmReleases,
    fence: &Fence,
    spec: &ReleaseSpec,
) -> Result<Installed, ReleaseError> {
    let helm = releases.helm().await?;
    let bundle = releases.bundle(spec).await?;
    let digests = bundle.digests(helm);

    let healed = heal(releases.access.as_ref(), fence).await?;
    let before = healed.newest.map_or(0, |record| record.revision);
    let mark = mark(fence, &digests);
    releases.run(fence, Some(&bundle), |written| arguments(fence, written, &mark)).await?;
    let record = read_back(releases, fence, before, &mark).await?;
    compare(releases, fence, &record).await?;
    // A helm that was replaced while it ran may not be the one that the digests name.
    helm.ensure_unchanged()?;
    tracing::info!(revision = record.revision, chart = digests.chart, values = digests.values, "installed");
    Ok(Installed { revision: record.revision, digests, healed: healed.removed })
}

impl HelmReleases {
    /// What an installation of `spec` is made of, as it is now.
    pub(crate) async fn bundle(&self, spec: &ReleaseSpec) -> Result<Bundle, ReleaseError> {
        let document = crate::values::document(spec, &self.settings.cluster)
            .map_err(|error| ReleaseError::Chart(format!("its values are no JSON: {error}")))?;
        let origin = match &spec.origin {
            Some(kept) => Origin::unpack(kept)?,
            None => self.platform(&spec.engine).await?,
        };
        Ok(Bundle { origin, document, size: spec.size.clone() })
    }

    /// The platform's chart with its values files, as they are now.
    pub(crate) async fn platform(&self, engine: &EngineName) -> Result<Origin, ReleaseError> {
        let chart = self.chart(engine)?;
        let read = tokio::task::spawn_blocking(move || Origin::read(&chart)).await;
        read.map_err(std::io::Error::other).flatten().map_err(|error| io_error("read the chart", error))
    }
}

/// What the record of this run says of it, in `helm history` too. Another owner's record is thereby not taken for ours.
fn mark(fence: &Fence, digests: &ReleaseDigests) -> String {
    let short = |digest: &str| digest.chars().skip("sha256:".len()).take(12).collect::<String>();
    format!("epoch {}, chart {}, values {}", fence.epoch, short(&digests.chart), short(&digests.values))
}

fn arguments(fence: &Fence, written: Option<&Written>, mark: &str) -> Vec<OsString> {
    let mut args: Vec<OsString> = ["upgrade", "--install", fence.store_id.release()].map(OsString::from).into();
    args.extend(written.map(|written| written.chart.clone().into()));
    args.extend(["-n", fence.store_id.namespace()].map(OsString::from));
    for file in written.into_iter().flat_map(|written| &written.values) {
        args.push("-f".into());
        args.push(file.into());
    }
    let rest = ["-f", "-", "--wait=hookOnly", "--no-hooks", "--skip-crds", "--history-max", "3", "-o", "json"];
    args.extend(rest.map(OsString::from));
    args.extend(["--description", mark].map(OsString::from));
    args
}

/// Helm exits 0 even if it could not write its last record (RELIABILITY F46).
async fn read_back(releases: &HelmReleases, fence: &Fence, before: u32, mark: &str) -> Result<Decoded, ReleaseError> {
    let records = releases.access.records(fence).await?;
    match newest(&records) {
        None => Err(ReleaseError::Lied("there is no record of the release".to_owned())),
        Some(record) if record.status != Status::Deployed => Err(ReleaseError::Lied(format!(
            "its record of revision {} says {}",
            record.revision,
            record.status.as_str()
        ))),
        Some(record) if record.revision <= before => {
            Err(ReleaseError::Lied(format!("its newest record is still revision {}", record.revision)))
        }
        Some(record) if record.description != mark => {
            Err(ReleaseError::Lied(format!("its record of revision {} is of another run", record.revision)))
        }
        Some(record) => Ok(record),
    }
}

/// The record is what helm says that it has done; the objects are what it has done. The next run makes those that are missing.
async fn compare(releases: &HelmReleases, fence: &Fence, record: &Decoded) -> Result<(), ReleaseError> {
    let objects = objects::of_manifest(&record.manifest)
        .map_err(|error| ReleaseError::Lied(format!("the manifest of its record cannot be read: {error}")))?;
    let missing = releases.access.missing(fence, &objects).await?;
    if missing.is_empty() {
        return Ok(());
    }
    Err(ReleaseError::Lied(format!(
        "{} of {} objects are missing: {}",
        missing.len(),
        objects.len(),
        in_words(&missing)
    )))
}
