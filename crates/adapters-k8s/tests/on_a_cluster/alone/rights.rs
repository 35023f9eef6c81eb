//! Rights that an administrator takes away, and a token that is no longer good.

use std::time::Duration;

use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use kube::api::{Api, DeleteParams};
use shopwright_adapters_k8s::prepare;
use shopwright_domain::Epoch;
use shopwright_ports::cluster::{Cluster, ClusterError, Fence, Removal};
use shopwright_ports::testing::engines;
use tokio::time::timeout;

use crate::support::{Bed, bed, credentials, eventually, fresh, with_token};

async fn outcomes(bed: &Bed, fence: &Fence) -> [(&'static str, Result<(), ClusterError>); 5] {
    let cluster = &bed.cluster;
    let new = Fence { store_id: fresh(), epoch: Epoch(1) };
    [
        ("list", cluster.list_namespaces().await.map(drop)),
        ("ensure", cluster.ensure_namespace(&new, &engines::medusa()).await),
        ("raise", cluster.raise_epoch(fence).await.map(drop)),
        ("credentials", cluster.put_credentials(fence, &credentials("p")).await),
        ("delete", cluster.delete_namespace(fence).await),
    ]
}

/// F39: each call says that a right is missing, which waits for an administrator and costs no store anything; then all goes on, the
/// watches too, without a restart.
#[tokio::test]
async fn f39_without_its_rights_every_call_says_so_and_works_again_with_them() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let bindings = Api::<ClusterRoleBinding>::all(bed.admin.clone());
    bindings.delete("shopwright", &DeleteParams::default()).await.unwrap();
    let denied = async || matches!(bed.cluster.list_namespaces().await, Err(ClusterError::Denied(_)));
    eventually("the loss of the rights", denied).await;

    for (what, outcome) in outcomes(&bed, &fence).await {
        assert!(
            matches!(&outcome, Err(ClusterError::Denied(words)) if words.contains("cannot")),
            "{what}: {outcome:?}"
        );
    }
    let verdict = bed.cluster.verify_fence().await;
    assert!(matches!(&verdict, Err(ClusterError::Unfenced(why)) if why.contains("prepare")), "{verdict:?}");

    prepare::prepare(&bed.admin_settings).await.expect("an administrator");
    eventually("the rights", async || bed.cluster.list_namespaces().await.is_ok()).await;
    let waiting = tokio::spawn({
        let (cluster, store_id) = (bed.cluster.clone(), fence.store_id.clone());
        async move { cluster.await_gone(&store_id, Duration::from_mins(2)).await }
    });
    bed.remove(&fence).await;
    let gone =
        timeout(Duration::from_mins(1), waiting).await.expect("the wait for the removal hears of nothing").unwrap();
    assert!(matches!(gone, Ok(Removal::Gone { .. })), "{gone:?}");
}

/// F39: 401 is not an outage either. What the cluster says about the token is not passed on, and neither is the token.
#[tokio::test]
async fn f39_a_token_that_is_not_good_is_a_lack_of_rights() {
    let Some(bed) = bed().await else { return };
    let cluster = with_token(&bed, "expired").await;

    for outcome in [cluster.check().await, cluster.list_namespaces().await.map(drop)] {
        assert!(matches!(&outcome, Err(ClusterError::Denied(words)) if words.contains("credentials")), "{outcome:?}");
        assert!(!format!("{outcome:?}").contains("expired"));
    }
}
