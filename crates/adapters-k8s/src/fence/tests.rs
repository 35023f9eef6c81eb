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
    goes_away: bool,
}

/// One that has heard of the new epoch.
const HEARD: Late = Late { old: 0, new: 0, annotation: "2", goes_away: false };

/// The looks that it saw, `o` as the old epoch and `n` as the new one; a capital was let through.
type Looks = Arc<Mutex<String>>;

fn serve(late: &Late) -> (KubeCluster, Looks) {
    let (service, mut server) = mock::pair::<Request<Body>, Response<Body>>();
    let looks = Looks::default();
    let (seen, lets_old, refuses_new) = (Arc::clone(&looks), late.old, late.new);
    let mut store = namespace(late.annotation);
    if late.goes_away {
        store["metadata"]["deletionTimestamp"] = json!("2026-11-26T12:00:00Z");
    }
    tokio::spawn(async move {
        let (old, new) = (AtomicUsize::new(0), AtomicUsize::new(0));
        while let Some((request, send)) = server.next_request().await {
            let epoch = request.headers().get("impersonate-extra-shopwright-epoch").map(http::HeaderValue::as_bytes);
            let (look, passes) = match epoch {
                Some(b"1") => ('o', old.fetch_add(1, Ordering::Relaxed) < lets_old),
                Some(b"2") => ('n', new.fetch_add(1, Ordering::Relaxed) >= refuses_new),
                _ => {
                    send.send_response(answer(200, &store));
                    continue;
                }
            };
            let body = request.into_body().collect_bytes().await.unwrap();
            let asked: Value = serde_json::from_slice(&body).unwrap();
            if !asked["metadata"]["name"].is_string() {
                // Before anybody asks the fence.
                send.send_response(answer(422, &json!({"code": 422, "message": "name or generateName is required"})));
                continue;
            }
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
    let (cluster, looks) = serve(&Late { old: 3, new: 2, ..HEARD });

    cluster.await_fence(&fence(), Some(Epoch(1))).await.unwrap();

    assert_eq!(*looks.lock().unwrap(), "OOOononoN");
}

/// E14, DECISIONS 5: not only does the barrier work, nothing that writes an epoch returns without it.
#[tokio::test(start_paused = true)]
async fn e14_raising_and_making_return_only_when_the_fence_holds() {
    for make in [false, true] {
        let (cluster, looks) = serve(&Late { old: 3, new: 2, annotation: "1", ..HEARD });

        let ended = if make {
            cluster.make_namespace(&fence(), &shopwright_ports::testing::engines::medusa()).await
        } else {
            cluster.raise(&fence()).await.map(drop)
        };

        ended.unwrap();
        assert_eq!(*looks.lock().unwrap(), "OOOononoN", "making: {make}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_namespace_has_no_old_epoch_to_look_for() {
    let (cluster, looks) = serve(&Late { old: 0, new: 1, ..HEARD });

    cluster.await_fence(&fence(), None).await.unwrap();

    assert_eq!(*looks.lock().unwrap(), "nN");
}

#[tokio::test(start_paused = true)]
async fn a_fence_that_never_holds_ends_the_claim_at_the_limit() {
    let (cluster, _) = serve(&Late { old: usize::MAX, new: 0, ..HEARD });
    let began = Instant::now();

    let ended = cluster.await_fence(&fence(), Some(Epoch(1))).await;

    assert!(matches!(ended, Err(ClusterError::StaleEpoch { .. })), "{ended:?}");
    assert!(began.elapsed() >= cluster.settings.fence_timeout);
}

#[tokio::test(start_paused = true)]
async fn a_later_owner_ends_the_wait_at_once() {
    let (cluster, _) = serve(&Late { old: 0, new: usize::MAX, annotation: "3", ..HEARD });
    let began = Instant::now();

    let ended = cluster.await_fence(&fence(), Some(Epoch(1))).await;

    assert!(matches!(ended, Err(ClusterError::StaleEpoch { known: Some(Epoch(3)) })), "{ended:?}");
    assert!(began.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_goes_away_ends_the_wait_at_once() {
    let (cluster, _) = serve(&Late { old: 0, new: usize::MAX, goes_away: true, ..HEARD });
    let began = Instant::now();

    let ended = cluster.await_fence(&fence(), Some(Epoch(1))).await;

    assert!(matches!(ended, Err(ClusterError::Terminating)), "{ended:?}");
    assert!(began.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn with_several_apiservers_it_must_hold_three_times_a_second_apart() {
    let (cluster, looks) = serve(&HEARD);
    let source = KubeSource::InCluster;
    let settings = Arc::new(KubeSettings { several_apiservers: true, ..KubeSettings::new(source) });
    let cluster = KubeCluster { settings, ..cluster };
    let began = Instant::now();

    cluster.await_fence(&fence(), Some(Epoch(1))).await.unwrap();

    assert_eq!(*looks.lock().unwrap(), "oNoNoN");
    assert!(began.elapsed() >= Duration::from_secs(2));
}

/// Two apiservers behind one address, of which the second hears of the new epoch only after `lag`; `balance` says which one a request meets.
async fn barrier_over(
    lag: Duration,
    balance: impl Fn(usize) -> usize + Send + 'static,
) -> (Result<(), ClusterError>, Duration) {
    let (service, mut server) = mock::pair::<Request<Body>, Response<Body>>();
    let began = Instant::now();
    tokio::spawn(async move {
        let mut requests = 0;
        while let Some((request, send)) = server.next_request().await {
            let knows_new = balance(requests) == 0 || began.elapsed() >= lag;
            requests += 1;
            let epoch = request.headers().get("impersonate-extra-shopwright-epoch").map(http::HeaderValue::as_bytes);
            send.send_response(match epoch {
                Some(b"1") if !knows_new => answer(201, &json!({})),
                Some(b"2") if knows_new => answer(201, &json!({})),
                Some(_) => answer(403, &json!({"code": 403, "message": "denied request: shopwright fence: no"})),
                None => answer(200, &namespace("2")),
            });
        }
    });
    let cluster = KubeCluster::mocked(Calls::new(Client::new(service, "default"), Duration::from_secs(1)));
    let settings = KubeSettings { several_apiservers: true, ..KubeSettings::new(KubeSource::InCluster) };
    let cluster = KubeCluster { settings: Arc::new(settings), ..cluster };
    let ended = cluster.await_fence(&fence(), Some(Epoch(1))).await;
    (ended, began.elapsed())
}

/// E14, DECISIONS 5: with a connection to each, and with one that only ever meets the quick one, the slow one has heard of it in the end.
#[tokio::test(start_paused = true)]
async fn e14_with_several_apiservers_the_slowest_one_is_waited_for() {
    let lag = Duration::from_millis(1900);
    let in_turn: fn(usize) -> usize = |request| request % 2;
    let in_pairs: fn(usize) -> usize = |request| request / 2 % 2;
    let only_the_quick_one: fn(usize) -> usize = |_| 0;
    for balance in [in_turn, in_pairs, only_the_quick_one] {
        let (ended, took) = barrier_over(lag, balance).await;

        assert!(ended.is_ok(), "{ended:?}");
        assert!(took >= lag, "the barrier ended after {took:?}, before the slow one knew");
    }
}

/// E14: three times in a row means that one that still lags begins the count anew.
#[tokio::test(start_paused = true)]
async fn e14_a_look_at_one_that_lags_begins_the_count_anew() {
    let lag = Duration::from_millis(2500);
    // The first two looks, two requests each, meet the quick one; from then on it is the other one's turn.
    let (ended, took) = barrier_over(lag, |request| usize::from(request >= 4)).await;

    assert!(ended.is_ok(), "{ended:?}");
    assert!(took >= lag + 2 * BETWEEN_ROUNDS, "{took:?}");
}
