//! Somebody else changes the same namespace at the same moment: it is read again and decided again, never overwritten (F34).

use std::time::Duration;

use hyper::Method;
use k8s_openapi::api::core::v1::Namespace;
use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;
use shopwright_domain::Epoch;
use shopwright_ports::cluster::{Cluster, ClusterError, Fence, NamespaceState};
use shopwright_ports::testing::{cluster_contract, engines};

use crate::proxy::Proxy;
use crate::support::bed;

/// A call that is held back must outlive what is done meanwhile.
const PATIENT: Duration = Duration::from_mins(2);

#[tokio::test]
async fn f34_a_label_that_somebody_sets_meanwhile_stays() {
    let Some(bed) = bed().await else { return };
    let old = bed.store().await;
    let new = Fence { store_id: old.store_id.clone(), epoch: Epoch(2) };
    let proxy = Proxy::start(&bed).await;
    let cluster = proxy.cluster(&bed, PATIENT).await;
    let mut held = proxy.hold(Method::PATCH, old.store_id.namespace());
    let raising = tokio::spawn({
        let (cluster, new) = (cluster.clone(), new.clone());
        async move { cluster.raise_epoch(&new).await }
    });
    held.came().await;
    let namespaces = Api::<Namespace>::all(bed.admin.clone());
    let label = Patch::Merge(json!({"metadata": {"labels": {"example.test/mine": "yes"}}}));
    namespaces.patch(old.store_id.namespace(), &PatchParams::default(), &label).await.unwrap();

    held.go();
    let raised = raising.await.unwrap();

    assert!(matches!(raised, Ok(NamespaceState::Present)), "{raised:?}");
    let now = namespaces.get(old.store_id.namespace()).await.unwrap();
    assert_eq!(now.labels().get("example.test/mine").map(String::as_str), Some("yes"));
    assert_eq!(now.annotations()["shopwright.dev/epoch"], "2");
    let patches =
        proxy.take_calls().into_iter().filter(|call| call.is(&Method::PATCH, old.store_id.namespace())).count();
    assert_eq!(patches, 2, "the first one was refused, for it named what was read before");
    bed.remove(&new).await;
}

#[tokio::test]
async fn f34_an_owner_who_was_overtaken_between_reading_and_writing_changes_nothing() {
    let Some(bed) = bed().await else { return };
    let proxy = Proxy::start(&bed).await;
    let cluster = proxy.cluster(&bed, PATIENT).await;
    for what in ["raise", "ensure", "delete"] {
        let first = bed.store().await;
        let [second, third] = [2, 3].map(|epoch| Fence { store_id: first.store_id.clone(), epoch: Epoch(epoch) });
        let method = if what == "delete" { Method::DELETE } else { Method::PATCH };
        let mut held = proxy.hold(method, first.store_id.namespace());
        let writing = tokio::spawn({
            let cluster = cluster.clone();
            async move {
                match what {
                    "raise" => cluster.raise_epoch(&second).await.map(drop),
                    "ensure" => cluster.ensure_namespace(&second, &engines::woocommerce()).await,
                    _ => cluster.delete_namespace(&second).await,
                }
            }
        });
        held.came().await;
        bed.cluster.raise_epoch(&third).await.expect("the later owner");

        held.go();
        let outcome = writing.await.unwrap();

        let told = matches!(outcome, Err(ClusterError::StaleEpoch { known: Some(Epoch(3)) }));
        assert!(told, "{what}: {outcome:?}");
        let now = Api::<Namespace>::all(bed.admin.clone()).get(first.store_id.namespace()).await.unwrap();
        assert!(now.metadata.deletion_timestamp.is_none(), "{what}");
        assert_eq!(now.labels()["shopwright.dev/engine"], "medusa", "{what}");
        bed.remove(&third).await;
    }
}

/// F34, DECISIONS 7: a sweeper that was late removes neither the changed namespace nor the next one of that name.
#[tokio::test]
async fn f34_a_stray_that_is_taken_over_while_its_removal_is_on_its_way_stays() {
    let Some(bed) = bed().await else { return };
    let proxy = Proxy::start(&bed).await;
    let cluster = proxy.cluster(&bed, PATIENT).await;
    for made_again in [false, true] {
        let first = bed.store().await;
        let second = Fence { store_id: first.store_id.clone(), epoch: Epoch(2) };
        let listed = bed.cluster.list_namespaces().await.unwrap();
        let stray = listed.into_iter().find(|namespace| namespace.store_id == first.store_id).expect("it is listed");
        let mut held = proxy.hold(Method::DELETE, first.store_id.namespace());
        let removing = tokio::spawn({
            let cluster = cluster.clone();
            async move { cluster.remove_stray(&stray).await }
        });
        held.came().await;
        if made_again {
            cluster_contract::remove(&bed.cluster, &first).await;
        }
        bed.cluster.ensure_namespace(&second, &engines::medusa()).await.expect("the later owner");

        held.go();

        removing.await.unwrap().expect("leaving it alone is success");
        let now = Api::<Namespace>::all(bed.admin.clone()).get(first.store_id.namespace()).await.unwrap();
        assert!(now.metadata.deletion_timestamp.is_none(), "made again: {made_again}");
        bed.remove(&second).await;
    }
}
