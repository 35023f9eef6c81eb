//! A fake Helm over the [`FakeCluster`]: releases, records and objects live in the store's namespace, go with it, and are behind its fence.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use shopwright_domain::engine::EngineDescriptor;
use shopwright_domain::operation::ReleaseDigests;
use shopwright_domain::store::EngineName;
use shopwright_domain::{Epoch, StoreId};

use crate::cluster::Fence;
use crate::releases::{
    Installed, Manifest, ObjectRef, ReleaseError, ReleaseOrigin, ReleaseSpec, Releases, Uninstalled,
};
use crate::testing::{FakeCluster, Faults};

/// A release that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeRelease {
    /// What it was made of at last.
    pub spec: ReleaseSpec,
    /// Counts the installations, from 1.
    pub revision: u32,
    /// The same for the same spec, chart and helm.
    pub digests: ReleaseDigests,
    /// Under which claim it was installed at last.
    pub epoch: Epoch,
}

#[derive(Debug, Default)]
struct State {
    notes: BTreeMap<EngineName, Result<String, String>>,
    installs: BTreeMap<StoreId, usize>,
    uninstalls: BTreeMap<StoreId, usize>,
    charts: u32,
    helms: u32,
    objects_stay: bool,
}

/// Installs at once, unless told otherwise.
#[derive(Debug)]
pub struct FakeReleases {
    /// What the next calls meet instead, by name: `digests`, `origin`, `render`, `engine_note`; for an installation `begin_install`, before anything has
    /// happened, and `install`, when its pending record is written; for an uninstallation `begin_uninstall` and `uninstall` likewise.
    pub faults: Faults<ReleaseError>,
    cluster: Arc<FakeCluster>,
    state: Mutex<State>,
}

/// What every fake chart consists of.
fn objects() -> [ObjectRef; 2] {
    [("v1", "Service"), ("apps/v1", "Deployment")].map(|(api_version, kind)| ObjectRef {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        name: "web".to_owned(),
    })
}

fn flat(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
    fields.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect()
}

/// What a release sets bounds with.
fn bounds() -> Manifest {
    let quota =
        [("spec.hard.limits.cpu", "2"), ("spec.hard.limits.memory", "2Gi"), ("spec.hard.requests.storage", "10Gi")];
    let objects = [
        ("ResourceQuota", "store", flat(&quota)),
        ("PersistentVolumeClaim", "data", flat(&[("spec.resources.requests.storage", "1Gi")])),
    ];
    let object = |(kind, name, fields): (&str, &str, _)| {
        (ObjectRef { api_version: "v1".to_owned(), kind: kind.to_owned(), name: name.to_owned() }, fields)
    };
    objects.into_iter().map(object).collect()
}

impl FakeReleases {
    /// A helm for the stores of this cluster.
    pub fn on(cluster: Arc<FakeCluster>) -> Self {
        Self { faults: Faults::default(), cluster, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All releases that are deployed.
    pub fn installed(&self) -> BTreeMap<StoreId, FakeRelease> {
        self.cluster.releases()
    }

    /// How often `install` was called for the store, whatever came of it.
    pub fn install_calls(&self, store_id: &StoreId) -> usize {
        self.state().installs.get(store_id).copied().unwrap_or(0)
    }

    /// How often `uninstall` was called for the store, whatever came of it.
    pub fn uninstall_calls(&self, store_id: &StoreId) -> usize {
        self.state().uninstalls.get(store_id).copied().unwrap_or(0)
    }

    /// A run dies and leaves a pending record: the next `install` removes it and says so.
    pub fn leave_dead_run(&self, store_id: &StoreId) {
        self.cluster.leave_pending(store_id);
    }

    /// From now on the charts are others than before.
    pub fn replace_charts(&self) {
        self.state().charts += 1;
    }

    /// From now on the helm binary is another one than before.
    pub fn replace_helm(&self) {
        self.state().helms += 1;
    }

    /// From now on an uninstallation leaves the objects where they are, as helm does when it gives up waiting, or not.
    pub fn leave_objects(&self, stay: bool) {
        self.state().objects_stay = stay;
    }

    /// Stores of this engine can be made, and their owners must know `note`.
    pub fn annotate_engine(&self, engine: EngineName, note: &str) {
        self.state().notes.insert(engine, Ok(note.to_owned()));
    }

    /// Stores of this engine cannot be made, for `reason`.
    pub fn refuse_engine(&self, engine: EngineName, reason: &str) {
        self.state().notes.insert(engine, Err(reason.to_owned()));
    }

    fn made_of(&self, spec: &ReleaseSpec) -> ReleaseDigests {
        let origin = spec.origin.clone().unwrap_or_else(|| self.platform(&spec.engine));
        ReleaseDigests {
            chart: digest(&String::from_utf8_lossy(&origin.archive)),
            values: digest(&format!("{:?}", ReleaseSpec { origin: None, ..spec.clone() })),
            helm: digest(&self.state().helms.to_string()),
            origin: Some(origin.digest),
            size: spec.size.clone(),
        }
    }

    /// The chart as it is now: its text names the engine and counts the replacements.
    fn platform(&self, engine: &EngineName) -> ReleaseOrigin {
        let text = format!("{engine} {}", self.state().charts);
        ReleaseOrigin { digest: digest(&format!("origin {text}")), archive: text.into_bytes().into() }
    }
}

/// Not SHA-256, but as long, and the same for the same text.
fn digest(text: &str) -> String {
    let fold = |hash: u128, byte: u8| (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    format!("sha256:{:064x}", text.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, fold))
}

#[async_trait]
impl Releases for FakeReleases {
    async fn install(&self, fence: &Fence, spec: &ReleaseSpec) -> Result<Installed, ReleaseError> {
        *self.state().installs.entry(fence.store_id.clone()).or_default() += 1;
        let digests = self.made_of(spec);
        let (revision, healed) = self.faults.around("begin_install", || self.cluster.begin_install(fence)).await?;
        let release = FakeRelease { spec: spec.clone(), revision, digests: digests.clone(), epoch: fence.epoch };
        self.faults.around("install", || self.cluster.finish_install(fence, release, objects())).await?;
        Ok(Installed { revision, digests, healed })
    }

    async fn digests(&self, spec: &ReleaseSpec) -> Result<ReleaseDigests, ReleaseError> {
        self.faults.around("digests", || Ok(self.made_of(spec))).await
    }

    async fn origin(&self, engine: &EngineName) -> Result<ReleaseOrigin, ReleaseError> {
        self.faults.around("origin", || Ok(self.platform(engine))).await
    }

    async fn render(&self, spec: &ReleaseSpec) -> Result<Manifest, ReleaseError> {
        let effect = || {
            let origin = spec.origin.clone().unwrap_or_else(|| self.platform(&spec.engine));
            let image = format!("fake.shopwright.test/{}", String::from_utf8_lossy(&origin.archive).replace(' ', ":"));
            let fields = |object: &ObjectRef| match object.kind.as_str() {
                "Deployment" => flat(&[
                    ("spec.replicas", "1"),
                    ("spec.template.spec.containers[web].image", &image),
                    ("spec.template.spec.containers[web].resources.limits.cpu", "500m"),
                    ("spec.template.spec.containers[web].resources.limits.memory", "512Mi"),
                ]),
                _ => flat(&[("spec.type", "ClusterIP")]),
            };
            let mut manifest: Manifest = objects().map(|object| (object.clone(), fields(&object))).into();
            manifest.extend(bounds());
            Ok(manifest)
        };
        self.faults.around("render", effect).await
    }

    async fn uninstall(&self, fence: &Fence) -> Result<Uninstalled, ReleaseError> {
        *self.state().uninstalls.entry(fence.store_id.clone()).or_default() += 1;
        let begun = self.faults.around("begin_uninstall", || self.cluster.begin_uninstall(fence)).await?;
        let finish = || {
            let objects_stay = self.state().objects_stay;
            if begun { self.cluster.finish_uninstall(fence, objects_stay) } else { Ok(Vec::new()) }
        };
        let left = self.faults.around("uninstall", finish).await?;
        Ok(Uninstalled { left })
    }

    async fn engine_note(&self, engine: &EngineDescriptor) -> Result<Option<String>, ReleaseError> {
        self.faults
            .around("engine_note", || {
                let note = self.state().notes.get(engine.name()).cloned();
                note.transpose().map_err(ReleaseError::Chart)
            })
            .await
    }
}

#[cfg(test)]
mod tests;
