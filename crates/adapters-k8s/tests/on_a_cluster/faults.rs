//! Answers that are lost, late, or say "later": what was asked for happens once, and the same call again is harmless.

use std::time::Duration;

use hyper::Method;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::ResourceExt;
use kube::api::{Api, PostParams};
use serde_json::json;
use shopwright_domain::Epoch;
use shopwright_ports::cluster::{Cluster, ClusterError, Fence, NamespaceState, Removal, Rollout};
use shopwright_ports::testing::engines;
use tokio::time::Instant;

use crate::proxy::{Proxy, Verdict};
use crate::support::{Bed, bed, credentials, fresh};

/// How long a call through the proxy may take.
const LIMIT: Duration = Duration::from_secs(2);

async fn namespace(bed: &Bed, fence: &Fence) -> Namespace {
    Api::<Namespace>::all(bed.admin.clone()).get(fence.store_id.namespace()).await.expect("the namespace")
}

#[track_caller]
fn lost(outcome: &Result<(), ClusterError>) {
    assert!(matches!(outcome, Err(error) if error.is_outage()), "{outcome:?}");
}

/// F33: whatever answer is lost, the cluster has done it once, and the repetition takes it as done.
#[tokio::test]
async fn f33_a_lost_answer_is_repeated_without_harm() {
    let Some(bed) = bed().await else { return };
    let proxy = Proxy::start(&bed).await;
    let cluster = proxy.cluster(&bed, LIMIT).await;
    let first = Fence { store_id: fresh(), epoch: Epoch(1) };
    let own = first.store_id.namespace().to_owned();

    proxy.once(Method::POST, "/namespaces", Verdict::LoseReply);
    lost(&cluster.ensure_namespace(&first, &engines::medusa()).await);
    let uid = namespace(&bed, &first).await.uid();
    proxy.once(Method::PATCH, "/rolebindings/shopwright-store-worker", Verdict::LoseReply);
    lost(&cluster.ensure_namespace(&first, &engines::medusa()).await);
    cluster.ensure_namespace(&first, &engines::medusa()).await.expect("the namespace that is there already");
    assert_eq!(namespace(&bed, &first).await.uid(), uid, "it was made once");

    let second = Fence { store_id: first.store_id.clone(), epoch: Epoch(2) };
    proxy.once(Method::PATCH, &own, Verdict::LoseReply);
    lost(&cluster.raise_epoch(&second).await.map(drop));
    assert_eq!(namespace(&bed, &first).await.annotations()["shopwright.dev/epoch"], "2");
    let raised = cluster.raise_epoch(&second).await;
    assert!(matches!(raised, Ok(NamespaceState::Present)), "{raised:?}");
    let stale = bed.cluster.put_credentials(&first, &credentials("stale")).await;
    assert!(matches!(stale, Err(ClusterError::StaleEpoch { .. })), "the barrier holds after a lost answer: {stale:?}");

    proxy.once(Method::PATCH, "/secrets/store-credentials", Verdict::LoseReply);
    lost(&cluster.put_credentials(&second, &credentials("mine")).await);
    cluster.put_credentials(&second, &credentials("mine")).await.expect("the same again");
    let secrets = Api::<Secret>::namespaced(bed.admin.clone(), &own);
    assert_eq!(secrets.get("store-credentials").await.unwrap().data.unwrap()["admin-password"].0, b"mine");

    proxy.once(Method::DELETE, &own, Verdict::LoseReply);
    lost(&cluster.delete_namespace(&second).await);
    cluster.delete_namespace(&second).await.expect("one that goes away already");
    let gone = cluster.await_gone(&second.store_id, Duration::from_mins(1)).await;
    assert!(matches!(gone, Ok(Removal::Gone { .. })), "{gone:?}");
}

/// F33: the name being there is not enough, it must be ours.
#[tokio::test]
async fn f33_after_a_lost_request_the_owner_is_read_not_assumed() {
    let Some(bed) = bed().await else { return };
    let proxy = Proxy::start(&bed).await;
    let cluster = proxy.cluster(&bed, LIMIT).await;
    let fence = Fence { store_id: fresh(), epoch: Epoch(1) };
    let held = proxy.hold(Method::POST, "/namespaces");
    let making = tokio::spawn({
        let (cluster, fence) = (cluster.clone(), fence.clone());
        async move { cluster.ensure_namespace(&fence, &engines::medusa()).await }
    });
    let mut held = held;
    held.came().await;
    let namespaces = Api::<Namespace>::all(bed.admin.clone());
    let theirs = serde_json::from_value(json!({"metadata": {"name": fence.store_id.namespace()}})).unwrap();
    namespaces.create(&PostParams::default(), &theirs).await.unwrap();

    held.go();
    let made = making.await.unwrap();

    assert!(matches!(made, Err(ClusterError::Foreign(_))), "{made:?}");
    assert!(namespace(&bed, &fence).await.labels().get("shopwright.dev/store-id").is_none());
    namespaces.delete(fence.store_id.namespace(), &kube::api::DeleteParams::default()).await.unwrap();
}

/// F37: an apiserver that has stopped in the middle of a call holds nobody up for longer than the call's own limit.
#[tokio::test]
async fn f37_every_call_to_a_frozen_apiserver_ends_by_its_own_limit() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let proxy = Proxy::start(&bed).await;
    let cluster = proxy.cluster(&bed, LIMIT).await;
    proxy.obey(|_| Verdict::Hang);

    let began = Instant::now();
    let medusa = engines::medusa();
    let engine = engines::medusa_descriptor();
    let (checked, listed, made, raised, written, awaited, deleted, gone) = tokio::join!(
        cluster.check(),
        cluster.list_namespaces(),
        cluster.ensure_namespace(&fence, &medusa),
        cluster.raise_epoch(&fence),
        async { cluster.put_credentials(&fence, &credentials("p")).await },
        cluster.await_workloads(&fence.store_id, engine.readiness(), Duration::ZERO),
        cluster.delete_namespace(&fence),
        cluster.await_gone(&fence.store_id, Duration::ZERO),
    );
    let took = began.elapsed();

    let all = [
        ("check", checked),
        ("list", listed.map(drop)),
        ("ensure", made),
        ("raise", raised.map(drop)),
        ("credentials", written),
        ("workloads", awaited.map(drop)),
        ("delete", deleted),
        ("gone", gone.map(drop)),
    ];
    for (what, outcome) in all {
        assert!(matches!(&outcome, Err(error) if error.is_outage()), "{what}: {outcome:?}");
    }
    assert!(took >= LIMIT && took < 3 * LIMIT, "{took:?}");

    proxy.obey(|_| Verdict::Pass);
    cluster.check().await.expect("it answers again");
    bed.remove(&fence).await;
}

/// F31: the caller hears when to come back; nothing is repeated behind its back.
#[tokio::test]
async fn f31_a_throttled_call_is_made_once_and_says_when_to_come_back() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let proxy = Proxy::start(&bed).await;
    let cluster = proxy.cluster(&bed, LIMIT).await;
    let busy = || Verdict::Answer(429, Some(7), "too many requests, please try again later".to_owned());
    let own = fence.store_id.namespace().to_owned();
    let meant = own.clone();
    proxy.obey(move |call| if call.path.contains(&meant) { busy() } else { Verdict::Pass });
    proxy.take_calls();

    for (what, outcome) in [
        ("ensure", cluster.ensure_namespace(&fence, &engines::medusa()).await),
        ("raise", cluster.raise_epoch(&fence).await.map(drop)),
        ("credentials", cluster.put_credentials(&fence, &credentials("p")).await),
        ("delete", cluster.delete_namespace(&fence).await),
    ] {
        let told = matches!(&outcome, Err(ClusterError::Throttled { retry_after: Some(wait) }) if wait.as_secs() == 7);
        assert!(told, "{what}: {outcome:?}");
    }
    let calls: Vec<_> = proxy.take_calls().into_iter().filter(|call| call.path.contains(&own)).collect();
    assert_eq!(calls.len(), 4, "one for each: {calls:?}");
    bed.remove(&fence).await;
}

/// F36: everything that decides about making or removing is read from the quorum: by name, or by a list without a version to start from.
#[tokio::test]
async fn f36_no_decision_is_made_on_a_read_from_a_cache() {
    let Some(bed) = bed().await else { return };
    let proxy = Proxy::start(&bed).await;
    let cluster = proxy.cluster(&bed, LIMIT).await;
    let fence = Fence { store_id: fresh(), epoch: Epoch(1) };
    let next = Fence { store_id: fence.store_id.clone(), epoch: Epoch(2) };

    cluster.ensure_namespace(&fence, &engines::medusa()).await.unwrap();
    cluster.raise_epoch(&next).await.unwrap();
    let pending = cluster
        .await_workloads(&next.store_id, engines::medusa_descriptor().readiness(), Duration::ZERO)
        .await
        .unwrap();
    assert!(matches!(pending, Rollout::Pending(_)), "{pending:?}");
    let listed = cluster.list_namespaces().await.unwrap();
    assert!(listed.iter().any(|namespace| namespace.store_id == next.store_id));
    cluster.delete_namespace(&next).await.unwrap();
    let gone = cluster.await_gone(&next.store_id, Duration::from_mins(1)).await.unwrap();
    assert!(matches!(gone, Removal::Gone { .. }), "{gone:?}");

    let calls = proxy.take_calls();
    let reads: Vec<_> = calls.iter().filter(|call| call.method == Method::GET && !call.is_watch()).collect();
    assert!(reads.len() > 10, "{reads:?}");
    for read in &reads {
        assert!(!read.query.contains("resourceVersion"), "{read:?}");
    }
    let own = |call: &&&crate::proxy::Call| call.path.ends_with(next.store_id.namespace());
    assert!(reads.iter().filter(own).count() >= 4, "each change looks first: {reads:?}");
}
