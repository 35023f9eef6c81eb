//! What wraps the HTTP stack, for single requests and watches alike: no answer is read without bound (RELIABILITY S56), and a request of
//! the cluster to come back later is remembered for the watches, whose driver does not tell of it (F31).

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use kube::client::Body;
use shopwright_ports::Source;
use tokio::time::Instant;
use tower::Service;

/// The longest answer, and the longest line of a watch. A page of 500 large objects has a tenth of it.
pub(crate) const LONGEST: usize = 32 * 1024 * 1024;
/// The least time between two beginnings of the same watch.
const BETWEEN_WATCHES: Duration = Duration::from_secs(1);
/// Nobody is asked to wait longer than this, whatever an answer says.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// When the cluster wants to be asked again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Throttle(Arc<Mutex<Option<Instant>>>);

impl Throttle {
    fn note(&self, wait: Duration) {
        let until = Instant::now() + wait.min(LONGEST_WAIT);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some(known.map_or(until, |known| known.max(until)));
    }

    /// How long that is from now.
    pub(crate) fn remaining(&self) -> Duration {
        let known = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.map(|until| until.saturating_duration_since(Instant::now())).unwrap_or_default()
    }
}

/// What `Retry-After` says, in its form as a number of seconds: the only one that apiservers use.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// An HTTP stack whose answers are bounded, and whose watches begin at a pace.
#[derive(Debug)]
pub(crate) struct Bounded<S> {
    inner: S,
    throttle: Throttle,
    longest: usize,
    /// When each watch, by its path, began last.
    begun: HashMap<String, Instant>,
}

impl<S> Bounded<S> {
    pub(crate) fn new(inner: S, throttle: Throttle, longest: usize) -> Self {
        Self { inner, throttle, longest, begun: HashMap::new() }
    }

    /// When a watch may begin. Its driver begins anew at once when one ends without an error, and a server in between may end every one.
    fn turn(&mut self, path: &str) -> Instant {
        let now = Instant::now();
        let turn = self.begun.get(path).map_or(now, |last| now.max(*last + BETWEEN_WATCHES));
        self.begun.insert(path.to_owned(), turn);
        turn
    }
}

impl<S, B> Service<Request<Body>> for Bounded<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
    B: HttpBody<Data = Bytes> + 'static,
{
    type Response = Response<BoundedBody<B>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let by_line = request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair == "watch=true"));
        let turn = by_line.then(|| self.turn(request.uri().path()));
        let (answer, throttle, longest) = (self.inner.call(request), self.throttle.clone(), self.longest);
        Box::pin(async move {
            if let Some(turn) = turn {
                tokio::time::sleep_until(turn).await;
            }
            let response = answer.await?;
            if response.status() == StatusCode::TOO_MANY_REQUESTS
                && let Some(wait) = retry_after(response.headers())
            {
                throttle.note(wait);
            }
            Ok(response.map(|body| BoundedBody { inner: Box::pin(body), by_line, longest, read: 0 }))
        })
    }
}

/// A body that ends with an error when it is longer than allowed: a watch's lines each by itself, everything else as a whole.
pub(crate) struct BoundedBody<B> {
    inner: Pin<Box<B>>,
    by_line: bool,
    longest: usize,
    read: usize,
}

impl<B> BoundedBody<B> {
    /// Whether what has just come is too much.
    fn exceeds(&mut self, data: &[u8]) -> bool {
        if !self.by_line {
            self.read += data.len();
            return self.read > self.longest;
        }
        for (number, part) in data.split(|&byte| byte == b'\n').enumerate() {
            self.read = if number == 0 { self.read + part.len() } else { part.len() };
            if self.read > self.longest {
                return true;
            }
        }
        false
    }
}

impl<B> HttpBody for BoundedBody<B>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<Source>,
{
    type Data = Bytes;
    type Error = Source;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Source>>> {
        let Some(frame) = ready!(self.inner.as_mut().poll_frame(cx)) else { return Poll::Ready(None) };
        let frame = frame.map_err(Into::into)?;
        if frame.data_ref().is_some_and(|data| self.exceeds(data)) {
            let words = format!("an answer of more than {} bytes is not read", self.longest);
            return Poll::Ready(Some(Err(words.into())));
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests;
