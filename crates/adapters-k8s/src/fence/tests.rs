//! The barrier against an apiserver that hears late: scripted, so that it hears as late as we like.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use shopwright_domain::StoreId;
use tower_test::mock;

use super::*;
use crate::settings::{KubeSettings, KubeSource};

/// An apiserver of one namespace: it lets the old epoch through for the first `old` looks, and refuses the new one for the first `new`.
struct Late {
    old: usize,
    new: usize,
    annotation: &'static str,
}

/// The looks that it saw, `o` as the old epoch and `n` as the new one; a capital was let through.
type Looks = Arc<Mutex<String>>;

fn serve(late: &Late) -> (KubeCluster, Looks) {
    let (service, mut server) = mock::pair::<Request<Body>, Response<Body>>();
    let looks = Looks::default();
    let (seen, lets_old, refuses_new, annotation) = (Arc::clone(&looks), late.old, late.new, late.annotation);
    tokio::spawn(async move {
        let (old, new) = (AtomicUsize::new(0), AtomicUsize::new(0));
        while let Some((request, send)) = server.next_request().await {
            let epoch = request.headers().get("impersonate-extra-shopwright-epoch").map(http::HeaderValue::as_bytes);
            let (look, passes) = match epoch {
                Some(b"1") => ('o', old.fetch_add(1, Ordering::Relaxed) < lets_old),
                Some(b"2") => ('n', new.fetch_add(1, Ordering::Relaxed) >= refuses_new),
                _ => {
                    send.send_response(answer(200, &namespace(annotation)));
                    continue;
                }
            };
            seen.lock().unwrap().push(if passes { look.to_ascii_uppercase() } else { look });
            send.send_response(if passes {
                answer(201, &json!({}))
            } else {
                answer(403, &json!({"code": 403, "message": "denied request: shopwright fence: no"}))
            });
        }
    });
    let calls = Calls::new(Client::new(service, "default"), Duration::from_secs(1));
    (KubeCluster::mocked(calls), looks)
}

fn answer(code: u16, body: &Value) -> Response<Body> {
    Response::builder().status(code).body(Body::from(body.to_string().into_bytes())).unwrap()
}

fn namespace(epoch: &str) -> Value {
    json!({"metadata": {
        "name": "store-00000001",
        "labels": {"shopwright.dev/store-id": "store-00000001"},
        "annotations": {"shopwright.dev/epoch": epoch},
    }})
}

fn fence() -> Fence {
    Fence { store_id: StoreId::from_random(1), epoch: Epoch(2) }
}

#[tokio::test(start_paused = true)]
async fn the_barrier_holds_until_the_old_epoch_is_refused_and_the_new_one_is_not() {
    let (cluster, looks) = serve(&Late { old: 3, new: 2, annotation: "2" });

    cluster.await_fence(&fence(), Some(Epoch(1))).await.unwrap();

    assert_eq!(*looks.lock().unwrap(), "OOOononoN");
}

#[tokio::test(start_paused = true)]
async fn a_new_namespace_has_no_old_epoch_to_look_for() {
    let (cluster, looks) = serve(&Late { old: 0, new: 1, annotation: "2" });

    cluster.await_fence(&fence(), None).await.unwrap();

    assert_eq!(*looks.lock().unwrap(), "nN");
}

#[tokio::test(start_paused = true)]
async fn a_fence_that_never_holds_ends_the_claim_at_the_limit() {
    let (cluster, _) = serve(&Late { old: usize::MAX, new: 0, annotation: "2" });
    let began = Instant::now();

    let ended = cluster.await_fence(&fence(), Some(Epoch(1))).await;

    assert!(matches!(ended, Err(ClusterError::StaleEpoch { .. })), "{ended:?}");
    assert!(began.elapsed() >= cluster.settings.fence_timeout);
}

#[tokio::test(start_paused = true)]
async fn a_later_owner_ends_the_wait_at_once() {
    let (cluster, _) = serve(&Late { old: 0, new: usize::MAX, annotation: "3" });
    let began = Instant::now();

    let ended = cluster.await_fence(&fence(), Some(Epoch(1))).await;

    assert!(matches!(ended, Err(ClusterError::StaleEpoch { known: Some(Epoch(3)) })), "{ended:?}");
    assert!(began.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn with_several_apiservers_it_must_hold_three_times_a_second_apart() {
    let (cluster, looks) = serve(&Late { old: 0, new: 0, annotation: "2" });
    let source = KubeSource::InCluster;
    let settings = Arc::new(KubeSettings { several_apiservers: true, ..KubeSettings::new(source) });
    let cluster = KubeCluster { settings, ..cluster };
    let began = Instant::now();

    cluster.await_fence(&fence(), Some(Epoch(1))).await.unwrap();

    assert_eq!(*looks.lock().unwrap(), "oNoNoN");
    assert!(began.elapsed() >= Duration::from_secs(2));
}
