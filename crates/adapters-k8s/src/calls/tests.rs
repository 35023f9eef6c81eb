//! Requests against a mocked apiserver: what is sent, how often, and what an answer turns into.

use http::Response;
use tower_test::mock::{self, Handle};

use super::*;

type Server = Handle<Request<Body>, Response<Body>>;

fn calls() -> (Calls, Server) {
    let (service, server) = mock::pair::<Request<Body>, Response<Body>>();
    (Calls::new(Client::new(service, "default"), Duration::from_secs(10)), server)
}

fn request() -> Request<Vec<u8>> {
    Request::post("/api/v1/namespaces/store-00000001/secrets").body(Vec::new()).unwrap()
}

async fn answered(response: Response<Body>) -> CallError {
    let (calls, mut server) = calls();
    let serving = tokio::spawn(async move {
        let (_, send) = server.next_request().await.unwrap();
        send.send_response(response);
        // A second request would be a repetition.
        server.next_request().await.is_none()
    });

    let error = calls.send_unread(Identity::Base, request()).await.unwrap_err();

    drop(calls);
    assert!(serving.await.unwrap(), "the request was repeated");
    error
}

#[tokio::test]
async fn a_worker_carries_its_store_and_epoch_and_base_impersonates_nobody() {
    let worker = Identity::Worker { namespace: "store-00000001", epoch: Epoch(42) };
    for (identity, user, store, epoch) in
        [(Identity::Base, None, None, None), (worker, Some("shopwright-worker"), Some("store-00000001"), Some("42"))]
    {
        let (calls, mut server) = calls();
        let serving = tokio::spawn(async move {
            let (request, send) = server.next_request().await.unwrap();
            send.send_response(Response::new(Body::empty()));
            request.headers().clone()
        });

        calls.send_unread(identity, request()).await.unwrap();

        let headers = serving.await.unwrap();
        let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header("impersonate-user").as_deref(), user);
        assert_eq!(header("impersonate-group").is_some(), user.is_some());
        assert_eq!(header("impersonate-extra-shopwright-store").as_deref(), store);
        assert_eq!(header("impersonate-extra-shopwright-epoch").as_deref(), epoch);
    }
}

/// F31.
#[tokio::test]
async fn a_throttle_is_not_repeated_and_says_when_to_come_back() {
    let busy = Response::builder().status(429).header("retry-after", "3").body(Body::from(b"slow down".to_vec()));

    let error = answered(busy.unwrap()).await;

    assert!(matches!(error, CallError::Refused(refusal)
        if refusal.code == 429 && refusal.retry_after == Some(Duration::from_secs(3)) && refusal.message == "slow down"));
}

#[tokio::test]
async fn an_ill_cluster_has_not_answered() {
    let ill = Response::builder().status(503).body(Body::from(br#"{"message":"etcd is away"}"#.to_vec()));

    let error = answered(ill.unwrap()).await;

    assert!(matches!(error, CallError::NoAnswer { detail, .. } if detail.ends_with("503 etcd is away")));
}

/// F37.
#[tokio::test(start_paused = true)]
async fn silence_ends_at_the_limit() {
    let (calls, mut server) = calls();
    let serving = tokio::spawn(async move {
        let (_request, _send) = server.next_request().await.unwrap();
        std::future::pending::<()>().await;
    });

    let error = calls.send_unread(Identity::Base, request()).await.unwrap_err();

    assert!(matches!(error, CallError::NoAnswer { detail, .. } if detail.ends_with("no answer within 10s")));
    serving.abort();
}
