//! Stores on a real cluster, fenced by a small policy of this harness, with a tiny chart.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::BuildHasher;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use secrecy::SecretString;
use serde_json::{Value, json};
use shopwright_adapters_helm::{HelmReleases, HelmSettings};
use shopwright_domain::{Epoch, StoreId};
use shopwright_ports::cluster::{ClusterError, Fence};
use shopwright_ports::releases::{ReleaseAccess, ReleaseRecord, Releases};
use shopwright_ports::testing::releases_contract;
use tempfile::TempDir;

use crate::kubectl::Kubectl;

const FENCE_DENIAL: &str = "helm-test fence:";
const WORKER: &str = "helm-test-worker";
const WORKERS: &str = "helm-test-workers";
const EPOCH: &str = "helm-test/epoch";

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
"#;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) releases: Arc<HelmReleases>,
    pub(crate) kubectl: Kubectl,
    stores: Mutex<Vec<StoreId>>,
    _root: TempDir,
}

impl World {
    /// None where there is no cluster to run on.
    pub(crate) async fn start() -> Option<Self> {
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

        kubectl.apply(&json!({"apiVersion": "v1", "kind": "List", "items": policies()})).await;
        let access = Arc::new(AdminAccess(kubectl.clone()));
        let settings =
            HelmSettings::new(helm_bin, root.path().join("charts"), root.path().join("scratch"), FENCE_DENIAL);
        let releases = Arc::new(HelmReleases::new(settings, access).unwrap());
        Some(Self { releases, kubectl, stores: Mutex::default(), _root: root })
    }

    /// The records of the store's release as helm wrote them, oldest first.
    pub(crate) async fn releases_of(&self, store_id: &StoreId) -> Vec<Value> {
        let records = AdminAccess(self.kubectl.clone()).records(&at(store_id, 0)).await.unwrap();
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
}

impl Drop for World {
    fn drop(&mut self) {
        let stores = self.stores.lock().unwrap();
        if !stores.is_empty() {
            let mut delete = Command::new("kubectl");
            delete.arg("--kubeconfig").arg(&self.kubectl.kubeconfig).args(["delete", "namespace", "--wait=false"]);
            let _ = delete.args(stores.iter().map(StoreId::as_str)).output();
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
        self.kubectl.ok(&["create", "namespace", store_id.namespace()]).await;
        self.raise_epoch(&at(&store_id, 1)).await;
        store_id
    }

    async fn raise_epoch(&self, fence: &Fence) {
        let namespace = fence.store_id.namespace();
        let epoch = format!("{EPOCH}={}", fence.epoch);
        self.kubectl.ok(&["annotate", "--overwrite", "namespace", namespace, &epoch]).await;
        let probe = ["-n", namespace, "create", "configmap", "probe", "--dry-run=server", "--as", WORKER];
        let claims = |extra: &str| [&probe[..], &["--as-group", WORKERS, "--as-user-extra", extra]].concat().join(" ");
        let old = claims(&format!("{EPOCH}={}", fence.epoch.0 - 1));
        let new = claims(&epoch);
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for (what, call, accepted) in [("the new epoch is accepted", new, true), ("the old one is not", old, false)] {
            let call = words(&call);
            let call: Vec<&str> = call.iter().map(String::as_str).collect();
            self.kubectl
                .until(what, &call, |result| match result {
                    Ok(_) => accepted,
                    Err(error) => !accepted && error.contains(FENCE_DENIAL),
                })
                .await;
        }
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

/// A fence as the product's, reduced to what this adapter can notice of it.
fn policies() -> Vec<Value> {
    let epoch = format!(
        "has(namespaceObject.metadata.annotations) && '{EPOCH}' in namespaceObject.metadata.annotations && \
         request.userInfo.extra['{EPOCH}'][0] == namespaceObject.metadata.annotations['{EPOCH}']"
    );
    let everything = json!([{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"]}]);
    let policy = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "helm-test-fence"},
        "spec": {"failurePolicy": "Fail", "matchConstraints": {"resourceRules": everything},
            "matchConditions": [{"name": "worker", "expression": format!("request.userInfo.username == '{WORKER}'")}],
            "validations": [{"expression": epoch, "message": format!("{FENCE_DENIAL} stale epoch"), "reason": "Forbidden"}]}});
    let binding = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "helm-test-fence"}, "spec": {"policyName": "helm-test-fence", "validationActions": ["Deny"]}});
    let rights = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": WORKERS},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": WORKERS}]});
    vec![policy, binding, rights]
}

pub(crate) fn decode(payload: &[u8]) -> Value {
    let mut text = String::new();
    GzDecoder::new(BASE64.decode(payload).unwrap().as_slice()).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn encode(release: &Value) -> String {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(release.to_string().as_bytes()).unwrap();
    BASE64.encode(gzip.finish().unwrap())
}

/// Everything as the administrator, but helm itself as the worker.
#[derive(Debug)]
struct AdminAccess(Kubectl);

#[async_trait]
impl ReleaseAccess for AdminAccess {
    async fn kubeconfig(&self, fence: &Fence) -> Result<SecretString, ClusterError> {
        let mut config = self.0.json(&["config", "view", "--raw", "--flatten"]).await;
        let user = &mut config["users"][0]["user"];
        user["as"] = json!(WORKER);
        user["as-groups"] = json!([WORKERS]);
        user["as-user-extra"] = json!({EPOCH: [fence.epoch.to_string()]});
        Ok(config.to_string().into())
    }

    async fn records(&self, fence: &Fence) -> Result<Vec<ReleaseRecord>, ClusterError> {
        let selector = format!("owner=helm,name={}", fence.store_id.release());
        let secrets = self.0.json(&["-n", fence.store_id.namespace(), "get", "secrets", "-l", &selector]).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut records: Vec<_> = secrets["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|secret| ReleaseRecord {
                name: text(&secret["metadata"]["name"]),
                revision: secret["metadata"]["labels"]["version"].as_str().unwrap().parse().unwrap(),
                uid: text(&secret["metadata"]["uid"]),
                resource_version: text(&secret["metadata"]["resourceVersion"]),
                payload: BASE64.decode(secret["data"]["release"].as_str().unwrap()).unwrap(),
            })
            .collect();
        records.sort_by_key(|record| record.revision);
        Ok(records)
    }

    async fn remove_record(&self, fence: &Fence, record: &ReleaseRecord) -> Result<(), ClusterError> {
        let path = format!("/api/v1/namespaces/{}/secrets/{}", fence.store_id.namespace(), record.name);
        let preconditions = json!({"uid": record.uid, "resourceVersion": record.resource_version});
        let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions});
        let deleted = self.0.run(&["delete", "--raw", &path, "-f", "-"], &options.to_string()).await;
        deleted.map(|_| ()).map_err(ClusterError::Rejected)
    }
}

/// How long a level may take to be reached.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);
