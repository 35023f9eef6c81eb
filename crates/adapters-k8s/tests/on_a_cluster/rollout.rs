//! Waiting for workloads: ready, not ready for a reason, and the namespace taken away meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::ResourceQuota;
use kube::api::{Api, PostParams};
use serde_json::json;
use shopwright_domain::error_code::ErrorCode;
use shopwright_domain::store::Failure;
use shopwright_ports::cluster::{Cluster, ClusterError, Fence, Rollout, SetupResult};
use shopwright_ports::testing::engines;
use tokio::time::Instant;

use crate::support::{Bed, bed};
use crate::workloads;

/// Waits in short turns, as the worker does, until the pending rollout has this reason.
async fn pending_with(bed: &Bed, fence: &Fence, code: ErrorCode) -> Failure {
    let mut last = None;
    for _ in 0..20 {
        match bed
            .cluster
            .await_workloads(&fence.store_id, engines::medusa_descriptor().readiness(), Duration::from_secs(1))
            .await
        {
            Ok(Rollout::Pending(failure)) if failure.code == code => return failure,
            other => last = Some(other),
        }
    }
    panic!("never {code}: {last:?}");
}

#[tokio::test]
async fn a_store_whose_pods_run_is_ready_and_the_wait_ends_early() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    workloads::install(&bed.worker(&fence).await, &fence.store_id, &workloads::deployment(&fence.store_id)).await;
    let began = Instant::now();

    let rollout = bed
        .cluster
        .await_workloads(&fence.store_id, engines::medusa_descriptor().readiness(), Duration::from_mins(2))
        .await;

    assert!(matches!(&rollout, Ok(Rollout::Ready(result)) if *result == SetupResult::default()), "{rollout:?}");
    assert!(began.elapsed() < Duration::from_mins(1), "{:?}", began.elapsed());
    bed.remove(&fence).await;
}

#[tokio::test]
async fn a_store_without_objects_is_pending() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;

    let failure = pending_with(&bed, &fence, ErrorCode::RolloutTimeout).await;

    assert_eq!(failure.detail, "the release's objects are not there yet");
    bed.remove(&fence).await;
}

#[tokio::test]
async fn a_pod_that_no_node_takes_is_told_in_the_schedulers_words() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let mut deployment = workloads::deployment(&fence.store_id);
    let pod = deployment.spec.as_mut().unwrap().template.spec.as_mut().unwrap();
    pod.node_selector = Some(BTreeMap::from([("no".to_owned(), "such-node".to_owned())]));
    workloads::install(&bed.worker(&fence).await, &fence.store_id, &deployment).await;

    let failure = pending_with(&bed, &fence, ErrorCode::Unschedulable).await;

    assert!(failure.detail.contains("nodes are available"), "{}", failure.detail);
    bed.remove(&fence).await;
}

#[tokio::test]
async fn a_quota_that_is_too_small_is_told() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let worker = bed.worker(&fence).await;
    let quota: ResourceQuota =
        serde_json::from_value(json!({"metadata": {"name": "store"}, "spec": {"hard": {"pods": "0"}}})).unwrap();
    Api::namespaced(worker.clone(), fence.store_id.namespace()).create(&PostParams::default(), &quota).await.unwrap();
    workloads::install(&worker, &fence.store_id, &workloads::deployment(&fence.store_id)).await;

    let failure = pending_with(&bed, &fence, ErrorCode::QuotaExceeded).await;

    assert!(failure.detail.contains("exceeded quota: store"), "{}", failure.detail);
    bed.remove(&fence).await;
}

#[tokio::test]
async fn a_wait_ends_when_the_namespace_is_taken_away() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let (cluster, store_id) = (bed.cluster.clone(), fence.store_id.clone());
    let waiting = tokio::spawn(async move {
        cluster.await_workloads(&store_id, engines::medusa_descriptor().readiness(), Duration::from_mins(2)).await
    });

    bed.remove(&fence).await;
    let ended = tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("it waits on").unwrap();

    assert!(matches!(ended, Err(ClusterError::Terminating | ClusterError::NamespaceGone)), "{ended:?}");
}
