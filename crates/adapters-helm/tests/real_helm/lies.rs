//! What helm says, what its record says, and what is there.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;
use shopwright_adapters_helm::HelmReleases;
use shopwright_ports::cluster::ClusterError;
use shopwright_ports::releases::{ReleaseError, Releases};
use shopwright_ports::testing::releases_contract::{World as _, example_spec};

use crate::proxy::Proxied;
use crate::world::{World, at};

/// RELIABILITY E5, F46: helm exits 0 and prints `deployed` when its last record could not be written.
#[tokio::test]
async fn e05_f46_a_record_that_could_not_be_written_is_a_lie_that_the_next_run_heals() {
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

/// RELIABILITY section 3, "Record lies": record and exit code say deployed, and an object is not there. Here a controller of somebody
/// else's removes it as soon as it is made.
#[tokio::test]
async fn f46_an_object_that_is_not_there_makes_a_deployed_record_a_lie() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    let namespace = store_id.namespace().to_owned();
    world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await.unwrap();
    // With a finalizer it goes only when it is let, and helm finds it there and calls it done.
    let held = json!({"metadata": {"finalizers": ["example.test/held"]}}).to_string();
    world.kubectl.ok(&["-n", &namespace, "patch", "deployment/web", "--type=merge", "-p", &held]).await;
    world.kubectl.ok(&["-n", &namespace, "delete", "deployment/web", "--wait=false"]).await;

    let lie = world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await;

    assert_eq!(world.statuses(&store_id).await.last().unwrap(), "deployed");
    let words = "1 of 3 objects are missing: Deployment web";
    assert!(matches!(&lie, Err(ReleaseError::Lied(what)) if what == words), "{lie:?}");
    let free = json!({"metadata": {"finalizers": null}}).to_string();
    world.kubectl.ok(&["-n", &namespace, "patch", "deployment/web", "--type=merge", "-p", &free]).await;
    world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await.unwrap();
    assert!(world.is_whole(&store_id).await);
}

/// RELIABILITY F52: helm skips a record that it cannot read, and then cannot write one of that name.
#[tokio::test]
async fn f52_a_record_that_cannot_be_read_is_rebuilt() {
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

/// RELIABILITY F45, F52: a record that lost its labels is hidden from helm, which then stumbles over its name.
#[tokio::test]
async fn f45_a_record_that_lost_its_labels_is_rebuilt() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await.unwrap();
    let record = format!("sh.helm.release.v1.{store_id}.v1");
    world.kubectl.ok(&["-n", store_id.namespace(), "label", "secret", &record, "owner-", "name-"]).await;

    let installed = world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await.unwrap();

    assert_eq!(installed.healed, ["revision 1: without its labels"]);
    assert_eq!(world.statuses(&store_id).await, ["deployed"]);
    world.releases.uninstall(&at(&store_id, 1)).await.unwrap();
    assert!(world.statuses(&store_id).await.is_empty());
}

/// RELIABILITY F53: while records cannot be listed, `helm install` calls the name free and `helm uninstall` the release absent. Neither
/// is believed, and nothing changes.
#[tokio::test]
async fn f53_records_that_cannot_be_listed_are_not_absent() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    let fence = at(&store_id, 1);
    let proxied = Arc::new(Proxied::start(&world).await);
    let releases = HelmReleases::new(world.settings.clone(), proxied.clone()).unwrap();
    releases.install(&fence, &example_spec(&store_id)).await.unwrap();
    let versions = world.versions(&store_id).await;

    proxied.failing.store(true, Ordering::SeqCst);
    let installed = releases.install(&fence, &example_spec(&store_id)).await;
    let seen = proxied.failed.load(Ordering::SeqCst);
    let uninstalled = releases.uninstall(&fence).await;

    assert!(matches!(installed, Err(ReleaseError::Cluster(ClusterError::Unreachable { .. }))), "{installed:?}");
    // Helm exits 0 without a word.
    assert!(matches!(&uninstalled, Err(ReleaseError::Lied(what)) if what.contains("still there")), "{uninstalled:?}");
    assert!(0 < seen && seen < proxied.failed.load(Ordering::SeqCst), "helm met the fault in both runs");
    assert_eq!(world.versions(&store_id).await, versions);
    proxied.failing.store(false, Ordering::SeqCst);
    assert_eq!(releases.install(&fence, &example_spec(&store_id)).await.unwrap().revision, 2);
    assert!(releases.uninstall(&fence).await.unwrap().left.is_empty());
}
