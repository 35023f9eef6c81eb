//! Helm's records, as the helm adapter reads and removes them.

use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::json;
use shopwright_domain::Epoch;
use shopwright_ports::cluster::{ClusterError, Fence};
use shopwright_ports::releases::ReleaseAccess;

use crate::support::{bed, fresh};

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
