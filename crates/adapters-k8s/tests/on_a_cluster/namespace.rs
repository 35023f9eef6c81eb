//! What is written, and what is left alone.

use k8s_openapi::api::core::v1::{Namespace, ResourceQuota, Secret};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;
use shopwright_domain::{Epoch, StoreId};
use shopwright_ports::cluster::{Cluster, ClusterError, Fence};
use shopwright_ports::testing::engines;

use crate::support::{bed, credentials, eventually, fresh};

#[tokio::test]
async fn a_namespace_says_whose_it_is_and_enforces_pod_security() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;

    let namespace = Api::<Namespace>::all(bed.admin.clone()).get(fence.store_id.namespace()).await.unwrap();

    for (label, value) in [
        ("app.kubernetes.io/managed-by", "shopwright"),
        ("shopwright.dev/store-id", fence.store_id.as_str()),
        ("shopwright.dev/engine", "medusa"),
        ("shopwright.dev/cluster", "default"),
        ("pod-security.kubernetes.io/enforce", "restricted"),
    ] {
        assert_eq!(namespace.labels().get(label).map(String::as_str), Some(value), "{label}");
    }
    assert!(namespace.labels().contains_key("pod-security.kubernetes.io/enforce-version"));
    assert_eq!(namespace.annotations()["shopwright.dev/epoch"], "1");
    bed.remove(&fence).await;
}

#[tokio::test]
async fn credentials_arrive_byte_for_byte_and_the_last_ones_win() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let secrets = Api::<Secret>::namespaced(bed.worker(&fence).await, fence.store_id.namespace());
    for password in ["first", "pä$$ \"'\\\n\u{1f511}"] {
        let credentials = credentials(password);

        bed.cluster.put_credentials(&fence, &credentials).await.unwrap();

        let data = secrets.get("store-credentials").await.unwrap().data.unwrap();
        assert_eq!(data.len(), 7);
        for (key, value) in credentials.entries() {
            assert_eq!(data[key].0, value.as_bytes(), "{key}");
        }
    }
    bed.remove(&fence).await;
}

#[tokio::test]
async fn somebody_elses_namespace_is_left_alone() {
    let Some(bed) = bed().await else { return };
    let fence = Fence { store_id: fresh(), epoch: Epoch(1) };
    let namespaces = Api::<Namespace>::all(bed.admin.clone());
    let theirs = serde_json::from_value(json!({"metadata": {"name": fence.store_id.namespace()}})).unwrap();
    let theirs = namespaces.create(&PostParams::default(), &theirs).await.unwrap();

    let made = bed.cluster.ensure_namespace(&fence, &engines::medusa()).await;
    let raised = bed.cluster.raise_epoch(&fence).await;
    let deleted = bed.cluster.delete_namespace(&fence).await;

    assert!(matches!(made, Err(ClusterError::Foreign(_))), "{made:?}");
    assert!(matches!(raised, Err(ClusterError::Foreign(_))), "{raised:?}");
    assert!(matches!(deleted, Err(ClusterError::Foreign(_))), "{deleted:?}");
    let still = namespaces.get(fence.store_id.namespace()).await.unwrap();
    assert_eq!(still.labels(), theirs.labels());
    assert!(still.metadata.deletion_timestamp.is_none());
    namespaces.delete(fence.store_id.namespace(), &DeleteParams::default()).await.unwrap();
}

/// What the sweeper acts on (DECISIONS 7): a namespace without our label, or with the label of another store, is none of its business.
#[tokio::test]
async fn only_stores_own_namespaces_are_listed() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let namespaces = Api::<Namespace>::all(bed.admin.clone());
    let (bare, copied) = (fresh(), fresh());
    let labels =
        json!({"shopwright.dev/store-id": fence.store_id.as_str(), "app.kubernetes.io/managed-by": "shopwright"});
    for namespace in [
        json!({"metadata": {"name": bare.namespace()}}),
        json!({"metadata": {"name": copied.namespace(), "labels": labels}}),
    ] {
        namespaces.create(&PostParams::default(), &serde_json::from_value(namespace).unwrap()).await.unwrap();
    }

    let listed = bed.cluster.list_namespaces().await.unwrap();

    let is_listed = |store_id: &StoreId| listed.iter().any(|namespace| namespace.store_id == *store_id);
    assert!(is_listed(&fence.store_id) && !is_listed(&bare) && !is_listed(&copied), "{listed:?}");
    for store_id in [&bare, &copied] {
        namespaces.delete(store_id.namespace(), &DeleteParams::default()).await.unwrap();
    }
    bed.remove(&fence).await;
}

#[tokio::test]
async fn of_two_owners_that_race_for_a_namespace_the_later_epoch_has_it() {
    let Some(bed) = bed().await else { return };
    for _ in 0..5 {
        let store_id = fresh();
        let fences = [1, 2].map(|epoch| Fence { store_id: store_id.clone(), epoch: Epoch(epoch) });

        let medusa = engines::medusa();
        let (first, second) = tokio::join!(
            bed.cluster.ensure_namespace(&fences[0], &medusa),
            bed.cluster.ensure_namespace(&fences[1], &medusa)
        );

        assert!(matches!(first, Ok(()) | Err(ClusterError::StaleEpoch { .. })), "{first:?}");
        second.expect("the later owner");
        let namespace = Api::<Namespace>::all(bed.admin.clone()).get(store_id.namespace()).await.unwrap();
        assert_eq!(namespace.annotations()["shopwright.dev/epoch"], "2");
        bed.remove(&fences[1]).await;
    }
}

/// F41: the object that did not fit and the quota are named; it is neither a lack of rights nor a stale owner. Nothing is half there.
#[tokio::test]
async fn f41_a_quota_that_is_too_small_names_the_object() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let (name, admin) = (fence.store_id.namespace(), bed.admin.clone());
    let quota =
        serde_json::from_value(json!({"metadata": {"name": "tiny"}, "spec": {"hard": {"secrets": "0"}}})).unwrap();
    Api::<ResourceQuota>::namespaced(admin.clone(), name).create(&PostParams::default(), &quota).await.unwrap();
    let secrets = Api::<Secret>::namespaced(admin.clone(), name);
    let refused = async || {
        // Before the quota is counted for the first time it may let one through.
        let _ = secrets.delete("store-credentials", &DeleteParams::default()).await;
        matches!(bed.cluster.put_credentials(&fence, &credentials("p")).await,
            Err(ClusterError::Quota(words)) if words.contains("store-credentials") && words.contains("exceeded quota: tiny"))
    };

    eventually("a refusal by the quota", refused).await;

    assert!(secrets.get_opt("store-credentials").await.unwrap().is_none());
    Api::<ResourceQuota>::namespaced(admin, name).delete("tiny", &DeleteParams::default()).await.unwrap();
    eventually("room again", async || bed.cluster.put_credentials(&fence, &credentials("p")).await.is_ok()).await;
    bed.remove(&fence).await;
}

/// F51: the credentials are ours alone. Whoever else applied the same field does not keep it, and is not in the way either.
#[tokio::test]
async fn f51_the_credentials_are_written_over_whoever_claimed_their_fields() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    bed.cluster.put_credentials(&fence, &credentials("first")).await.unwrap();
    let secrets = Api::<Secret>::namespaced(bed.admin.clone(), fence.store_id.namespace());
    let theirs = Patch::Apply(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "store-credentials"},
        "data": {"admin-password": "dGhlaXJz"}}));
    let somebody = PatchParams::apply("kubectl-of-somebody").force();
    secrets.patch("store-credentials", &somebody, &theirs).await.unwrap();

    bed.cluster.put_credentials(&fence, &credentials("second")).await.expect("no conflict is in the way");

    assert_eq!(secrets.get("store-credentials").await.unwrap().data.unwrap()["admin-password"].0, b"second");
    bed.remove(&fence).await;
}
