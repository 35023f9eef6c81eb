//! What is written, and what is left alone.

use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, PostParams};
use serde_json::json;
use shopwright_domain::Epoch;
use shopwright_domain::store::Engine;
use shopwright_ports::cluster::{Cluster, ClusterError, Fence};
use shopwright_ports::secrets::StoreCredentials;

use crate::support::{bed, fresh};

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
        let credentials = StoreCredentials {
            admin_email: "owner@example.test".to_owned(),
            admin_username: "owner".to_owned(),
            admin_password: password.into(),
            database_password: "db".into(),
            database_root_password: "root".into(),
            app_secret: "app".into(),
            session_secret: "session".into(),
        };

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

    let made = bed.cluster.ensure_namespace(&fence, Engine::Medusa).await;
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

#[tokio::test]
async fn of_two_owners_that_race_for_a_namespace_the_later_epoch_has_it() {
    let Some(bed) = bed().await else { return };
    for _ in 0..5 {
        let store_id = fresh();
        let fences = [1, 2].map(|epoch| Fence { store_id: store_id.clone(), epoch: Epoch(epoch) });

        let (first, second) = tokio::join!(
            bed.cluster.ensure_namespace(&fences[0], Engine::Medusa),
            bed.cluster.ensure_namespace(&fences[1], Engine::Medusa)
        );

        assert!(matches!(first, Ok(()) | Err(ClusterError::StaleEpoch { .. })), "{first:?}");
        second.expect("the later owner");
        let namespace = Api::<Namespace>::all(bed.admin.clone()).get(store_id.namespace()).await.unwrap();
        assert_eq!(namespace.annotations()["shopwright.dev/epoch"], "2");
        bed.remove(&fences[1]).await;
    }
}
