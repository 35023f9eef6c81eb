//! A prepared cluster, the service account on it, and stores that are removed again.

use std::hash::{BuildHasher, Hasher};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::Client;
use kube::api::{Api, PostParams};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use shopwright_adapters_k8s::{KubeCluster, KubeSettings, KubeSource, prepare};
use shopwright_domain::{Epoch, StoreId};
use shopwright_ports::cluster::{Cluster, Fence, NamespaceState};
use shopwright_ports::releases::ReleaseAccess;
use shopwright_ports::secrets::StoreCredentials;
use shopwright_ports::testing::engines;

pub(crate) struct Bed {
    /// The product's own account.
    pub(crate) cluster: KubeCluster,
    /// An administrator, for arranging what the product cannot do.
    pub(crate) admin: Client,
    pub(crate) admin_settings: KubeSettings,
    directory: tempfile::TempDir,
}

/// The test bed, or `None` (and loud words) where there is no cluster.
pub(crate) async fn bed() -> Option<Bed> {
    let Ok(path) = std::env::var("SHOPWRIGHT_TEST_ADMIN_KUBECONFIG") else {
        assert!(
            std::env::var("SHOPWRIGHT_REQUIRE_TIERS").as_deref() != Ok("all"),
            "all tiers are required, and SHOPWRIGHT_TEST_ADMIN_KUBECONFIG is not set"
        );
        eprintln!("LEFT OUT: no cluster. Set SHOPWRIGHT_TEST_ADMIN_KUBECONFIG to run the adapter on a real apiserver.");
        return None;
    };
    let path = PathBuf::from(path);
    let context = Kubeconfig::read_from(&path).unwrap().current_context.expect("a current context");
    let admin_settings = KubeSettings::new(KubeSource::Kubeconfig { path: path.clone(), context });
    prepare::prepare(&admin_settings).await.expect("the cluster can be prepared");
    let text = prepare::service_account_kubeconfig(&admin_settings, Duration::from_hours(1)).await.expect("a token");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("kubeconfig");
    std::fs::write(&file, text.expose_secret()).unwrap();
    let source = KubeSource::Kubeconfig { path: file, context: "shopwright".to_owned() };
    let cluster = KubeCluster::connect(KubeSettings::new(source)).await.expect("the service account can connect");
    let admin = client(Kubeconfig::read_from(&path).unwrap()).await;
    Some(Bed { cluster, admin, admin_settings, directory })
}

/// The product's own account with another kubeconfig than the usual one.
async fn account(bed: &Bed, timeout: Duration, change: impl FnOnce(&mut Kubeconfig)) -> KubeCluster {
    let text =
        prepare::service_account_kubeconfig(&bed.admin_settings, Duration::from_hours(1)).await.expect("a token");
    let mut file = Kubeconfig::from_yaml(text.expose_secret()).unwrap();
    change(&mut file);
    let path = bed.directory.path().join(format!("kubeconfig-{}", fresh()));
    std::fs::write(&path, serde_json::to_vec(&file).unwrap()).unwrap();
    let source = KubeSource::Kubeconfig { path, context: "shopwright".to_owned() };
    let settings = KubeSettings { timeout, ..KubeSettings::new(source) };
    KubeCluster::connect(settings).await.expect("the service account can connect")
}

/// At this address: a fault proxy's.
pub(crate) async fn cluster_at(bed: &Bed, address: SocketAddr, timeout: Duration) -> KubeCluster {
    let redirect = |file: &mut Kubeconfig| {
        let cluster = file.clusters[0].cluster.as_mut().unwrap();
        cluster.server = Some(format!("http://{address}"));
        cluster.certificate_authority_data = None;
    };
    account(bed, timeout, redirect).await
}

/// With calls that give up after `timeout`.
pub(crate) async fn impatient(bed: &Bed, timeout: Duration) -> KubeCluster {
    account(bed, timeout, |_| ()).await
}

/// With this token instead of its own.
pub(crate) async fn with_token(bed: &Bed, token: &str) -> KubeCluster {
    let replace = |file: &mut Kubeconfig| {
        file.auth_infos[0].auth_info.as_mut().unwrap().token = Some(token.to_owned().into());
    };
    account(bed, Duration::from_secs(10), replace).await
}

/// Credentials of which only the password matters.
pub(crate) fn credentials(password: &str) -> StoreCredentials {
    StoreCredentials {
        admin_email: "owner@example.test".to_owned(),
        admin_username: "owner".to_owned(),
        admin_password: password.into(),
        database_password: "db".into(),
        database_root_password: "root".into(),
        app_secret: "app".into(),
        session_secret: "session".into(),
        database_password_before: None,
    }
}

async fn client(file: Kubeconfig) -> Client {
    let mut config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.unwrap();
    config.default_retry = false;
    Client::try_from(config).unwrap()
}

/// A client of what is in a kubeconfig.
pub(crate) async fn client_of(text: &SecretString) -> Client {
    client(Kubeconfig::from_yaml(text.expose_secret()).unwrap()).await
}

/// An id that no other test has.
pub(crate) fn fresh() -> StoreId {
    let bits = std::hash::RandomState::new().build_hasher().finish();
    StoreId::from_random(u32::try_from(bits >> 32).unwrap())
}

impl Bed {
    /// A store with a namespace of epoch 1.
    pub(crate) async fn store(&self) -> Fence {
        let fence = Fence { store_id: fresh(), epoch: Epoch(1) };
        self.cluster.ensure_namespace(&fence, &engines::medusa()).await.expect("a namespace");
        fence
    }

    /// Raises the store's epoch by one; the fence holds afterwards.
    pub(crate) async fn raised(&self, fence: &Fence) -> Fence {
        let next = Fence { store_id: fence.store_id.clone(), epoch: fence.epoch.next() };
        let state = self.cluster.raise_epoch(&next).await.expect("a raised epoch");
        assert_eq!(state, NamespaceState::Present);
        next
    }

    /// Gives the workers every right in the store's namespace, so that only the fence is left to refuse them.
    pub(crate) async fn lift_rights(&self, fence: &Fence) {
        let binding: RoleBinding = serde_json::from_value(json!({
            "metadata": {"name": "everything"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "shopwright-workers"}],
        }))
        .unwrap();
        let bindings = Api::<RoleBinding>::namespaced(self.admin.clone(), fence.store_id.namespace());
        bindings.create(&PostParams::default(), &binding).await.unwrap();
    }

    /// A client that is the product's own account.
    pub(crate) async fn base(&self) -> Client {
        let lifetime = Duration::from_hours(1);
        client_of(&prepare::service_account_kubeconfig(&self.admin_settings, lifetime).await.expect("a token")).await
    }

    /// A client that acts as helm would under this fence.
    pub(crate) async fn worker(&self, fence: &Fence) -> Client {
        client_of(&self.cluster.kubeconfig(fence).await.expect("a kubeconfig")).await
    }

    /// Asks for the store's removal. Nobody waits for it: ids are never used twice.
    pub(crate) async fn remove(&self, fence: &Fence) {
        self.cluster.delete_namespace(fence).await.expect("the store's removal");
    }
}

/// The code and words of a refusal.
#[track_caller]
pub(crate) fn refusal<T: std::fmt::Debug>(outcome: Result<T, kube::Error>) -> (u16, String) {
    match outcome.unwrap_err() {
        kube::Error::Api(status) => (status.code, status.message),
        other => panic!("{other:?}"),
    }
}

/// Waits until `condition` holds, at most 30 s.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what} did not come true within 30 s");
}
