//! What stale and foreign workers try, request by request: the findings that the form of the policies answers (DECISIONS 4), by number.
//!
//! The worker gets every right in the namespace first, so that only the fence is left to refuse.

use hyper::{Method, Request};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod};
use kube::Client;
use kube::api::{Api, DeleteParams, PostParams};
use serde_json::{Value, json};
use shopwright_domain::Epoch;
use shopwright_ports::cluster::{Cluster, ClusterError, Fence};

use crate::support::{bed, credentials, eventually, refusal};
use crate::workloads;

const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

async fn send(client: &Client, method: &Method, path: &str, kind: &str, body: &Value) -> Result<String, kube::Error> {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let request = Request::builder().method(method).uri(path).header("content-type", kind).body(body).unwrap();
    client.request_text(request).await
}

/// E14, E4, F3; findings 6, 6b, 9d: no verb and no subresource is left open to a worker whose claim is over.
#[tokio::test]
async fn finding_6_no_subresource_is_open_to_a_stale_worker() {
    let Some(bed) = bed().await else { return };
    let old = bed.store().await;
    let name = old.store_id.namespace();
    bed.lift_rights(&old).await;
    let worker = bed.worker(&old).await;
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "p"},
        "spec": workloads::job(&old.store_id).spec.unwrap().template.spec.unwrap(),
    }))
    .unwrap();
    let pods = Api::<Pod>::namespaced(worker.clone(), name);
    let made = async || pods.create(&PostParams::default(), &pod).await.is_ok();
    eventually("a pod made by the current worker", made).await;
    Api::namespaced(worker.clone(), name)
        .create(&PostParams::default(), &workloads::deployment(&old.store_id))
        .await
        .expect("a deployment");
    let new = bed.raised(&old).await;

    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p", "namespace": name}});
    let status = json!({"status": {"conditions": [{"type": "X", "status": "True"}]}});
    let token = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": ["x"]}});
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}});
    let binding = json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "p"}, "target": {"name": "n"}});
    let replicas = json!({"spec": {"replicas": 3}});
    let v1 = |rest: &str| format!("/api/v1/namespaces/{name}/{rest}");
    let apps = |rest: &str| format!("/apis/apps/v1/namespaces/{name}/{rest}");
    for (method, path, kind, body) in [
        (Method::POST, v1("configmaps"), JSON, map.clone()),
        (Method::PATCH, v1("configmaps/m?fieldManager=x&force=true"), APPLY, map),
        (Method::PATCH, v1("pods/p"), MERGE, json!({"metadata": {"labels": {"a": "b"}}})),
        (Method::PATCH, v1("pods/p/status"), MERGE, status.clone()),
        (Method::POST, v1("pods/p/eviction"), JSON, eviction),
        (Method::POST, v1("pods/p/binding"), JSON, binding),
        (Method::POST, v1("pods/p/exec?command=sh"), JSON, Value::Null),
        (Method::POST, v1("pods/p/portforward"), JSON, Value::Null),
        (Method::DELETE, v1("pods/p"), JSON, Value::Null),
        (Method::DELETE, v1("pods"), JSON, Value::Null),
        (Method::POST, v1("serviceaccounts/default/token"), JSON, token),
        (Method::PATCH, apps("deployments/web/scale"), MERGE, replicas.clone()),
        (Method::PATCH, apps("deployments/web/status"), MERGE, status),
        (Method::PATCH, apps("deployments/web"), MERGE, replicas),
        (Method::DELETE, apps("deployments/web"), JSON, Value::Null),
    ] {
        let (code, words) = refusal(send(&worker, &method, &path, kind, &body).await);
        assert!(code == 403 && words.contains("shopwright fence:"), "{method} {path}: {code} {words}");
    }
    let kept = Api::<Pod>::namespaced(bed.admin.clone(), name).get("p").await.unwrap();
    assert!(kept.metadata.deletion_timestamp.is_none());
    bed.remove(&new).await;
}

/// E14: epochs of two stores may be equal. A worker of the one changes nothing in the other's namespace, whatever rights it has there.
#[tokio::test]
async fn e14_a_worker_of_another_store_is_refused_at_the_same_epoch() {
    let Some(bed) = bed().await else { return };
    let (own, other) = (bed.store().await, bed.store().await);
    bed.lift_rights(&other).await;
    let worker = bed.worker(&own).await;
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}});
    let write = async |fence: &Fence| {
        let path = format!("/api/v1/namespaces/{}/configmaps?dryRun=All", fence.store_id.namespace());
        send(&worker, &Method::POST, &path, JSON, &map).await
    };
    eventually("its own store's namespace takes it", async || write(&own).await.is_ok()).await;

    let (code, words) = refusal(write(&other).await);

    assert!(code == 403 && words.contains("shopwright fence:"), "{words}");
    bed.remove(&own).await;
    bed.remove(&other).await;
}

/// Findings 9b, 9e: only exactly one epoch, the namespace's own, is let through; a worker without one is nobody. So it is with the store.
#[tokio::test]
async fn finding_9_an_epoch_is_carried_exactly_once_and_exactly_right() {
    let Some(bed) = bed().await else { return };
    let fence = bed.raised(&bed.store().await).await;
    bed.lift_rights(&fence).await;
    let client = bed.base().await;
    let own = fence.store_id.namespace();
    let attempt = async |stores: &[&str], epochs: &[&str], group: bool| {
        let path = format!("/api/v1/namespaces/{own}/configmaps?dryRun=All");
        let mut request =
            Request::post(path).header("content-type", JSON).header("impersonate-user", "shopwright-worker");
        if group {
            request = request.header("impersonate-group", "shopwright-workers");
        }
        for store in stores {
            request = request.header("impersonate-extra-shopwright-store", *store);
        }
        for epoch in epochs {
            request = request.header("impersonate-extra-shopwright-epoch", *epoch);
        }
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}});
        client.request_text(request.body(map.to_string().into_bytes()).unwrap()).await
    };
    let current = async || attempt(&[own], &["2"], true).await.is_ok();
    eventually("the current epoch passes", current).await;

    for epochs in [&[][..], &["1"], &["3"], &["1", "2"], &["2", "2"], &["02"], &["+2"], &[""]] {
        let (code, words) = refusal(attempt(&[own], epochs, true).await);
        assert!(code == 403 && words.contains("shopwright fence:"), "{epochs:?}: {words}");
    }
    for stores in [&[][..], &["store-0badcafe"], &[own, "store-0badcafe"], &[own, own], &[""]] {
        let (code, words) = refusal(attempt(stores, &["2"], true).await);
        assert!(code == 403 && words.contains("shopwright fence:"), "{stores:?}: {words}");
    }
    let (code, words) = refusal(attempt(&[own], &["1"], false).await);
    assert_eq!(code, 403, "without its group it has no rights: {words}");
    bed.remove(&fence).await;
}

/// Finding 9g: the fence is for the product's workers alone; people keep their rights.
#[tokio::test]
async fn finding_9g_an_administrator_still_removes_a_stores_namespace() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let namespaces = Api::<Namespace>::all(bed.admin.clone());

    namespaces.delete(fence.store_id.namespace(), &DeleteParams::default()).await.expect("an administrator may");

    let raised = bed.cluster.raise_epoch(&Fence { epoch: Epoch(2), ..fence }).await;
    assert!(raised.is_ok(), "{raised:?}");
}

/// Finding 9h, F57: in a namespace that goes away nothing new is made, the current owner is told why, and the name is not taken.
#[tokio::test]
async fn finding_9h_f57_a_namespace_that_goes_away_takes_nothing_new() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let held: ConfigMap =
        serde_json::from_value(json!({"metadata": {"name": "held", "finalizers": ["example.test/held"]}})).unwrap();
    let maps = Api::<ConfigMap>::namespaced(bed.admin.clone(), fence.store_id.namespace());
    maps.create(&PostParams::default(), &held).await.unwrap();
    bed.cluster.delete_namespace(&fence).await.unwrap();

    let written = bed.cluster.put_credentials(&fence, &credentials("p")).await;
    let made = bed.cluster.ensure_namespace(&fence, &shopwright_ports::testing::engines::medusa()).await;

    assert!(matches!(written, Err(ClusterError::Terminating)), "{written:?}");
    assert!(matches!(made, Err(ClusterError::Terminating)), "{made:?}");
    let free = kube::api::Patch::Merge(json!({"metadata": {"finalizers": null}}));
    maps.patch("held", &kube::api::PatchParams::default(), &free).await.unwrap();
}
