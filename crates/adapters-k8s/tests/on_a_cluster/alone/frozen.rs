//! An apiserver or an etcd that does not go on, and an etcd that is full.

use std::time::Duration;

use hyper::Request;
use kube::Client;
use kube::config::Config;
use serde_json::{Value, json};
use shopwright_adapters_k8s::KubeCluster;
use shopwright_domain::{Epoch, StoreId};
use shopwright_ports::cluster::{Cluster, ClusterError, Fence, Removal};
use shopwright_ports::testing::engines;
use tokio::time::{Instant, timeout};

use super::processes::{etcd_address, freeze};
use crate::support::{bed, eventually, fresh, impatient};

const LIMIT: Duration = Duration::from_secs(2);

fn is_outage<T: std::fmt::Debug>(outcome: &Result<T, ClusterError>) -> bool {
    matches!(outcome, Err(error) if error.is_outage())
}

/// What every kind of call gives while the cluster does not go on.
async fn all_are_outages(cluster: &KubeCluster, fence: &Fence, new: &StoreId) {
    let began = Instant::now();
    let new = Fence { store_id: new.clone(), epoch: Epoch(1) };
    let next = Fence { epoch: Epoch(2), ..fence.clone() };
    let medusa = engines::medusa();
    let (listed, made, raised, deleted, gone) = tokio::join!(
        cluster.list_namespaces(),
        cluster.ensure_namespace(&new, &medusa),
        cluster.raise_epoch(&next),
        cluster.delete_namespace(fence),
        cluster.await_gone(&fence.store_id, Duration::ZERO),
    );
    assert!(is_outage(&listed), "{listed:?}");
    assert!(is_outage(&made), "{made:?}");
    assert!(is_outage(&raised), "{raised:?}");
    assert!(is_outage(&deleted), "{deleted:?}");
    assert!(is_outage(&gone), "{gone:?}");
    assert!(began.elapsed() < 3 * LIMIT, "{:?}", began.elapsed());
}

/// Afterwards the store is as it was, everything works, and the watches have begun to tell again.
async fn all_goes_on(cluster: &KubeCluster, fence: &Fence) {
    let answers = async || cluster.check().await.is_ok() && cluster.list_namespaces().await.is_ok();
    eventually("an answer", answers).await;
    let removing = tokio::spawn({
        let (cluster, store_id) = (cluster.clone(), fence.store_id.clone());
        async move { cluster.await_gone(&store_id, Duration::from_mins(2)).await }
    });
    let raised = Fence { epoch: Epoch(3), ..fence.clone() };
    let works = async || cluster.raise_epoch(&raised).await.is_ok() && cluster.delete_namespace(&raised).await.is_ok();
    eventually("a change", works).await;
    let gone =
        timeout(Duration::from_mins(1), removing).await.expect("the wait for the removal hears of nothing").unwrap();
    assert!(matches!(gone, Ok(Removal::Gone { .. })), "{gone:?}");
}

/// F37: SIGSTOP, as a paused machine: connections stay, nothing comes.
#[tokio::test]
async fn f37_a_frozen_apiserver_holds_no_call_and_the_watches_recover() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let cluster = impatient(&bed, LIMIT).await;
    cluster.check().await.expect("it answers at first");
    let Some(frozen) = freeze(&bed, "kube-apiserver") else { return };

    all_are_outages(&cluster, &fence, &fresh()).await;
    let checked = cluster.check().await;
    assert!(is_outage(&checked), "{checked:?}");

    drop(frozen);
    all_goes_on(&cluster, &fence).await;
}

/// F38: an etcd that does not go on is an outage of the cluster, for reads and writes alike.
#[tokio::test]
async fn f38_a_frozen_etcd_is_an_outage_of_the_cluster() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let cluster = impatient(&bed, LIMIT).await;
    cluster.check().await.expect("it answers at first");
    let Some(frozen) = freeze(&bed, "etcd") else { return };

    all_are_outages(&cluster, &fence, &fresh()).await;

    drop(frozen);
    all_goes_on(&cluster, &fence).await;
}

struct Etcd(Client);

impl Etcd {
    async fn ask(&self, path: &str, body: Value) -> Value {
        let request = Request::post(path).header("content-type", "application/json");
        let text = self.0.request_text(request.body(body.to_string().into_bytes()).unwrap()).await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// The alarm that etcd raises when its space is used up, without using it up.
    async fn set_full(&self, full: bool) {
        let status = self.ask("/v3/maintenance/status", json!({})).await;
        let action = if full { "ACTIVATE" } else { "DEACTIVATE" };
        let member = &status["header"]["member_id"];
        self.ask("/v3/maintenance/alarm", json!({"action": action, "alarm": "NOSPACE", "memberID": member})).await;
    }
}

/// F38: with no space left reads go on and writes do not; a write is no failure of the store that it is for.
#[tokio::test]
async fn f38_an_etcd_without_space_is_an_outage_for_writes() {
    let Some(bed) = bed().await else { return };
    let Some(address) = etcd_address(&bed) else { return };
    let etcd = Etcd(Client::try_from(Config::new(address.parse().unwrap())).unwrap());
    let fence = bed.store().await;
    let cluster = impatient(&bed, LIMIT).await;
    etcd.set_full(true).await;

    let new = Fence { store_id: fresh(), epoch: Epoch(1) };
    let next = Fence { epoch: Epoch(2), ..fence.clone() };
    let medusa = engines::medusa();
    let (listed, made, raised) =
        tokio::join!(cluster.list_namespaces(), cluster.ensure_namespace(&new, &medusa), cluster.raise_epoch(&next),);
    etcd.set_full(false).await;

    assert!(listed.is_ok(), "{listed:?}");
    assert!(matches!(&made, Err(error) if error.is_outage() && error.to_string().contains("space")), "{made:?}");
    assert!(is_outage(&raised), "{raised:?}");
    all_goes_on(&cluster, &fence).await;
}
