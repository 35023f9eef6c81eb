//! A scripted helm and a cluster of files: `records/<revision>` is what the Secret of that revision holds, `records` is the namespace.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::SecretString;
use shopwright_adapters_helm::{HelmReleases, HelmSettings};
use shopwright_domain::{Epoch, StoreId};
use shopwright_ports::cluster::{ClusterError, Fence};
use shopwright_ports::releases::{ObjectRef, ReleaseAccess, ReleaseRecord};
use tempfile::TempDir;

pub(crate) const CANARY: &str = "CANARY-0123456789";
pub(crate) const FENCE_DENIAL: &str = "scripted fence:";

#[derive(Debug)]
pub(crate) struct World {
    root: TempDir,
    pub(crate) settings: HelmSettings,
    pub(crate) access: Arc<FileAccess>,
}

impl World {
    /// Helm 4 with this scenario, charts for both engines, no record.
    pub(crate) fn new(scenario: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        for engine in ["medusa", "woocommerce"] {
            let chart = at("charts").join(engine);
            fs::create_dir_all(&chart).unwrap();
            for file in ["Chart.yaml", "values-local.yaml", "values-production.yaml"] {
                fs::write(chart.join(file), "{}").unwrap();
            }
        }
        fs::create_dir(at("records")).unwrap();
        fs::write(at("scenario"), scenario).unwrap();
        fs::write(at("version"), "v4.3.1\n").unwrap();
        // Linked and not written: a file that this process wrote may still be open in a child that another thread just forked.
        symlink(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scripted/helm"), at("helm")).unwrap();
        let settings = HelmSettings {
            deadline: Duration::from_mins(1),
            ..HelmSettings::new(at("helm"), at("charts"), at("scratch"), FENCE_DENIAL)
        };
        let access = Arc::new(FileAccess { records: at("records"), ..FileAccess::default() });
        Self { root, settings, access }
    }

    pub(crate) fn releases(&self) -> HelmReleases {
        HelmReleases::new(self.settings.clone(), Arc::clone(&self.access) as _).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// What helm wrote down, with the temporary directories replaced by their names.
    pub(crate) fn seen(&self, name: &str) -> String {
        let text = fs::read_to_string(self.path(name)).unwrap();
        let env = fs::read_to_string(self.path("env")).unwrap_or_default();
        let run_dir = env.lines().find_map(|line| line.strip_prefix("HOME=")).unwrap_or("/no/run/dir").to_owned();
        text.replace(&run_dir, "RUN").replace(self.root.path().to_str().unwrap(), "ROOT").trim_end().to_owned()
    }

    pub(crate) fn calls(&self) -> usize {
        fs::read_to_string(self.path("calls")).map_or(0, |text| text.lines().count())
    }

    pub(crate) fn add_record(&self, revision: u32, status: &str) {
        let release = format!(r#"{{"info":{{"status":"{status}"}},"version":{revision}}}"#);
        self.add_payload(revision, &BASE64.encode(release));
    }

    /// A deployed record; the manifest as JSON has it.
    pub(crate) fn add_manifest(&self, revision: u32, manifest: &str) {
        let info = r#"{"status":"deployed"}"#;
        let release = format!(r#"{{"info":{info},"version":{revision},"manifest":"{manifest}"}}"#);
        self.add_payload(revision, &BASE64.encode(release));
    }

    pub(crate) fn add_payload(&self, revision: u32, payload: &str) {
        fs::write(self.path("records").join(revision.to_string()), payload).unwrap();
    }

    pub(crate) fn revisions(&self) -> Vec<u32> {
        self.access.revisions()
    }

    /// The process that helm announced under this name.
    pub(crate) async fn process(&self, name: &str) -> u32 {
        let file = self.path(name);
        until("helm announces a process", || file.exists()).await;
        fs::read_to_string(file).unwrap().trim().parse().unwrap()
    }

    /// Directories of runs that are still there.
    pub(crate) fn run_dirs(&self) -> usize {
        let dirs = |path: &Path| -> Vec<PathBuf> {
            fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
        };
        dirs(&self.settings.scratch_dir).iter().map(|part| dirs(part).len()).sum()
    }
}

pub(crate) fn fence() -> Fence {
    Fence { store_id: StoreId::from_random(0xab), epoch: Epoch(3) }
}

/// Waits for a level, and fails after 20 seconds.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let limit = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < limit, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A zombie is dead: whose child it is decides when it goes.
pub(crate) fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

#[derive(Debug, Default)]
pub(crate) struct FileAccess {
    records: PathBuf,
    pub(crate) unreachable: AtomicBool,
    /// Somebody else writes removed records again.
    pub(crate) records_come_back: AtomicBool,
    /// Revisions whose records have lost their labels.
    pub(crate) hidden: Mutex<Vec<u32>>,
    /// Names of objects that are not in the cluster.
    pub(crate) lost: Mutex<Vec<String>>,
}

impl FileAccess {
    fn revisions(&self) -> Vec<u32> {
        let names = fs::read_dir(&self.records).unwrap().map(|entry| entry.unwrap().file_name());
        let mut revisions: Vec<u32> = names.filter_map(|name| name.to_str()?.parse().ok()).collect();
        revisions.sort_unstable();
        revisions
    }

    fn answer(&self) -> Result<(), ClusterError> {
        if self.unreachable.load(Ordering::Relaxed) {
            return Err(ClusterError::Unreachable { detail: "scripted".to_owned(), source: None });
        }
        if !self.records.is_dir() {
            return Err(ClusterError::NamespaceGone);
        }
        Ok(())
    }
}

#[async_trait]
impl ReleaseAccess for FileAccess {
    async fn kubeconfig(&self, _: &Fence) -> Result<SecretString, ClusterError> {
        Ok(format!("users: [{{user: {{token: {CANARY}}}}}]").into())
    }

    async fn records(&self, _: &Fence) -> Result<Vec<ReleaseRecord>, ClusterError> {
        self.answer()?;
        let record = |revision: u32| ReleaseRecord {
            name: format!("sh.helm.release.v1.store-000000ab.v{revision}"),
            revision,
            uid: revision.to_string(),
            resource_version: "1".to_owned(),
            visible: !self.hidden.lock().unwrap().contains(&revision),
            payload: fs::read(self.records.join(revision.to_string())).unwrap(),
        };
        Ok(self.revisions().into_iter().map(record).collect())
    }

    async fn remove_record(&self, _: &Fence, record: &ReleaseRecord) -> Result<(), ClusterError> {
        if !self.records_come_back.load(Ordering::Relaxed) {
            fs::remove_file(self.records.join(record.revision.to_string())).unwrap();
        }
        Ok(())
    }

    async fn missing(&self, _: &Fence, objects: &[ObjectRef]) -> Result<Vec<ObjectRef>, ClusterError> {
        self.answer()?;
        let lost = self.lost.lock().unwrap();
        Ok(objects.iter().filter(|object| lost.contains(&object.name)).cloned().collect())
    }
}
