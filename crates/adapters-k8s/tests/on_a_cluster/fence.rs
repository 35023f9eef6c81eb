//! Stale owners change nothing, from the moment on that a later epoch was raised.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::Client;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::json;
use shopwright_domain::Epoch;
use shopwright_ports::cluster::{Cluster, ClusterError, Fence, NamespaceState};
use shopwright_ports::testing::engines;
use tokio::sync::{Barrier, watch};
use tokio::task::JoinSet;

use crate::support::{bed, eventually, fresh, refusal};
use crate::workloads;

/// How many write at once as a stale owner.
const WRITERS: usize = 6;

fn config_map(name: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}})).unwrap()
}

/// E4, E14, F3: what a helm that was stopped and resumed after a take-over would do.
#[tokio::test]
async fn e4_a_stale_worker_creates_changes_scales_and_deletes_nothing() {
    let Some(bed) = bed().await else { return };
    let old = bed.store().await;
    let name = old.store_id.namespace();
    let stale = bed.worker(&old).await;
    let (maps, deployments) =
        (Api::<ConfigMap>::namespaced(stale.clone(), name), Api::<Deployment>::namespaced(stale, name));
    maps.create(&PostParams::default(), &config_map("mine")).await.expect("while the epoch is ours");
    deployments.create(&PostParams::default(), &workloads::deployment(&old.store_id)).await.expect("likewise");

    bed.lift_rights(&old).await;
    let replicas = |replicas: i32| Patch::Merge(json!({"spec": {"replicas": replicas}}));
    let scaled = async || deployments.patch_scale("web", &PatchParams::default(), &replicas(2)).await.is_ok();
    eventually("scaling as the current worker", scaled).await;

    let new = bed.raised(&old).await;

    let patch = Patch::Merge(json!({"data": {"a": "b"}}));
    let all = ListParams::default();
    for (what, (code, words)) in [
        ("create", refusal(maps.create(&PostParams::default(), &config_map("later")).await)),
        ("patch", refusal(maps.patch("mine", &PatchParams::default(), &patch).await)),
        ("delete", refusal(maps.delete("mine", &DeleteParams::default()).await.map(drop))),
        ("delete all", refusal(maps.delete_collection(&DeleteParams::default(), &all).await.map(drop))),
        ("scale", refusal(deployments.patch_scale("web", &PatchParams::default(), &replicas(3)).await)),
    ] {
        assert!(code == 403 && words.contains("shopwright fence:"), "{what}: {words}");
    }
    let kept = Api::<Deployment>::namespaced(bed.admin.clone(), name).get("web").await.unwrap();
    assert_eq!(kept.spec.unwrap().replicas, Some(2));
    bed.remove(&new).await;
}

/// Writes as a stale owner's helm would, as fast as it can, until a while after `raised`; says how many writes that began after it passed.
async fn write_on(worker: Client, namespace: String, begin: Arc<Barrier>, raised: watch::Receiver<bool>) -> u32 {
    let maps = Api::<ConfigMap>::namespaced(worker, &namespace);
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    // With the connection there already, a write is quick enough to overtake an apiserver that has not heard of the new epoch yet.
    maps.create(&dry, &config_map("stale")).await.expect("while the epoch is its own");
    begin.wait().await;
    let (mut passed, mut after) = (0, 0);
    while after < 20 {
        let is_after = *raised.borrow();
        let written = maps.create(&dry, &config_map("stale")).await;
        if is_after {
            after += 1;
            passed += u32::from(written.is_ok());
        }
    }
    passed
}

/// E14, F3: fast writers, with their connections open, while the epoch is raised ten times.
#[tokio::test(flavor = "multi_thread")]
async fn e14_once_raising_returns_not_one_stale_write_passes() {
    let Some(bed) = bed().await else { return };
    let mut current = bed.store().await;
    let name = current.store_id.namespace().to_owned();

    for round in 0..10 {
        let (raised, seen) = watch::channel(false);
        let (mut writers, begin) = (JoinSet::new(), Arc::new(Barrier::new(WRITERS + 1)));
        for _ in 0..WRITERS {
            writers.spawn(write_on(bed.worker(&current).await, name.clone(), Arc::clone(&begin), seen.clone()));
        }
        begin.wait().await;

        current = bed.raised(&current).await;
        raised.send_replace(true);

        let passed: u32 = writers.join_all().await.into_iter().sum();
        assert_eq!(passed, 0, "round {round}");
        let fresh = Api::<ConfigMap>::namespaced(bed.worker(&current).await, &name);
        fresh.create(&PostParams::default(), &config_map(&format!("fresh-{round}"))).await.expect("the new owner's");
    }
    bed.remove(&current).await;
}

/// Finding 5, 9e.
#[tokio::test]
async fn finding_5_a_namespace_without_an_epoch_takes_nothing_from_a_worker() {
    let Some(bed) = bed().await else { return };
    let fence = Fence { store_id: fresh(), epoch: Epoch(1) };
    let name = fence.store_id.namespace();
    let namespaces = Api::<Namespace>::all(bed.admin.clone());
    let bare = serde_json::from_value(json!({"metadata": {"name": name}})).unwrap();
    namespaces.create(&PostParams::default(), &bare).await.unwrap();
    let binding: RoleBinding = serde_json::from_value(json!({
        "metadata": {"name": "w"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "shopwright-store-worker"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "shopwright-workers"}],
    }))
    .unwrap();
    Api::<RoleBinding>::namespaced(bed.admin.clone(), name).create(&PostParams::default(), &binding).await.unwrap();
    let maps = Api::<ConfigMap>::namespaced(bed.worker(&fence).await, name);

    // The binding takes a moment to be known; until then the refusal is of another kind.
    let refused = async || {
        let (code, words) = refusal(maps.create(&PostParams::default(), &config_map("x")).await);
        assert_eq!(code, 403, "{words}");
        words.contains("shopwright fence:")
    };
    eventually("a refusal by the fence", refused).await;

    namespaces.delete(name, &DeleteParams::default()).await.unwrap();
}

/// Finding 9f.
#[tokio::test]
async fn finding_9f_not_even_an_administrator_takes_an_epoch_back_or_the_owner_off() {
    let Some(bed) = bed().await else { return };
    let old = bed.store().await;
    let new = bed.raised(&old).await;
    let namespaces = Api::<Namespace>::all(bed.admin.clone());

    for metadata in [
        json!({"annotations": {"shopwright.dev/epoch": "1"}}),
        json!({"annotations": {"shopwright.dev/epoch": null}}),
        json!({"annotations": {"shopwright.dev/epoch": "x"}}),
        json!({"labels": {"shopwright.dev/store-id": "store-ffffffff"}}),
        json!({"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}),
    ] {
        let patch = Patch::Merge(json!({"metadata": metadata}));
        let (code, words) = refusal(namespaces.patch(new.store_id.namespace(), &PatchParams::default(), &patch).await);
        assert!(code == 403 && words.contains("shopwright epoch:"), "{metadata}: {words}");
    }
    bed.remove(&new).await;
}

#[tokio::test]
async fn a_new_owner_gets_its_rights_though_the_old_one_died_before_giving_them() {
    let Some(bed) = bed().await else { return };
    let old = bed.store().await;
    let bindings = Api::<RoleBinding>::namespaced(bed.admin.clone(), old.store_id.namespace());
    bindings.delete("shopwright-store-worker", &DeleteParams::default()).await.unwrap();

    let new = bed.raised(&old).await;

    let secrets = Api::<Secret>::namespaced(bed.worker(&new).await, new.store_id.namespace());
    secrets.list(&ListParams::default()).await.expect("the worker may read secrets here");
    bed.remove(&new).await;
}

/// F57.
#[tokio::test]
async fn a_namespace_that_goes_away_is_raised_and_told_so() {
    let Some(bed) = bed().await else { return };
    let old = bed.store().await;
    let name = old.store_id.namespace();
    let maps = Api::<ConfigMap>::namespaced(bed.admin.clone(), name);
    let held = serde_json::from_value(json!({"metadata": {"name": "held", "finalizers": ["example.test/held"]}}));
    maps.create(&PostParams::default(), &held.unwrap()).await.unwrap();
    bed.cluster.delete_namespace(&old).await.unwrap();
    let new = Fence { store_id: old.store_id.clone(), epoch: Epoch(2) };

    let raised = bed.cluster.raise_epoch(&new).await;
    let made = bed.cluster.ensure_namespace(&new, &engines::medusa()).await;
    let stale = bed.cluster.delete_namespace(&old).await;

    assert!(matches!(raised, Ok(NamespaceState::Terminating)), "{raised:?}");
    assert!(matches!(made, Err(ClusterError::Terminating)), "{made:?}");
    assert!(matches!(stale, Err(ClusterError::StaleEpoch { .. })), "{stale:?}");
    let free = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    maps.patch("held", &PatchParams::default(), &free).await.unwrap();
    bed.remove(&new).await;
}
