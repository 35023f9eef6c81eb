//! How real refusals read: the texts of helm and of the API server that this adapter goes by.

use serde_json::json;
use shopwright_ports::cluster::ClusterError;
use shopwright_ports::releases::{ReleaseError, Releases};
use shopwright_ports::testing::releases_contract::{World as _, example_spec};

use crate::world::{World, at};

#[tokio::test]
async fn a_chart_that_refuses_its_values_is_the_charts_failure() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    let mut spec = example_spec(&store_id);

    spec.public_url.push_str("/broken");
    let by_template = world.releases.install(&at(&store_id, 1), &spec).await;
    assert!(
        matches!(&by_template, Err(ReleaseError::Chart(why)) if why.contains("broken on purpose")),
        "{by_template:?}"
    );

    "ftp://teashop.localhost".clone_into(&mut spec.public_url);
    let by_schema = world.releases.install(&at(&store_id, 1), &spec).await;
    assert!(matches!(&by_schema, Err(ReleaseError::Chart(why)) if why.contains("publicUrl")), "{by_schema:?}");
}

#[tokio::test]
async fn an_exceeded_quota_is_a_quota() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    let namespace = store_id.namespace();
    world.kubectl.ok(&["-n", namespace, "create", "quota", "none", "--hard=count/configmaps=0"]).await;
    let probe = ["-n", namespace, "create", "configmap", "probe", "--dry-run=server"];
    world
        .kubectl
        .until("the quota holds", &probe, |result| result.as_ref().is_err_and(|error| error.contains("exceeded quota")))
        .await;

    let result = world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await;

    assert!(matches!(result, Err(ReleaseError::Cluster(ClusterError::Quota(_)))), "{result:?}");
}

#[tokio::test]
async fn a_conflict_names_the_other_manager() {
    let Some(world) = World::start().await else { return };
    let store_id = world.new_store().await;
    world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await.unwrap();
    let theirs =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, "data": {"url": "theirs"}});
    let apply = [
        "-n",
        store_id.namespace(),
        "apply",
        "--server-side",
        "--force-conflicts",
        "--field-manager=somebody",
        "-f",
        "-",
    ];
    world.kubectl.run(&apply, &theirs.to_string()).await.unwrap();
    let mut spec = example_spec(&store_id);
    spec.public_url.push_str("/moved");

    let result = world.releases.install(&at(&store_id, 1), &spec).await;

    assert!(matches!(&result, Err(ReleaseError::Conflict { manager, .. }) if manager == "somebody"), "{result:?}");
}

#[tokio::test]
async fn a_namespace_that_is_gone_is_no_failure_of_helm() {
    let Some(world) = World::start().await else { return };
    let store_id = shopwright_domain::StoreId::from_random(0xffff_ffff);

    let result = world.releases.install(&at(&store_id, 1), &example_spec(&store_id)).await;
    assert!(matches!(result, Err(ReleaseError::Cluster(ClusterError::NamespaceGone))), "{result:?}");

    world.releases.uninstall(&at(&store_id, 1)).await.unwrap();
}
