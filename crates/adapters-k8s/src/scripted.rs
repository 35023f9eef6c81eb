//! A scripted apiserver for unit tests: it answers as it is told, and remembers what it was asked and when.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::{Body as HttpBody, Bytes, Frame};
use kube::Client;
use kube::client::Body;
use serde_json::Value;
use tokio::time::Instant;
use tower_test::mock;

use crate::calls::Calls;
use crate::stack::{Bounded, LONGEST, Throttle};

/// One answer.
pub(crate) struct Answer {
    code: u16,
    retry_after: Option<u32>,
    body: Content,
}

/// A body: some bytes, and then its end, an error, or nothing more for ever.
pub(crate) struct Content {
    chunks: Vec<Bytes>,
    open: bool,
}

impl Answer {
    pub(crate) fn json(code: u16, body: &Value) -> Self {
        Self::text(code, &body.to_string())
    }

    pub(crate) fn text(code: u16, body: &str) -> Self {
        Self::chunks(code, vec![Bytes::from(body.to_owned())])
    }

    pub(crate) fn chunks(code: u16, mut chunks: Vec<Bytes>) -> Self {
        chunks.reverse();
        Self { code, retry_after: None, body: Content { chunks, open: false } }
    }

    /// No objects of the kind that was asked for.
    pub(crate) fn empty_list(asked: &Asked) -> Self {
        let (group, plural) =
            asked.path.trim_start_matches("/apis/").trim_start_matches("/api/").rsplit_once('/').unwrap();
        let kind = match plural {
            "namespaces" => "Namespace",
            "deployments" => "Deployment",
            "statefulsets" => "StatefulSet",
            "jobs" => "Job",
            "pods" => "Pod",
            "persistentvolumeclaims" => "PersistentVolumeClaim",
            "persistentvolumes" => "PersistentVolume",
            other => panic!("{other}"),
        };
        let metadata = serde_json::json!({"resourceVersion": "1"});
        let list =
            serde_json::json!({"kind": format!("{kind}List"), "apiVersion": group, "metadata": metadata, "items": []});
        Self::json(200, &list)
    }

    /// The lines of a watch, which then stays open.
    pub(crate) fn events(events: &[Value]) -> Self {
        let lines: Vec<_> = events.iter().map(|event| Bytes::from(format!("{event}\n"))).collect();
        let mut answer = Self::chunks(200, lines);
        answer.body.open = true;
        answer
    }

    /// The body ends after what it holds.
    pub(crate) fn closed(mut self) -> Self {
        self.body.open = false;
        self
    }

    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl HttpBody for Content {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.chunks.pop() {
            Some(chunk) => Poll::Ready(Some(Ok(Frame::data(chunk)))),
            None if self.open => Poll::Pending,
            None => Poll::Ready(None),
        }
    }
}

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) at: Duration,
    pub(crate) method: http::Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: http::HeaderMap,
}

impl Asked {
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn is_watch(&self) -> bool {
        self.parameter("watch") == Some("true")
    }
}

/// Everything that was asked.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<Asked>>>);

impl Seen {
    pub(crate) fn all(&self) -> Vec<Asked> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.all().len()
    }
}

/// A client of an apiserver that answers as `script` says.
pub(crate) fn client(throttle: &Throttle, mut script: impl FnMut(&Asked) -> Answer + Send + 'static) -> (Client, Seen) {
    let (service, mut server) = mock::pair::<Request<Body>, Response<Content>>();
    let (seen, began) = (Seen::default(), Instant::now());
    let noted = seen.clone();
    tokio::spawn(async move {
        while let Some((request, send)) = server.next_request().await {
            let asked = Asked {
                at: began.elapsed(),
                method: request.method().clone(),
                path: request.uri().path().to_owned(),
                query: parameters(request.uri().query().unwrap_or_default()),
                headers: request.headers().clone(),
            };
            let answer = script(&asked);
            noted.0.lock().unwrap().push(asked);
            let mut response = Response::builder().status(answer.code);
            if let Some(seconds) = answer.retry_after {
                response = response.header("retry-after", seconds);
            }
            send.send_response(response.body(answer.body).unwrap());
        }
    });
    (Client::new(Bounded::new(service, throttle.clone(), LONGEST), "default"), seen)
}

/// Single requests to such an apiserver.
pub(crate) fn calls(script: impl FnMut(&Asked) -> Answer + Send + 'static) -> (Calls, Seen) {
    let (client, seen) = client(&Throttle::default(), script);
    (Calls::new(client, Duration::from_secs(10)), seen)
}

/// Good enough for what this crate asks: it encodes nothing but `,` and `=`.
fn parameters(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let decoded = |text: &str| text.replace("%2C", ",").replace("%3D", "=").replace("%2F", "/");
    pairs.map(|(key, value)| (key.to_owned(), decoded(value))).collect()
}
