//! A worker that somebody gave every right in the whole cluster: the fence alone keeps it within its store.

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::support::{bed, eventually, fresh, refusal};

fn of<K: serde::de::DeserializeOwned>(value: Value) -> K {
    serde_json::from_value(value).unwrap()
}

/// Findings 1, 2, 4, 5, 6c, 9e: a policy does not see the namespace on requests for namespaces themselves and for what is in none, and must
/// refuse them all the same; nor does it need a label to be looked for.
#[tokio::test]
async fn finding_1_a_worker_with_every_right_changes_nothing_outside_its_store() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let bindings = Api::<ClusterRoleBinding>::all(bed.admin.clone());
    let everything: ClusterRoleBinding = of(json!({
        "metadata": {"name": "workers-may-everything.example.test"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "shopwright-workers"}],
    }));
    bindings.create(&PostParams::default(), &everything).await.unwrap();
    let worker = bed.worker(&fence).await;
    let (namespaces, roles) = (Api::<Namespace>::all(worker.clone()), Api::<ClusterRole>::all(worker.clone()));
    let maps = |namespace: &str| Api::<ConfigMap>::namespaced(worker.clone(), namespace);
    let map: ConfigMap = of(json!({"metadata": {"name": "m"}}));
    let other = bed.raised(&bed.store().await).await;
    let own = async || maps(fence.store_id.namespace()).create(&PostParams::default(), &map).await.is_ok();
    eventually("a write in its own store's namespace", own).await;

    let create = PostParams::default();
    let (patch, params) = (Patch::Merge(json!({"metadata": {"annotations": {"x": "y"}}})), PatchParams::default());
    let owned: Namespace = of(json!({
        "metadata": {"name": fresh().namespace(), "annotations": {"shopwright.dev/epoch": "1"}},
    }));
    let raise = Patch::Merge(json!({"metadata": {"annotations": {"shopwright.dev/epoch": "1"}}}));
    let role: ClusterRole = of(json!({"metadata": {"name": "r.example.test"}, "rules": []}));
    let name = fence.store_id.namespace();
    let all = [
        ("make a namespace with its epoch", namespaces.create(&create, &owned).await.map(drop)),
        ("change its namespace", namespaces.patch(name, &params, &patch).await.map(drop)),
        ("raise its namespace", namespaces.patch(name, &params, &raise).await.map(drop)),
        ("delete its namespace", namespaces.delete(name, &DeleteParams::default()).await.map(drop)),
        ("delete another", namespaces.delete(other.store_id.namespace(), &DeleteParams::default()).await.map(drop)),
        ("make a cluster role", roles.create(&create, &role).await.map(drop)),
        ("change our own role", roles.patch("shopwright-store-worker", &params, &patch).await.map(drop)),
        ("write where no label is", maps("default").create(&create, &map).await.map(drop)),
        ("write into another epoch's store", maps(other.store_id.namespace()).create(&create, &map).await.map(drop)),
    ];
    bindings.delete("workers-may-everything.example.test", &DeleteParams::default()).await.unwrap();

    for (what, outcome) in all {
        let (code, words) = refusal(outcome);
        // The epoch's own policy may speak first.
        assert!(
            code == 403 && (words.contains("shopwright fence:") || words.contains("shopwright epoch:")),
            "{what}: {words}"
        );
    }
    bed.remove(&fence).await;
    bed.remove(&other).await;
}
