//! What keeps a store from being gone, and what may stay.

use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolume};
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;
use shopwright_ports::cluster::{Cluster, Fence, Removal};
use shopwright_ports::testing::cluster_contract;

use crate::support::{Bed, bed};

async fn volume(bed: &Bed, fence: &Fence, policy: &str) -> String {
    let name = format!("{}-{}", fence.store_id, policy.to_lowercase());
    let volume = serde_json::from_value(json!({
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": policy,
            "storageClassName": "by-hand",
            "csi": {"driver": "none.example.test", "volumeHandle": name},
            "claimRef": {"namespace": fence.store_id.namespace(), "name": "data"},
        },
    }));
    Api::<PersistentVolume>::all(bed.admin.clone()).create(&PostParams::default(), &volume.unwrap()).await.unwrap();
    name
}

#[tokio::test]
async fn a_namespace_that_is_held_is_blocked_with_the_holders_name() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let maps = Api::<ConfigMap>::namespaced(bed.worker(&fence).await, fence.store_id.namespace());
    let held = serde_json::from_value(json!({"metadata": {"name": "held", "finalizers": ["example.test/holder"]}}));
    maps.create(&PostParams::default(), &held.unwrap()).await.unwrap();
    bed.cluster.delete_namespace(&fence).await.unwrap();

    let mut seen = Vec::new();
    for _ in 0..15 {
        let removal = bed.cluster.await_gone(&fence.store_id, Duration::from_secs(2)).await.unwrap();
        seen.push(removal);
        if matches!(seen.last(), Some(Removal::Blocked(_))) {
            break;
        }
    }

    assert_eq!(seen.first(), Some(&Removal::InProgress), "what has just begun is not blocked");
    assert!(matches!(seen.last(), Some(Removal::Blocked(why)) if why.contains("example.test/holder")), "{seen:?}");
    let free = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    Api::<ConfigMap>::namespaced(bed.admin.clone(), fence.store_id.namespace())
        .patch("held", &PatchParams::default(), &free)
        .await
        .unwrap();
    cluster_contract::remove(&bed.cluster, &fence).await;
}

#[tokio::test]
async fn volumes_that_go_are_waited_for_and_volumes_that_stay_are_named() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let (goes, stays) = (volume(&bed, &fence, "Delete").await, volume(&bed, &fence, "Retain").await);
    bed.cluster.delete_namespace(&fence).await.unwrap();

    let removal = bed.cluster.await_gone(&fence.store_id, Duration::from_secs(5)).await.unwrap();
    assert!(!matches!(removal, Removal::Gone { .. }), "{removal:?}");

    let volumes = Api::<PersistentVolume>::all(bed.admin.clone());
    volumes.delete(&goes, &DeleteParams::default()).await.unwrap();
    // Without a driver nobody else takes the cluster's own finalizer off.
    let free = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    volumes.patch(&goes, &PatchParams::default(), &free).await.unwrap();
    let removal = bed.cluster.await_gone(&fence.store_id, Duration::from_mins(1)).await.unwrap();
    assert_eq!(removal, Removal::Gone { retained: vec![stays.clone()] });
    volumes.delete(&stays, &DeleteParams::default()).await.unwrap();
}
