//! What a helm leaves that is killed in the middle, and how the next run goes on from there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use shopwright_ports::cluster::Fence;
use shopwright_ports::releases::{ReleaseError, ReleaseSpec, Releases};
use shopwright_ports::testing::releases_contract::{World as _, example_spec};

use crate::hold::{DEPLOYMENTS, Hold};
use crate::world::{OBJECTS, World, at};

/// Installs until helm has come to the Deployment, and kills it there.
async fn install_and_kill(world: &World, fence: &Fence, spec: &ReleaseSpec) {
    let hold = Hold::start(&world.kubectl, &fence.store_id, DEPLOYMENTS).await;
    let (releases, fence, spec) = (Arc::clone(&world.releases), fence.clone(), spec.clone());
    let run = hold.holds(async move { releases.install(&fence, &spec).await }).await;
    run.abort();
    assert!(run.await.unwrap_err().is_cancelled());
    hold.release().await;
}

/// RELIABILITY E1, F44: SIGKILL in an installation leaves `pending-install`, which helm refuses to work on.
#[tokio::test]
async fn e01_an_installation_that_was_killed_is_done_on_what_is_there() {
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
    assert!(world.is_whole(&store_id).await);
}

/// RELIABILITY E2, F44: SIGKILL in an upgrade; the objects stay the ones they were.
#[tokio::test]
async fn e02_an_upgrade_that_was_killed_is_done_again() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    let mut spec = example_spec(&store_id);
    world.releases.install(&at(&store_id, 1), &spec).await.unwrap();
    let web = world.uid(&store_id, "deployment/web").await;
    spec.public_url.push_str("/moved");
    install_and_kill(&world, &at(&store_id, 1), &spec).await;
    assert_eq!(world.statuses(&store_id).await, ["deployed", "pending-upgrade"]);

    let installed = world.releases.install(&at(&store_id, 1), &spec).await.unwrap();

    assert_eq!(installed.revision, 2);
    assert_eq!(installed.healed, ["revision 2: pending-upgrade"]);
    assert_eq!(world.statuses(&store_id).await, ["superseded", "deployed"]);
    assert_eq!(world.uid(&store_id, "deployment/web").await, web);
    let config = world.kubectl.json(&["-n", store_id.namespace(), "get", "configmap/web"]).await;
    assert_eq!(config["data"]["url"], json!(spec.public_url));
}

/// RELIABILITY E2, F45: with its label set to `failed`, helm still refuses the record, and so it is still removed.
#[tokio::test]
async fn e02_f45_a_record_whose_label_alone_was_edited_is_still_pending() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await.unwrap();
    world.leave_dead_run(&at(&store_id, 1)).await;
    let record = format!("sh.helm.release.v1.{store_id}.v2");
    let label = ["-n", store_id.namespace(), "label", "--overwrite", "secret", &record, "status=deployed"];
    world.kubectl.ok(&label).await;

    let installed = world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await.unwrap();

    assert_eq!(installed.healed, ["revision 2: pending-upgrade"]);
    assert_eq!(world.revision(&store_id).await, Some(installed.revision));
}

/// RELIABILITY E3: at our deadline helm is asked to end, ends, and leaves what the next run heals.
#[tokio::test]
async fn e03_an_installation_that_was_asked_to_end_is_done_again() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    let hold = Hold::start(&world.kubectl, &store_id, DEPLOYMENTS).await;
    let grace = Duration::from_mins(1);
    let impatient = world.another(|settings| {
        settings.deadline = Duration::from_secs(4);
        settings.grace = grace;
    });
    let began = Instant::now();

    let result = impatient.install(&at(&store_id, 1), &example_spec(&store_id)).await;

    assert!(matches!(result, Err(ReleaseError::Deadline(_))), "{result:?}");
    assert!(began.elapsed() < grace, "helm went at SIGTERM");
    hold.release().await;
    assert_ne!(world.statuses(&store_id).await, ["deployed"]);
    world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await.unwrap();
    assert_eq!(world.statuses(&store_id).await.last().unwrap(), "deployed");
}

/// RELIABILITY E6, F47: SIGKILL in an uninstallation leaves `uninstalling`, after which helm finds no deployed release.
#[tokio::test]
async fn e06_f47_an_uninstallation_that_was_killed_is_finished() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    let fence = at(&store_id, 1);
    world.releases.install(&fence, &example_spec(&store_id)).await.unwrap();
    uninstall_and_kill(&world, &fence).await;
    assert_eq!(world.statuses(&store_id).await, ["uninstalling"]);

    let uninstalled = world.releases.uninstall(&fence).await.unwrap();

    assert!(uninstalled.left.is_empty(), "{uninstalled:?}");
    assert!(world.statuses(&store_id).await.is_empty());
    let left = [&["-n", store_id.namespace(), "get", "--ignore-not-found"], &OBJECTS[..]].concat();
    assert_eq!(world.kubectl.ok(&left).await, "", "objects are left");
}

/// RELIABILITY E6, F47: a store that is wanted again before the uninstallation was finished.
#[tokio::test]
async fn e06_f47_what_was_being_uninstalled_can_be_installed() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    let fence = at(&store_id, 1);
    world.releases.install(&fence, &example_spec(&store_id)).await.unwrap();
    uninstall_and_kill(&world, &fence).await;

    let installed = world.releases.install(&fence, &example_spec(&store_id)).await.unwrap();

    assert_eq!(installed.healed, ["revision 1: uninstalling"]);
    assert!(world.is_whole(&store_id).await);
}

async fn uninstall_and_kill(world: &World, fence: &Fence) {
    let hold = Hold::start(&world.kubectl, &fence.store_id, DEPLOYMENTS).await;
    let (releases, fence) = (Arc::clone(&world.releases), fence.clone());
    let run = hold.holds(async move { releases.uninstall(&fence).await }).await;
    run.abort();
    assert!(run.await.unwrap_err().is_cancelled());
    hold.release().await;
}

/// RELIABILITY E6, F48: an object that a finalizer holds is no object that stays; that the store is gone is known by its namespace alone.
#[tokio::test]
async fn e06_f48_an_object_that_is_held_does_not_make_the_store_gone() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    let (fence, namespace) = (at(&store_id, 1), store_id.namespace());
    world.releases.install(&fence, &example_spec(&store_id)).await.unwrap();
    let held = json!({"metadata": {"finalizers": ["example.test/held"]}}).to_string();
    world.kubectl.ok(&["-n", namespace, "patch", "configmap/web", "--type=merge", "-p", &held]).await;

    let uninstalled = world.releases.uninstall(&fence).await.unwrap();

    assert!(uninstalled.left.is_empty(), "it goes away: {uninstalled:?}");
    assert!(world.statuses(&store_id).await.is_empty(), "helm has forgotten the release");
    let web = world.kubectl.json(&["-n", namespace, "get", "configmap/web"]).await;
    assert!(web["metadata"]["deletionTimestamp"].is_string(), "{web}");
    // Now installing finds an object that will vanish under it, and does not call that installed.
    let lie = world.releases.install(&fence, &example_spec(&store_id)).await;
    assert!(matches!(&lie, Err(ReleaseError::Lied(what)) if what.contains("ConfigMap web")), "{lie:?}");
    let free = json!({"metadata": {"finalizers": null}}).to_string();
    world.kubectl.ok(&["-n", namespace, "patch", "configmap/web", "--type=merge", "-p", &free]).await;
    world.releases.install(&fence, &example_spec(&store_id)).await.unwrap();
    assert!(world.is_whole(&store_id).await);
}

/// RELIABILITY F48: an object that helm is told to keep stays, and is named.
#[tokio::test]
async fn f48_what_an_uninstallation_leaves_is_named() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    let chart = std::fs::read_to_string(world.chart("templates/store.yaml")).unwrap();
    let kept = chart.replace("{name: store}", "{name: store, annotations: {helm.sh/resource-policy: keep}}");
    std::fs::write(world.chart("templates/store.yaml"), kept).unwrap();
    world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await.unwrap();

    let uninstalled = world.releases.uninstall(&at(&store_id, 1)).await.unwrap();

    let left: Vec<_> = uninstalled.left.iter().map(ToString::to_string).collect();
    assert_eq!(left, ["ServiceAccount store"]);
}
