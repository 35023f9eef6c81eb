//! A dead aggregated API keeps the namespace controller from removing anything.

use std::time::Duration;

use hyper::{Method, Request};
use serde_json::json;
use shopwright_ports::cluster::{Cluster, Removal};
use tokio::time::Instant;

use crate::support::{Bed, bed};

const SERVICES: &str = "/apis/apiregistration.k8s.io/v1/apiservices";

async fn send(bed: &Bed, method: Method, path: &str, body: String) {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    bed.admin.request_text(request.body(body.into_bytes()).unwrap()).await.expect("an administrator may");
}

/// F56, E12: named as the cluster's fault, with the name of what must be mended, within a minute; gone within half a minute after that.
#[tokio::test]
async fn f56_a_dead_aggregated_api_is_named_and_the_removal_goes_on_without_it() {
    let Some(bed) = bed().await else { return };
    let fence = bed.store().await;
    let service = json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1.dead.example.test"},
        "spec": {"group": "dead.example.test", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 100,
            "insecureSkipTLSVerify": true, "service": {"namespace": "default", "name": "nobody"}},
    });
    send(&bed, Method::POST, SERVICES, service.to_string()).await;
    bed.remove(&fence).await;
    let began = Instant::now();
    let mut last = None;
    while began.elapsed() < Duration::from_mins(1) && !matches!(last, Some(Removal::Blocked(_))) {
        last = Some(bed.cluster.await_gone(&fence.store_id, Duration::from_secs(5)).await.unwrap());
    }
    send(&bed, Method::DELETE, &format!("{SERVICES}/v1.dead.example.test"), String::new()).await;
    let mended = Instant::now();
    let gone = bed.cluster.await_gone(&fence.store_id, Duration::from_mins(2)).await;

    let told = matches!(&last, Some(Removal::Blocked(why))
        if why.contains("the cluster is at fault") && why.contains("APIService v1.dead.example.test"));
    assert!(told, "{last:?}");
    assert!(matches!(gone, Ok(Removal::Gone { .. })), "{gone:?}");
    assert!(mended.elapsed() < Duration::from_secs(30), "{:?}", mended.elapsed());
}
