//! Stores on a real cluster, reached as the product reaches it: its own account, its own policies, the impersonated worker. Only the chart
//! is a tiny one.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::BuildHasher;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use shopwright_adapters_helm::{HelmReleases, HelmSettings};
use shopwright_adapters_k8s::{FENCE_REFUSAL, KubeCluster, KubeSettings, KubeSource, prepare};
use shopwright_domain::{Epoch, StoreId};
use shopwright_ports::cluster::{Cluster, ClusterError, Fence, NamespaceState};
use shopwright_ports::releases::{ReleaseAccess, Releases};
use shopwright_ports::testing::{engines, releases_contract};
use tempfile::TempDir;

use crate::kubectl::Kubectl;

/// Helm applies it in this order and removes it in the opposite one; what holds it in the middle holds the Deployment.
const CHART: &str = r#"
{{- if hasSuffix "/broken" .Values.store.publicUrl }}{{ fail "broken on purpose" }}{{ end }}
apiVersion: v1
kind: ServiceAccount
metadata: {name: store}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {url: {{ .Values.store.publicUrl | quote }}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {url: {{ .Values.store.publicUrl | quote }}}}
    spec:
      securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: web
          image: nowhere.invalid/web
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"#;
/// What the chart consists of.
pub(crate) const OBJECTS: [&str; 3] = ["serviceaccount/store", "configmap/web", "deployment/web"];

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) releases: Arc<HelmReleases>,
    pub(crate) cluster: KubeCluster,
    pub(crate) kubectl: Kubectl,
    pub(crate) settings: HelmSettings,
    /// The service account's.
    pub(crate) kubeconfig: PathBuf,
    stores: Mutex<Vec<StoreId>>,
    pub(crate) root: TempDir,
}

impl World {
    /// None where there is no cluster to run on.
    pub(crate) async fn start() -> Option<Self> {
        Self::start_with(|_| {}).await
    }

    /// The same with other settings.
    pub(crate) async fn start_with(change: impl FnOnce(&mut HelmSettings)) -> Option<Self> {
        let kubectl = Kubectl { kubeconfig: required("SHOPWRIGHT_TEST_ADMIN_KUBECONFIG")? };
        let helm_bin = required("HELM_BIN")?;
        let root = tempfile::tempdir().unwrap();
        let chart = root.path().join("charts/medusa");
        fs::create_dir_all(chart.join("templates")).unwrap();
        fs::write(chart.join("Chart.yaml"), "{apiVersion: v2, name: medusa, version: 0.1.0}").unwrap();
        fs::write(chart.join("values-local.yaml"), "profile: local").unwrap();
        fs::write(chart.join("templates/store.yaml"), CHART).unwrap();
        // The test's own schema: it allows everything but one scheme.
        let schema = r#"{"properties": {"store": {"properties": {"publicUrl": {"pattern": "^http"}}}}}"#;
        fs::write(chart.join("values.schema.json"), schema).unwrap();

        let kubeconfig = root.path().join("kubeconfig");
        let cluster = connect(&kubectl, &kubeconfig).await;
        let mut settings =
            HelmSettings::new(helm_bin, root.path().join("charts"), root.path().join("scratch"), FENCE_REFUSAL);
        change(&mut settings);
        let releases = Arc::new(HelmReleases::new(settings.clone(), Arc::new(cluster.clone())).unwrap());
        Some(Self { releases, cluster, kubectl, settings, kubeconfig, stores: Mutex::default(), root })
    }

    /// The same adapter with other settings, as another process of the product has one.
    pub(crate) fn another(&self, change: impl FnOnce(&mut HelmSettings)) -> Arc<HelmReleases> {
        let mut settings = self.settings.clone();
        change(&mut settings);
        Arc::new(HelmReleases::new(settings, Arc::new(self.cluster.clone())).unwrap())
    }

    pub(crate) fn chart(&self, file: &str) -> PathBuf {
        self.root.path().join("charts/medusa").join(file)
    }

    /// The records of the store's release as helm wrote them, oldest first.
    pub(crate) async fn releases_of(&self, store_id: &StoreId) -> Vec<Value> {
        let records = match self.cluster.records(&at(store_id, 0)).await {
            Err(ClusterError::NamespaceGone) => Vec::new(),
            records => records.unwrap(),
        };
        records.iter().map(|record| decode(&record.payload)).collect()
    }

    /// The statuses of the store's records, oldest first.
    pub(crate) async fn statuses(&self, store_id: &StoreId) -> Vec<String> {
        let releases = self.releases_of(store_id).await;
        releases.iter().map(|release| release["info"]["status"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) async fn uid(&self, store_id: &StoreId, object: &str) -> String {
        self.kubectl.json(&["-n", store_id.namespace(), "get", object]).await["metadata"]["uid"].to_string()
    }

    /// Everything that a helm could change, as the cluster has it: the versions of the release's objects and of its records.
    pub(crate) async fn versions(&self, store_id: &StoreId) -> Vec<String> {
        let get = ["-n", store_id.namespace(), "get", "serviceaccount,configmap,deployment,secret"];
        let found = self.kubectl.json(&get).await;
        let ours = found["items"].as_array().unwrap().iter().filter_map(|object| {
            let (kind, name) = (object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap());
            // Controllers write the status of a Deployment whenever they like.
            let version = if kind == "Deployment" { "generation" } else { "resourceVersion" };
            let ours = name.starts_with("sh.helm") || ["web", "store"].contains(&name);
            ours.then(|| format!("{kind} {name} {} {}", object["metadata"]["uid"], object["metadata"][version]))
        });
        ours.collect()
    }
}

/// Prepares the cluster and connects as the product's own account.
async fn connect(kubectl: &Kubectl, kubeconfig: &Path) -> KubeCluster {
    let context = kubectl.ok(&["config", "current-context"]).await.trim().to_owned();
    let admin = KubeSettings::new(KubeSource::Kubeconfig { path: kubectl.kubeconfig.clone(), context });
    prepare::prepare(&admin).await.expect("the cluster can be prepared");
    let text = prepare::service_account_kubeconfig(&admin, Duration::from_hours(1)).await.expect("a token");
    fs::write(kubeconfig, text.expose_secret()).unwrap();
    connect_by(kubeconfig).await
}

/// Connects by a kubeconfig of the product's own account.
pub(crate) async fn connect_by(kubeconfig: &Path) -> KubeCluster {
    let source = KubeSource::Kubeconfig { path: kubeconfig.to_owned(), context: "shopwright".to_owned() };
    KubeCluster::connect(KubeSettings::new(source)).await.expect("the service account can connect")
}

impl Drop for World {
    fn drop(&mut self) {
        let stores = self.stores.lock().unwrap();
        if !stores.is_empty() {
            let mut delete = Command::new("kubectl");
            delete.arg("--kubeconfig").arg(&self.kubectl.kubeconfig).args(["delete", "namespace", "--wait=false"]);
            let _ = delete.arg("--ignore-not-found").args(stores.iter().map(StoreId::as_str)).output();
        }
    }
}

#[async_trait]
impl releases_contract::World for World {
    fn releases(&self) -> &dyn Releases {
        self.releases.as_ref()
    }

    async fn new_store(&self) -> StoreId {
        let bits = u32::try_from(RandomState::new().hash_one(0) >> 32).unwrap();
        let store_id = StoreId::from_random(bits);
        self.stores.lock().unwrap().push(store_id.clone());
        self.cluster.ensure_namespace(&at(&store_id, 1), &engines::medusa()).await.unwrap();
        store_id
    }

    async fn raise_epoch(&self, fence: &Fence) {
        assert_eq!(self.cluster.raise_epoch(fence).await.unwrap(), NamespaceState::Present);
    }

    async fn remove_namespace(&self, store_id: &StoreId) {
        self.kubectl.ok(&["delete", "namespace", store_id.namespace(), "--wait"]).await;
    }

    async fn revision(&self, store_id: &StoreId) -> Option<u32> {
        let newest = self.releases_of(store_id).await.pop()?;
        let revision = u32::try_from(newest["version"].as_u64()?).ok()?;
        (newest["info"]["status"] == "deployed").then_some(revision)
    }

    async fn leave_dead_run(&self, fence: &Fence) {
        let mut release = self.releases_of(&fence.store_id).await.pop().unwrap();
        let revision = release["version"].as_u64().unwrap() + 1;
        release["version"] = json!(revision);
        release["info"]["status"] = json!("pending-upgrade");
        let name = fence.store_id.release();
        let labels =
            json!({"owner": "helm", "name": name, "status": "pending-upgrade", "version": revision.to_string()});
        let metadata =
            json!({"name": format!("sh.helm.release.v1.{name}.v{revision}"), "namespace": name, "labels": labels});
        self.kubectl
            .apply(&json!({"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1", "metadata": metadata,
                "data": {"release": BASE64.encode(encode(&release))}}))
            .await;
    }

    async fn remove_an_object(&self, store_id: &StoreId) {
        self.kubectl.ok(&["-n", store_id.namespace(), "delete", "configmap/web"]).await;
    }

    async fn is_whole(&self, store_id: &StoreId) -> bool {
        let get = [&["-n", store_id.namespace(), "get", "-o", "name"], &OBJECTS[..]].concat();
        self.kubectl.run(&get, "").await.is_ok()
    }
}

pub(crate) fn at(store_id: &StoreId, epoch: i64) -> Fence {
    Fence { store_id: store_id.clone(), epoch: Epoch(epoch) }
}

fn required(name: &str) -> Option<PathBuf> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if value.is_none() {
        let required = std::env::var_os("SHOPWRIGHT_REQUIRE_TIERS").is_some_and(|tiers| tiers == "all");
        assert!(!required, "{name} is required: run this by `make test`");
        // Not by eprintln: the harness would swallow it.
        let _ = writeln!(std::io::stderr(), "SKIPPED: a test of real helm, for {name} is not set");
    }
    value
}

pub(crate) fn decode(payload: &[u8]) -> Value {
    let mut text = String::new();
    GzDecoder::new(BASE64.decode(payload).unwrap().as_slice()).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

pub(crate) fn encode(release: &Value) -> String {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(release.to_string().as_bytes()).unwrap();
    BASE64.encode(gzip.finish().unwrap())
}

/// How long a level may take to be reached.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);
