//! Which helm is accepted, and what is learned of an engine without a cluster.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use insta::assert_snapshot;
use shopwright_ports::releases::{ReleaseError, Releases};
use shopwright_ports::testing::engines;
use shopwright_ports::testing::releases_contract::example_spec;

use crate::world::{World, fence};

fn in_words(world: &World, error: &ReleaseError) -> String {
    assert!(matches!(error, ReleaseError::Unavailable(_)), "{error:?}");
    error.to_string().replace(world.path("").to_str().unwrap(), "ROOT/")
}

#[tokio::test]
async fn helm_3_is_refused() {
    let world = World::new("record 1 deployed");
    fs::write(world.path("version"), "v3.19.0\n").unwrap();

    let error = world.releases().install(&fence(), &example_spec(&fence().store_id)).await.unwrap_err();

    assert_snapshot!(in_words(&world, &error), @"helm cannot be run: ROOT/helm is helm v3.19.0, and only helm 4 is supported: install it or set HELM_BIN");
    assert_eq!(world.calls(), 0);
}

#[tokio::test]
async fn a_missing_helm_is_named_and_found_once_it_is_there() {
    let world = World::new("");
    let link = fs::read_link(world.path("helm")).unwrap();
    fs::remove_file(world.path("helm")).unwrap();
    let releases = world.releases();

    let error = releases.helm().await.unwrap_err();
    assert_snapshot!(in_words(&world, &error), @"helm cannot be run: helm 4 was not found at ROOT/helm: install it or set HELM_BIN");

    symlink(link, world.path("helm")).unwrap();
    assert_eq!(releases.helm().await.unwrap().version, "v4.3.1");
}

#[tokio::test]
async fn a_helm_that_was_replaced_meanwhile_is_refused() {
    let world = World::new("");
    let releases = world.releases();
    releases.helm().await.unwrap();

    // By another process, so that this one never has an executable open for writing.
    let copied = Command::new("cp").arg("--remove-destination").arg(world.path("helm")).arg(world.path("new")).status();
    assert!(copied.unwrap().success());
    fs::rename(world.path("new"), world.path("helm")).unwrap();

    assert_snapshot!(in_words(&world, &releases.helm().await.unwrap_err()), @"helm cannot be run: ROOT/helm was replaced since this process started: restart it to use the new one");
}

#[tokio::test]
async fn an_engine_is_judged_by_its_chart_alone() {
    let world = World::new("exit 1");
    let releases = world.releases();
    assert_eq!(releases.engine_note(&engines::woocommerce_descriptor()).await.unwrap(), None);

    fs::write(world.path("charts/woocommerce/values-local.yaml"), "wordpress: {bare: true}").unwrap();
    assert!(matches!(releases.engine_note(&engines::woocommerce_descriptor()).await, Err(ReleaseError::Chart(_))));

    fs::remove_dir_all(world.path("charts/medusa")).unwrap();
    assert!(matches!(releases.engine_note(&engines::medusa_descriptor()).await, Err(ReleaseError::Chart(_))));
}
