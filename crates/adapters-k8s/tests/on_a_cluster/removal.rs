//! What keeps a store from being gone, and what may stay.

use std::time::Duration;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, PersistentVolume, PersistentVolumeClaim};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::json;
use shopwright_ports::cluster::{Cluster, Fence, Removal};
use shopwright_ports::testing::cluster_contract;
use tokio::time::Instant;

use crate::support::{Bed, bed, eventually};
use crate::workloads;

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

/// F55: what is held, by whom, within a minute; and nobody's finalizer is taken off to get on.
#[tokio::test]
async fn f55_a_namespace_that_is_held_is_blocked_with_the_holders_name() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let maps = Api::<ConfigMap>::namespaced(bed.worker(&fence).await, fence.store_id.namespace());
    let held = serde_json::from_value(json!({"metadata": {"name": "held", "finalizers": ["example.test/holder"]}}));
    maps.create(&PostParams::default(), &held.unwrap()).await.unwrap();
    let claim = serde_json::from_value(json!({
        "metadata": {"name": "data", "finalizers": ["example.test/backup"]},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "none", "resources": {"requests": {"storage": "1Gi"}}},
    }));
    let claims = Api::<PersistentVolumeClaim>::namespaced(bed.worker(&fence).await, fence.store_id.namespace());
    claims.create(&PostParams::default(), &claim.unwrap()).await.unwrap();
    bed.cluster.delete_namespace(&fence).await.unwrap();

    let (mut seen, began) = (Vec::new(), Instant::now());
    for _ in 0..30 {
        let removal = bed.cluster.await_gone(&fence.store_id, Duration::from_secs(2)).await.unwrap();
        seen.push(removal);
        if matches!(seen.last(), Some(Removal::Blocked(_))) {
            break;
        }
    }

    assert_eq!(seen.first(), Some(&Removal::InProgress), "what has just begun is not blocked");
    let Some(Removal::Blocked(why)) = seen.last() else { panic!("{seen:?}") };
    for words in [
        "example.test/holder",
        "configmaps. has 1",
        "PersistentVolumeClaim data has the finalizers",
        "example.test/backup",
    ] {
        assert!(why.contains(words), "{words}: {why}");
    }
    assert!(began.elapsed() < Duration::from_mins(1), "{:?}", began.elapsed());
    let (name, admin) = (fence.store_id.namespace(), bed.admin.clone());
    let maps = Api::<ConfigMap>::namespaced(admin.clone(), name);
    assert_eq!(maps.get("held").await.unwrap().finalizers(), ["example.test/holder"]);
    let spec = Api::<Namespace>::all(admin.clone()).get(name).await.unwrap().spec.unwrap();
    assert_eq!(spec.finalizers.unwrap(), ["kubernetes"]);

    let free = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    maps.patch("held", &PatchParams::default(), &free).await.unwrap();
    Api::<PersistentVolumeClaim>::namespaced(admin, name).patch("data", &PatchParams::default(), &free).await.unwrap();
    cluster_contract::remove(&bed.cluster, &fence).await;
}

/// F58, DECISIONS 16.
#[tokio::test]
async fn volumes_that_go_are_waited_for_and_volumes_that_stay_are_named() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let (goes, stays) = (volume(&bed, &fence, "Delete").await, volume(&bed, &fence, "Retain").await);
    bed.cluster.delete_namespace(&fence).await.unwrap();
    let namespaces = Api::<Namespace>::all(bed.admin.clone());
    let name = fence.store_id.namespace();
    eventually("the namespace's end", async || namespaces.get_opt(name).await.unwrap().is_none()).await;

    // Nothing is left but volumes: one of them is still to go.
    let removal = bed.cluster.await_gone(&fence.store_id, Duration::from_secs(5)).await.unwrap();
    assert!(!matches!(removal, Removal::Gone { .. }), "{removal:?}");

    let volumes = Api::<PersistentVolume>::all(bed.admin.clone());
    volumes.delete(&goes, &DeleteParams::default()).await.unwrap();
    // Without a driver the cluster's own finalizer may stay for long; its controller may also have been faster.
    let free = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    let freed = volumes.patch(&goes, &PatchParams::default(), &free).await;
    assert!(matches!(&freed, Ok(_) | Err(kube::Error::Api(_))), "{freed:?}");
    let removal = bed.cluster.await_gone(&fence.store_id, Duration::from_mins(1)).await.unwrap();
    assert_eq!(removal, Removal::Gone { retained: vec![stays.clone()] });
    volumes.delete(&stays, &DeleteParams::default()).await.unwrap();
}

/// F58: a stateful set's claim outlives it, as after `helm uninstall`; a store is gone only when its volume is.
#[tokio::test]
async fn f58_a_claim_that_outlived_its_stateful_set_goes_with_the_store_and_its_volume() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let (name, worker) = (fence.store_id.namespace(), bed.worker(&fence).await);
    let sets = Api::<StatefulSet>::namespaced(worker.clone(), name);
    sets.create(&PostParams::default(), &workloads::database_with_a_volume(&fence.store_id)).await.unwrap();
    let volumes = Api::<PersistentVolume>::all(bed.admin.clone());
    let own = async || {
        let all = volumes.list(&ListParams::default()).await.unwrap().items;
        let claimed = |volume: &PersistentVolume| volume.spec.as_ref()?.claim_ref.as_ref()?.namespace.clone();
        all.into_iter()
            .filter(|volume| claimed(volume).as_deref() == Some(name))
            .map(|it| it.name_any())
            .collect::<Vec<_>>()
    };
    eventually("a volume", async || own().await.len() == 1).await;
    sets.delete("db", &DeleteParams::default()).await.unwrap();
    let claims = Api::<PersistentVolumeClaim>::namespaced(worker, name);
    eventually("the end of the set", async || sets.get_opt("db").await.unwrap().is_none()).await;
    assert!(claims.get_opt("data-db-0").await.unwrap().is_some(), "the claim stays");

    bed.cluster.delete_namespace(&fence).await.unwrap();
    let removal = bed.cluster.await_gone(&fence.store_id, Duration::from_mins(2)).await.unwrap();

    assert_eq!(removal, Removal::Gone { retained: vec![] });
    assert_eq!(own().await, Vec::<String>::new());
}
