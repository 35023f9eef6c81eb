//! What is told about clusters that cannot be used: no cluster is needed for it.

#![expect(clippy::unwrap_used, reason = "what helps a test fails like one")]

use std::path::PathBuf;

use shopwright_adapters_k8s::{ConnectError, KubeCluster, KubeSettings, KubeSource};
use shopwright_ports::cluster::Cluster;

struct File {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

fn file(content: &str) -> File {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config");
    std::fs::write(&path, content).unwrap();
    File { _directory: directory, path }
}

fn kubeconfig(server: &str) -> File {
    file(&format!(
        "{{apiVersion: v1, kind: Config, clusters: [{{name: c, cluster: {{server: '{server}'}}}}], \
         users: [{{name: u, user: {{token: sesame}}}}], contexts: [{{name: one, context: {{cluster: c, user: u}}}}]}}"
    ))
}

fn settings(file: &File, context: &str) -> KubeSettings {
    KubeSettings::new(KubeSource::Kubeconfig { path: file.path.clone(), context: context.to_owned() })
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let source = KubeSource::Kubeconfig { path: "/nowhere/config".into(), context: "x".to_owned() };

    let error = KubeCluster::connect(KubeSettings::new(source)).await.unwrap_err();

    assert!(error.to_string().contains("/nowhere/config") && error.to_string().contains("KUBECONFIG"), "{error}");
}

#[tokio::test]
async fn a_damaged_file_is_not_quoted() {
    let file = file("users: [{name: u, user: {token: sesame}");

    let error = KubeCluster::connect(settings(&file, "one")).await.unwrap_err();

    assert!(matches!(error, ConnectError::Kubeconfig { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("sesame"));
}

#[tokio::test]
async fn an_unknown_context_is_answered_with_the_known_ones() {
    let file = kubeconfig("https://127.0.0.1:1");

    let error = KubeCluster::connect(settings(&file, "two")).await.unwrap_err();

    assert!(error.to_string().contains("no context `two`; set KUBE_CONTEXT to one of: one"), "{error}");
}

#[tokio::test]
async fn a_cluster_that_is_down_can_be_connected_to_and_is_an_outage() {
    let file = kubeconfig("http://127.0.0.1:1");
    let cluster = KubeCluster::connect(settings(&file, "one")).await.unwrap();

    let check = cluster.check().await.unwrap_err();

    assert!(check.is_outage(), "{check:?}");
    assert!(!format!("{check} {check:?} {cluster:?}").contains("sesame"));
}

#[tokio::test]
async fn outside_a_cluster_there_is_no_service_account() {
    let error = KubeCluster::connect(KubeSettings::new(KubeSource::InCluster)).await.unwrap_err();

    assert!(error.to_string().contains("set KUBECONFIG and KUBE_CONTEXT"), "{error}");
}
