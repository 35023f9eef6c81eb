//! Helm's records, as the helm adapter reads and removes them.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::json;
use shopwright_domain::Epoch;
use shopwright_ports::cluster::{ClusterError, Fence};
use shopwright_ports::releases::{ObjectRef, ReleaseAccess};

use crate::support::{bed, eventually, fresh};
use crate::workloads;

fn record(fence: &Fence, revision: u32) -> Secret {
    serde_json::from_value(json!({
        "metadata": {
            "name": format!("sh.helm.release.v1.{}.v{revision}", fence.store_id),
            "labels": {"owner": "helm", "name": fence.store_id.release(), "status": "pending-install", "version": revision.to_string()},
        },
        "type": "helm.sh/release.v1",
        "data": {"release": "cGF5bG9hZA=="},
    }))
    .unwrap()
}

#[tokio::test]
async fn records_are_read_in_order_and_removed_only_if_unchanged() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let secrets = Api::<Secret>::namespaced(bed.worker(&fence).await, fence.store_id.namespace());
    for revision in [10, 2] {
        secrets.create(&PostParams::default(), &record(&fence, revision)).await.unwrap();
    }

    let read = bed.cluster.records(&fence).await.unwrap();
    assert_eq!(read.iter().map(|record| record.revision).collect::<Vec<_>>(), [2, 10]);
    assert_eq!(read[0].payload, b"payload");

    let touch = Patch::Merge(json!({"metadata": {"labels": {"status": "deployed"}}}));
    secrets.patch(&read[1].name, &PatchParams::default(), &touch).await.unwrap();
    for record in &read {
        bed.cluster.remove_record(&fence, record).await.unwrap();
        bed.cluster.remove_record(&fence, record).await.unwrap();
    }
    let left = bed.cluster.records(&fence).await.unwrap();
    assert_eq!(left.iter().map(|record| record.revision).collect::<Vec<_>>(), [10], "the changed one stays");

    let new = bed.raised(&fence).await;
    let refused = bed.cluster.remove_record(&fence, &left[0]).await;
    assert!(matches!(refused, Err(ClusterError::StaleEpoch { .. })), "{refused:?}");
    bed.remove(&new).await;
}

#[tokio::test]
async fn a_store_without_a_namespace_has_no_place_for_records() {
    let Some(bed) = bed().await else { return };
    let fence = Fence { store_id: fresh(), epoch: Epoch(1) };

    let records = bed.cluster.records(&fence).await;

    assert!(matches!(records, Err(ClusterError::NamespaceGone)), "{records:?}");
}

fn object(api_version: &str, kind: &str, name: &str) -> ObjectRef {
    ObjectRef { api_version: api_version.to_owned(), kind: kind.to_owned(), name: name.to_owned() }
}

/// RELIABILITY F46, F48: what a record names is looked for, and what is on its way out counts as missing.
#[tokio::test]
async fn objects_that_are_not_there_or_are_going_away_are_missing() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let worker = bed.worker(&fence).await;
    let namespace = fence.store_id.namespace();
    let maps = Api::<ConfigMap>::namespaced(worker.clone(), namespace);
    for (name, finalizers) in [("stays", vec![]), ("goes", vec!["example.test/held"])] {
        let map = serde_json::from_value(json!({"metadata": {"name": name, "finalizers": finalizers}})).unwrap();
        maps.create(&PostParams::default(), &map).await.unwrap();
    }
    maps.delete("goes", &DeleteParams::default()).await.unwrap();
    let deployments = Api::<Deployment>::namespaced(worker.clone(), namespace);
    deployments.create(&PostParams::default(), &workloads::deployment(&fence.store_id)).await.unwrap();
    // No chart has one; the API is asked what it is.
    let sets = Api::<ReplicaSet>::namespaced(worker, namespace);
    let listed = async || sets.list(&ListParams::default()).await.unwrap().items;
    eventually("a replica set", async || !listed().await.is_empty()).await;
    let set = listed().await[0].metadata.name.clone().unwrap();

    let there = [
        object("v1", "ConfigMap", "stays"),
        object("apps/v1", "Deployment", "web"),
        object("apps/v1", "ReplicaSet", &set),
    ];
    let not_there = [
        object("v1", "ConfigMap", "goes"),
        object("v1", "ConfigMap", "never"),
        object("apps/v1", "Deployment", "stays"),
        object("apps/v1", "ReplicaSet", "never"),
        object("apps/v1", "Rumour", "web"),
        object("example.test/v1", "Rumour", "web"),
    ];
    let missing = bed.cluster.missing(&fence, &[&there[..], &not_there[..]].concat()).await.unwrap();
    assert_eq!(missing, not_there);

    let free = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    maps.patch("goes", &PatchParams::default(), &free).await.unwrap();
    bed.remove(&fence).await;
    let nowhere = Fence { store_id: fresh(), epoch: Epoch(1) };
    assert_eq!(bed.cluster.missing(&nowhere, &there).await.unwrap(), there, "without a namespace all are missing");
}
