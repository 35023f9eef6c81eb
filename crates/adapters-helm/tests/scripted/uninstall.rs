//! Uninstalling: an absent release is success, and no record stays.

use std::sync::atomic::Ordering;

use insta::assert_snapshot;
use shopwright_ports::cluster::ClusterError;
use shopwright_ports::releases::{ReleaseError, Releases};

use crate::world::{FENCE_DENIAL, World, fence};

#[tokio::test]
async fn helm_is_called_without_hooks_and_without_waiting() {
    let world = World::new("rm \"$here/records/1\"");
    world.add_record(1, "deployed");

    world.releases().uninstall(&fence()).await.unwrap();

    assert_snapshot!(world.seen("argv").replace('\n', " "), @"uninstall store-000000ab -n store-000000ab --ignore-not-found --no-hooks --wait=hookOnly --debug");
    assert!(world.revisions().is_empty());
}

#[tokio::test]
async fn an_absent_release_needs_no_helm() {
    let world = World::new("exit 1");

    world.releases().uninstall(&fence()).await.unwrap();

    assert_eq!(world.calls(), 0);
}

#[tokio::test]
async fn records_that_helm_cannot_read_are_removed_too() {
    let world = World::new("rm \"$here/records/1\"");
    world.add_record(1, "deployed");
    world.add_payload(2, "torn");

    world.releases().uninstall(&fence()).await.unwrap();

    assert!(world.revisions().is_empty());
}

#[tokio::test]
async fn an_uninstallation_that_died_and_cannot_be_finished_is_left_to_the_namespace() {
    let world = World::new("echo 'Error: failed to delete release' >&2; exit 1");
    world.add_record(1, "uninstalling");

    world.releases().uninstall(&fence()).await.unwrap();

    assert_eq!(world.calls(), 1);
    assert!(world.revisions().is_empty());
}

#[tokio::test]
async fn a_first_failure_is_reported_and_keeps_the_record() {
    let world = World::new("record 1 uninstalling; echo 'Error: failed to delete release' >&2; exit 1");
    world.add_record(1, "deployed");

    let error = world.releases().uninstall(&fence()).await.unwrap_err();

    assert!(matches!(error, ReleaseError::Failed(_)));
    assert_eq!(world.revisions(), [1]);
}

#[tokio::test]
async fn a_namespace_that_is_gone_has_no_release() {
    let world = World::new("echo 'Error: namespaces \"store-000000ab\" not found' >&2; exit 1");
    world.add_record(1, "deployed");

    world.releases().uninstall(&fence()).await.unwrap();
}

/// RELIABILITY F53: helm takes a failed list for an empty one, says nothing and exits 0.
#[tokio::test]
async fn f53_exit_code_0_with_the_record_still_there_is_a_lie() {
    let world = World::new("exit 0");
    world.add_record(1, "deployed");

    let error = world.releases().uninstall(&fence()).await.unwrap_err();

    assert!(matches!(&error, ReleaseError::Lied(what) if what.contains(".v1")), "{error:?}");
    assert_eq!(world.revisions(), [1], "the record says what is there");
}

/// RELIABILITY F48: what any record names and is still there is told.
#[tokio::test]
async fn f48_objects_that_stay_are_named() {
    let manifest = |name: &str| format!(r"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n");
    let world = World::new("rm \"$here/records/\"*");
    for (revision, name) in [(1, "old"), (2, "gone"), (3, "new")] {
        world.add_manifest(revision, &manifest(name));
    }
    world.access.lost.lock().unwrap().push("gone".to_owned());

    let uninstalled = world.releases().uninstall(&fence()).await.unwrap();

    let left: Vec<_> = uninstalled.left.iter().map(ToString::to_string).collect();
    assert_eq!(left, ["Service new", "Service old"]);
}

#[tokio::test]
async fn records_that_stay_are_a_lie_and_an_outage_is_an_outage() {
    let world = World::new("true");
    world.add_record(1, "deployed");
    world.access.records_come_back.store(true, Ordering::Relaxed);
    assert!(matches!(world.releases().uninstall(&fence()).await, Err(ReleaseError::Lied(_))));

    world.access.unreachable.store(true, Ordering::Relaxed);
    let error = world.releases().uninstall(&fence()).await.unwrap_err();
    assert!(matches!(error, ReleaseError::Cluster(ClusterError::Unreachable { .. })));
}

#[tokio::test]
async fn a_refusal_of_the_fence_is_found_in_the_log_where_helm_hides_it() {
    let said = format!("level=DEBUG msg=x error=\"denied: {FENCE_DENIAL} stale\"\\nError: failed to delete release");
    let world = World::new(&format!("printf '{said}' >&2; exit 1"));
    world.add_record(1, "deployed");

    let error = world.releases().uninstall(&fence()).await.unwrap_err();

    assert!(matches!(error, ReleaseError::Cluster(ClusterError::StaleEpoch { .. })), "{error:?}");
}
