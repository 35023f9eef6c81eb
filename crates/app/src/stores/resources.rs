//! What a store takes of its cluster, against its quota: as the release says that it runs on. No cluster is asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shopwright_domain::StoreId;
use shopwright_domain::plans::SizeName;
use shopwright_ports::releases::Manifest;
use shopwright_ports::stores_api::{RequestContext, Share, StoreResources, StoreServiceError};

use super::Stores;
use super::engines::engine_unavailable;
use super::preview::Running;
use super::quantity::thousandths;

/// So many releases are remembered: there are as many as the platform had charts that some store still runs on.
const MOST: usize = 256;

/// What releases take, by the digest of what they are made of and their size. All stores of one take the same, and to find out takes a process of helm's.
#[derive(Debug, Clone, Default)]
pub struct Sizes(Arc<Mutex<Known>>);

type Known = BTreeMap<(String, Option<SizeName>), StoreResources>;

impl Sizes {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stores {
    pub(super) async fn read_resources(
        &self,
        context: &RequestContext,
        id: &StoreId,
    ) -> Result<StoreResources, StoreServiceError> {
        let Running { store, digests, origin, credentials_version, .. } = self.running(context, id).await?;
        let made_of = (origin.digest.clone(), digests.size.clone());
        let known = self.sizes.known().get(&made_of).copied();
        if let Some(known) = known {
            return Ok(known);
        }
        let spec = Self::spec_of(&store, credentials_version, origin, digests.size.as_ref());
        let found = of_release(&self.releases.render(&spec).await.map_err(engine_unavailable)?);
        let mut sizes = self.sizes.known();
        if sizes.len() >= MOST {
            sizes.clear();
        }
        sizes.insert(made_of, found);
        Ok(found)
    }
}

fn of_release(manifest: &Manifest) -> StoreResources {
    let share = |taken: u64, resource: &str| Share { taken, quota: quota(manifest, resource) };
    let in_units =
        |Share { taken, quota }: Share| Share { taken: taken.div_ceil(1_000), quota: quota.map(|quota| quota / 1_000) };
    StoreResources {
        cpu_millicores: share(of_pods(manifest, "cpu"), "limits.cpu"),
        memory_bytes: in_units(share(of_pods(manifest, "memory"), "limits.memory")),
        storage_bytes: in_units(share(of_volumes(manifest), "requests.storage")),
    }
}

/// In thousandths.
fn quota(manifest: &Manifest, resource: &str) -> Option<u64> {
    let path = format!("spec.hard.{resource}");
    let quotas = manifest.iter().filter(|(object, _)| object.kind == "ResourceQuota");
    // Several hold at the same time: the least decides.
    quotas.filter_map(|(_, fields)| thousandths(fields.get(&path)?)).min()
}

fn of_pods(manifest: &Manifest, resource: &str) -> u64 {
    let workloads = manifest.iter().filter(|(object, _)| matches!(object.kind.as_str(), "Deployment" | "StatefulSet"));
    let taken = workloads.map(|(_, fields)| {
        let replicas = fields.get("spec.replicas").and_then(|text| text.parse().ok()).unwrap_or(1);
        of_pod(fields, resource).saturating_mul(replicas)
    });
    taken.fold(0, u64::saturating_add)
}

/// Its containers together, or the one that runs before them and may use most: as a quota counts pods.
fn of_pod(fields: &BTreeMap<String, String>, resource: &str) -> u64 {
    let end = format!("].resources.limits.{resource}");
    let wanted = |list: &str| -> Vec<u64> {
        let start = format!("spec.template.spec.{list}[");
        let limits = fields.iter().filter(|(path, _)| path.starts_with(&start) && path.ends_with(&end));
        limits.filter_map(|(_, text)| thousandths(text)).collect()
    };
    let together = wanted("containers").into_iter().fold(0, u64::saturating_add);
    together.max(wanted("initContainers").into_iter().max().unwrap_or(0))
}

fn of_volumes(manifest: &Manifest) -> u64 {
    let claims = manifest.iter().filter(|(object, _)| object.kind == "PersistentVolumeClaim");
    let sizes = claims.filter_map(|(_, fields)| thousandths(fields.get("spec.resources.requests.storage")?));
    sizes.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use shopwright_ports::releases::ObjectRef;

    use super::*;

    /// Kind, name and fields of an object.
    type Object<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

    fn manifest(objects: &[Object<'_>]) -> Manifest {
        let object = |(kind, name, fields): &Object<'_>| {
            let object = ObjectRef { api_version: "v1".into(), kind: (*kind).into(), name: (*name).into() };
            (object, fields.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect())
        };
        objects.iter().map(object).collect()
    }

    #[test]
    fn pods_count_as_often_as_they_run_with_the_larger_of_their_two_phases() {
        let containers = |name: &str| format!("spec.template.spec.{name}.resources.limits.cpu");
        let (web, side, init) =
            (containers("containers[web]"), containers("containers[side]"), containers("initContainers[i]"));
        let of = |fields: &[(&str, &str)]| of_release(&manifest(&[("Deployment", "web", fields)])).cpu_millicores.taken;

        assert_eq!(of(&[(&web, "1"), (&side, "250m"), (&init, "1")]), 1_250);
        assert_eq!(of(&[(&web, "1"), (&init, "2"), ("spec.replicas", "3")]), 6_000);
        assert_eq!(of(&[("spec.replicas", "0"), (&web, "1")]), 0);
    }

    #[test]
    fn a_quota_is_the_least_of_those_that_hold_and_none_where_there_is_none() {
        let quotas = |texts: &[&str]| {
            let names = ["a", "b"];
            let fields: Vec<_> = texts.iter().map(|text| [("spec.hard.requests.storage", *text)]).collect();
            let objects: Vec<Object<'_>> =
                fields.iter().zip(names).map(|(fields, name)| ("ResourceQuota", name, fields.as_slice())).collect();
            of_release(&manifest(&objects)).storage_bytes
        };

        assert_eq!(quotas(&["10Gi", "5Gi"]), Share { taken: 0, quota: Some(5 << 30) });
        assert_eq!(quotas(&[]), Share { taken: 0, quota: None });
    }
}
