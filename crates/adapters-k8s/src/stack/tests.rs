//! What a hostile or broken apiserver can make us read, and how long it can make us wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::HeaderValue;
use kube::Client;
use serde_json::Value;
use tokio::time::{advance, timeout};
use tower_test::mock;

use super::*;
use crate::calls::{CallError, Calls, Identity};
use crate::scripted::{Answer, calls};

const CHUNK: usize = 8 * 1024;

/// A body of zeros without an end, which counts what was taken from it.
struct Endless(Arc<AtomicUsize>);

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.fetch_add(CHUNK, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; CHUNK])))))
    }
}

/// S56: 100 MB are not read into memory because an apiserver, or whoever answers in its place, sends them.
#[tokio::test]
async fn an_answer_without_an_end_is_read_up_to_the_limit_only() {
    let (service, mut server) = mock::pair::<Request<Body>, Response<Endless>>();
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&taken);
    tokio::spawn(async move {
        while let Some((_, send)) = server.next_request().await {
            send.send_response(Response::new(Endless(Arc::clone(&counted))));
        }
    });
    let client = Client::new(Bounded::new(service, Throttle::default(), LONGEST), "default");
    let request = Request::get("/api/v1/namespaces").body(Vec::new()).unwrap();

    let ended = Calls::new(client, Duration::from_mins(1)).send::<Value>(Identity::Base, request).await;

    assert!(
        matches!(&ended, Err(CallError::NoAnswer { detail, .. }) if detail.contains("more than 33554432 bytes")),
        "{ended:?}"
    );
    assert!(taken.load(Ordering::Relaxed) <= LONGEST + CHUNK, "{taken:?}");
}

/// A watch brings far more than that in its life; a single event may not.
#[tokio::test]
async fn a_watch_is_bounded_line_by_line() {
    let (throttle, none) = (Throttle::default(), Vec::new());
    let body = |by_line| BoundedBody { inner: Box::pin(Body::from(none.clone())), by_line, longest: 10, read: 0 };

    let mut watch = body(true);
    for _ in 0..100 {
        assert!(!watch.exceeds(b"12345\n1234"));
        assert!(!watch.exceeds(b"567890\n"));
    }
    assert!(!watch.exceeds(b"1234567890"));
    assert!(watch.exceeds(b"1"));

    let mut whole = body(false);
    assert!(!whole.exceeds(b"12345\n1234"));
    assert!(whole.exceeds(b"\n"));
    assert_eq!(throttle.remaining(), Duration::ZERO);
}

/// S56: what is no JSON, another kind of object, or only half of one is an error with a type, not a panic and not an empty list.
#[tokio::test]
async fn an_answer_that_is_not_what_was_asked_for_is_an_outage() {
    use k8s_openapi::api::core::v1::{Namespace, Pod};
    for text in ["", "<html>", "{", "[]", r#"{"kind":"NodeList","apiVersion":"v1","metadata":{},"items":[]}"#] {
        let (calls, _) = calls(move |_| Answer::text(200, text));

        let got = calls.get::<Namespace>(None, "store-00000001").await;
        let listed = calls.list::<Pod>(Identity::Base, None, &kube::core::params::ListParams::default()).await;

        assert!(matches!(&got, Err(CallError::NoAnswer { .. })), "{text}: {got:?}");
        assert!(matches!(&listed, Err(CallError::NoAnswer { .. })), "{text}: {listed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttle_is_remembered_until_it_is_over_and_never_for_longer_than_minutes() {
    let throttle = Throttle::default();
    throttle.note(Duration::from_secs(9));
    throttle.note(Duration::from_secs(3));
    advance(Duration::from_secs(4)).await;
    assert_eq!(throttle.remaining(), Duration::from_secs(5), "the longer of the two");
    advance(Duration::from_secs(6)).await;
    assert_eq!(throttle.remaining(), Duration::ZERO);

    throttle.note(Duration::from_secs(u64::MAX));
    assert_eq!(throttle.remaining(), LONGEST_WAIT);
}

#[test]
fn only_a_number_of_seconds_is_understood() {
    let wait = |text: &'static str| retry_after(&HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]));

    assert_eq!(wait(" 7 "), Some(Duration::from_secs(7)));
    assert_eq!(wait("Wed, 21 Oct 2026 07:28:00 GMT"), None);
    assert_eq!(wait("-1"), None);
}

/// The limit in time holds for the whole answer, not for its first byte.
#[tokio::test(start_paused = true)]
async fn an_answer_that_never_ends_is_given_up_at_the_limit() {
    let (calls, _) = calls(|_| Answer::events(&[]));
    let request = Request::get("/readyz").body(Vec::new()).unwrap();

    let ended = timeout(Duration::from_mins(1), calls.send_unread(Identity::Base, request)).await.unwrap();

    assert!(matches!(&ended, Err(CallError::NoAnswer { detail, .. }) if detail.contains("no answer within 10s")));
}
