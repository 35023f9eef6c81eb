//! What helm leaves behind when it is killed or lied to, and how the next run goes on (RELIABILITY E1, E2, E5, E6).

use std::sync::Arc;

use serde_json::json;
use shopwright_ports::cluster::Fence;
use shopwright_ports::releases::{ReleaseError, ReleaseSpec, Releases};
use shopwright_ports::testing::releases_contract::{World as _, example_spec};

use crate::hold::Hold;
use crate::world::{World, at};

/// Installs until helm has come to the `ConfigMap`, and kills it there.
async fn install_and_kill(world: &World, fence: &Fence, spec: &ReleaseSpec) {
    let hold = Hold::start(&world.kubectl, &fence.store_id).await;
    let before = hold.arrivals();
    let (releases, fence, spec) = (Arc::clone(&world.releases), fence.clone(), spec.clone());
    let run = tokio::spawn(async move { releases.install(&fence, &spec).await });
    hold.next_arrival(before).await;
    run.abort();
    assert!(run.await.unwrap_err().is_cancelled());
    hold.release().await;
}

#[tokio::test]
async fn a_release_whose_installation_was_killed_is_installed_on_what_is_there() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    install_and_kill(&world, &at(&store_id, 1), &example_spec(&store_id)).await;
    assert_eq!(world.statuses(&store_id).await, ["pending-install"]);
    let account = world.uid(&store_id, "serviceaccount/store").await;

    world.raise_epoch(&at(&store_id, 2)).await;
    let installed = world.releases.install(&at(&store_id, 2), &example_spec(&store_id)).await.unwrap();

    assert_eq!(installed.healed, ["revision 1: pending-install"]);
    assert_eq!(world.statuses(&store_id).await, ["deployed"]);
    assert_eq!(world.uid(&store_id, "serviceaccount/store").await, account, "objects are adopted");
}

#[tokio::test]
async fn a_release_whose_upgrade_was_killed_is_upgraded() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    let mut spec = example_spec(&store_id);
    world.releases.install(&at(&store_id, 1), &spec).await.unwrap();
    let config = world.uid(&store_id, "configmap/web").await;
    spec.public_url.push_str("/moved");
    install_and_kill(&world, &at(&store_id, 1), &spec).await;
    assert_eq!(world.statuses(&store_id).await, ["deployed", "pending-upgrade"]);

    let installed = world.releases.install(&at(&store_id, 1), &spec).await.unwrap();

    assert_eq!(installed.revision, 2);
    assert_eq!(installed.healed, ["revision 2: pending-upgrade"]);
    assert_eq!(world.statuses(&store_id).await, ["superseded", "deployed"]);
    assert_eq!(world.uid(&store_id, "configmap/web").await, config);
    let config = world.kubectl.json(&["-n", store_id.namespace(), "get", "configmap/web"]).await;
    assert_eq!(config["data"]["url"], json!(spec.public_url));
}

#[tokio::test]
async fn an_uninstallation_that_was_killed_is_finished() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    let fence = at(&store_id, 1);
    world.releases.install(&fence, &example_spec(&store_id)).await.unwrap();
    let hold = Hold::start(&world.kubectl, &store_id).await;
    let before = hold.arrivals();
    let releases = Arc::clone(&world.releases);
    let run = tokio::spawn({
        let fence = fence.clone();
        async move { releases.uninstall(&fence).await }
    });
    hold.next_arrival(before).await;
    run.abort();
    assert!(run.await.unwrap_err().is_cancelled());
    hold.release().await;
    assert_eq!(world.statuses(&store_id).await, ["uninstalling"]);

    world.releases.uninstall(&fence).await.unwrap();

    assert!(world.statuses(&store_id).await.is_empty());
    let left = [
        "-n",
        store_id.namespace(),
        "get",
        "configmap/web",
        "deployment/web",
        "serviceaccount/store",
        "--ignore-not-found",
    ];
    assert_eq!(world.kubectl.ok(&left).await, "", "objects are left");
}

#[tokio::test]
async fn a_record_that_could_not_be_written_is_a_lie_that_the_next_run_heals() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    let namespace = store_id.namespace();
    let policy = format!("helm-test-no-record-{store_id}");
    let probe = json!({"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
        "metadata": {"name": "probe", "namespace": namespace}});
    world.kubectl.apply(&probe).await;
    let touch =
        ["-n", namespace, "annotate", "--overwrite", "--dry-run=server", "secret", "probe", "helm-test/probe=1"];
    world.kubectl.apply(&no_record_updates(&policy, namespace)).await;
    world.kubectl.until("records cannot be updated", &touch, Result::is_err).await;

    let lie = world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await;

    assert!(matches!(&lie, Err(ReleaseError::Lied(what)) if what.contains("pending-install")), "{lie:?}");
    world.kubectl.ok(&["delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", &policy]).await;
    world.kubectl.until("records can be updated", &touch, Result::is_ok).await;
    let installed = world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await.unwrap();
    assert_eq!(installed.healed, ["revision 1: pending-install"]);
}

fn no_record_updates(name: &str, namespace: &str) -> serde_json::Value {
    let rules = json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["secrets"]}]);
    let selector = json!({"matchLabels": {"kubernetes.io/metadata.name": namespace}});
    let policy = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name}, "spec": {"failurePolicy": "Fail", "matchConstraints": {"resourceRules": rules},
            "validations": [{"expression": "object.type != 'helm.sh/release.v1'"}]}});
    let binding = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name}, "spec": {"policyName": name, "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": selector}}});
    json!({"apiVersion": "v1", "kind": "List", "items": [policy, binding]})
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_rebuilt() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await.unwrap();
    world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await.unwrap();
    let record = format!("sh.helm.release.v1.{store_id}.v2");
    let torn = json!({"data": {"release": "dG9ybg=="}}).to_string();
    world.kubectl.ok(&["-n", store_id.namespace(), "patch", "secret", &record, "-p", &torn]).await;

    let installed = world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await.unwrap();

    assert_eq!(installed.healed.len(), 1);
    assert!(installed.healed[0].starts_with("revision 2: unreadable"), "{:?}", installed.healed);
    assert_eq!(world.revision(&store_id).await, Some(installed.revision));
}
