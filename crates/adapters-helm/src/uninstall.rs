//! Uninstalling a release. The namespace goes afterwards and takes the rest along, so this is about order, not about completeness: what
//! stays is named, and only the namespace's end is the end (RELIABILITY F48).

use std::collections::BTreeSet;
use std::ffi::OsString;

use shopwright_ports::cluster::{ClusterError, Fence};
use shopwright_ports::releases::{ObjectRef, ReleaseError, ReleaseRecord, Uninstalled};

use crate::failure;
use crate::heal::newest;
use crate::objects;
use crate::record::{self, Status};
use crate::releases::HelmReleases;

pub(crate) async fn uninstall(releases: &HelmReleases, fence: &Fence) -> Result<Uninstalled, ReleaseError> {
    match uninstall_present(releases, fence).await {
        // Without a namespace there is no release.
        Err(ReleaseError::Cluster(ClusterError::NamespaceGone)) => Ok(Uninstalled::default()),
        result => result,
    }
}

async fn uninstall_present(releases: &HelmReleases, fence: &Fence) -> Result<Uninstalled, ReleaseError> {
    let records = releases.access.records(fence).await?;
    if records.is_empty() {
        return Ok(Uninstalled::default());
    }
    // Before helm runs: afterwards nothing says what the release was made of.
    let objects = named_by(&records);
    let died_before = newest(&records).is_some_and(|record| record.status == Status::Uninstalling);
    match releases.run(fence, None, |_| arguments(fence)).await {
        Ok(said) => believe(releases, fence, &said).await?,
        // A run died here before, and helm cannot finish its work: the namespace's removal will (RELIABILITY F47).
        Err(ReleaseError::Failed(reason)) if died_before => {
            tracing::warn!(reason, "helm cannot finish an uninstallation that died");
        }
        Err(error) => return Err(error),
    }
    remove_rest(releases, fence).await?;
    let gone: BTreeSet<ObjectRef> = releases.access.missing(fence, &objects).await?.into_iter().collect();
    let left: Vec<_> = objects.into_iter().filter(|object| !gone.contains(object)).collect();
    if !left.is_empty() {
        tracing::warn!(objects = objects::in_words(&left), "helm left objects behind; the namespace takes them along");
    }
    Ok(Uninstalled { left })
}

/// Helm takes a list of records that fails for an empty one, and exits 0 (RELIABILITY F53). When it has uninstalled, it has removed every
/// record that it can see and read.
async fn believe(releases: &HelmReleases, fence: &Fence, said: &str) -> Result<(), ReleaseError> {
    let records = releases.access.records(fence).await?;
    if !records.iter().any(|record| record.visible && record::decode(record).is_ok()) {
        return Ok(());
    }
    // The kubeconfig is not at hand to take its words out; its addresses and tokens are recognised without.
    Err(failure::classify(said, &releases.context(fence, ""))
        .unwrap_or_else(|| ReleaseError::Lied(format!("records of the release are still there: {}", names(&records)))))
}

/// Everything that any of the records names: a run that died may have made what the release before it did not have.
fn named_by(records: &[ReleaseRecord]) -> Vec<ObjectRef> {
    let manifests = records.iter().filter_map(|record| record::decode(record).ok()).map(|record| record.manifest);
    let objects: BTreeSet<_> =
        manifests.filter_map(|manifest| objects::of_manifest(&manifest).ok()).flatten().collect();
    objects.into_iter().collect()
}

/// Helm leaves records that it cannot read, and those of a run that died. None may stay to be found by the next installation.
async fn remove_rest(releases: &HelmReleases, fence: &Fence) -> Result<(), ReleaseError> {
    for record in releases.access.records(fence).await? {
        tracing::info!(record = %record.name, "removing a record that helm left");
        releases.access.remove_record(fence, &record).await?;
    }
    match releases.access.records(fence).await?.as_slice() {
        [] => Ok(()),
        left => Err(ReleaseError::Lied(format!("records of the release are still there: {}", names(left)))),
    }
}

fn names(records: &[ReleaseRecord]) -> String {
    records.iter().map(|record| record.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn arguments(fence: &Fence) -> Vec<OsString> {
    let (release, namespace) = (fence.store_id.release(), fence.store_id.namespace());
    let args = ["uninstall", release, "-n", namespace, "--ignore-not-found", "--no-hooks", "--wait=hookOnly"];
    // Without it helm 4 says that an uninstallation failed and not why, and a stale epoch could not be told from anything else. Of
    // an uninstallation it names objects and errors; never for an installation, whose values it would print.
    args.into_iter().chain(["--debug"]).map(OsString::from).collect()
}
