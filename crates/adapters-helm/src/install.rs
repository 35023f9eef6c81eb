//! Installing a release: heal, run helm, read back.
//!
//! Helm always runs. Skipping it when the digest is unchanged needs a look at every object (DECISIONS 17), which is not this crate's.

use std::ffi::OsString;

use shopwright_ports::cluster::Fence;
use shopwright_ports::releases::{Installed, ReleaseError, ReleaseSpec};

use crate::charts::Chart;
use crate::heal::{heal, newest};
use crate::record::Status;
use crate::releases::{HelmReleases, io_error};
use crate::{digest, values};

pub(crate) async fn install(
    releases: &HelmReleases,
    fence: &Fence,
    spec: &ReleaseSpec,
) -> Result<Installed, ReleaseError> {
    let helm = releases.helm().await?;
    let chart = releases.chart(spec.engine)?;
    let document = values::document(spec, &releases.settings.cluster)
        .map_err(|error| ReleaseError::Chart(format!("its values are no JSON: {error}")))?;
    let digest = {
        let (chart, document) = (chart.clone(), document.clone());
        let helm = format!("{} {}", helm.version, helm.sha256);
        tokio::task::spawn_blocking(move || digest::of(&chart, &document, &helm)).await
    };
    let digest = digest.map_err(std::io::Error::other).flatten();
    let digest = digest.map_err(|error| io_error("read the chart", error))?;

    let healed = heal(releases.access.as_ref(), fence).await?;
    let before = healed.newest.map_or(0, |record| record.revision);
    releases.run(fence, arguments(fence, &chart), &document).await?;
    let revision = read_back(releases, fence, before).await?;
    tracing::info!(revision, digest, "installed");
    Ok(Installed { revision, digest, healed: healed.removed })
}

fn arguments(fence: &Fence, chart: &Chart) -> Vec<OsString> {
    let mut args: Vec<OsString> = ["upgrade", "--install", fence.store_id.release()].map(OsString::from).into();
    args.push(chart.dir.clone().into());
    args.extend(["-n", fence.store_id.namespace()].map(OsString::from));
    for file in &chart.values {
        args.push("-f".into());
        args.push(file.into());
    }
    let rest = ["-f", "-", "--wait=hookOnly", "--no-hooks", "--skip-crds", "--history-max", "3", "-o", "json"];
    args.extend(rest.map(OsString::from));
    args
}

/// Helm exits 0 even if it could not write its last record (RELIABILITY F46).
async fn read_back(releases: &HelmReleases, fence: &Fence, before: u32) -> Result<u32, ReleaseError> {
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
        Some(record) => Ok(record.revision),
    }
}
