//! `GET /stores/{id}/events` and `GET /events`: what happens, as server-sent events.
//!
//! A stream is read as fast as its client takes it: nothing waits for it in memory. It ends at once when the server shuts down, and
//! within seconds when whoever follows may not see it any more; an access token that is over ends it too. Whoever comes back with
//! `Last-Event-ID` goes on where the stream ended.

mod frames;
mod slots;

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use actix_web::rt::time::{Instant, Interval, interval_at};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures::future::FusedFuture;
use futures::stream::{Fuse, unfold};
use futures::{FutureExt as _, StreamExt as _, select_biased};
use shopwright_domain::identity::Actor;
use shopwright_ports::events_api::{EventStream, Followed, Told};

use crate::State;
use crate::auth::Authenticated;
use crate::openapi::doc::Doc;
use crate::openapi::examples;
use crate::origin::header;
use crate::problem::Problem;
use crate::stores::id_of;

pub(crate) use slots::{Slot, Streams};

/// When a client that lost its stream comes back, unless it knows better.
const COME_BACK: Duration = Duration::from_secs(2);

/// What happens next on a stream.
enum Turn {
    Told(Told),
    Recheck,
    Heartbeat,
}

/// A stream with its client.
struct Live {
    told: Fuse<EventStream>,
    heartbeat: Interval,
    recheck: Interval,
    drained: Pin<Box<dyn FusedFuture<Output = ()>>>,
    request: HttpRequest,
    actor: Actor,
    _slot: Slot,
}

impl Live {
    /// The next piece of the body; none when the stream is over.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        loop {
            let turn = select_biased! {
                () = &mut self.drained => return None,
                told = self.told.next() => Turn::Told(told?),
                _ = poll_fn(|context| self.recheck.poll_tick(context)).fuse() => Turn::Recheck,
                _ = poll_fn(|context| self.heartbeat.poll_tick(context)).fuse() => Turn::Heartbeat,
            };
            let piece = match turn {
                Turn::Told(told) => frames::of(&told, COME_BACK)?,
                Turn::Heartbeat => frames::heartbeat(),
                Turn::Recheck if self.is_over().await => return None,
                Turn::Recheck => continue,
            };
            self.heartbeat.reset();
            return Some((Ok(piece), self));
        }
    }

    /// Whether whoever follows may not see it any more. As long as that cannot be found out nothing happens either.
    async fn is_over(&self) -> bool {
        match Authenticated::again(&self.request).await {
            Ok(now) => now.context.actor.tenant_id != self.actor.tenant_id || now.context.actor.role != self.actor.role,
            Err(problem) => problem.row.status.is_client_error(),
        }
    }
}

async fn stream(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
    what: Followed,
) -> Result<HttpResponse, Problem> {
    let slot = state.streams.enter(auth.context.actor.user_id)?;
    let last = header(request.headers(), "last-event-id").filter(|last| !last.is_empty()).map(str::to_owned);
    let told = state.api.events.follow(&auth.context, what, last).await?;
    let limits = &state.api.limits;
    let from_now = |period| interval_at(Instant::now() + period, period);
    let live = Live {
        told: told.fuse(),
        heartbeat: from_now(limits.heartbeat),
        recheck: from_now(limits.recheck),
        drained: Box::pin(state.draining().fuse()),
        request,
        actor: auth.context.actor,
        _slot: slot,
    };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        // Whoever stands between may neither compress nor collect it.
        .insert_header((CONTENT_ENCODING, "identity"))
        .insert_header((HeaderName::from_static("x-accel-buffering"), "no"))
        // The connection is of no use afterwards: a shutdown need not wait for it.
        .force_close()
        .streaming(unfold(live, Live::next)))
}

/// The document of a stream.
fn doc(summary: &'static str) -> Doc {
    Doc::text(200, "text/event-stream", summary, &examples::event_stream())
        .refuses(429, "Too many streams are open, TOO_MANY_STREAMS")
}

pub(crate) fn of_store_doc() -> Doc {
    doc("What happens to one store, as server-sent events; `Last-Event-ID` goes on where a stream ended")
}

pub(crate) fn of_everything_doc() -> Doc {
    doc(
        "What happens to all stores that one may see, as server-sent events; `Last-Event-ID` goes on where a stream ended",
    )
}

/// What happens to one store.
pub(crate) async fn of_store(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = id_of(&request)?;
    stream(auth, state, request, Followed::Store(id)).await
}

/// What happens to all stores that one may see.
pub(crate) async fn of_everything(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    stream(auth, state, request, Followed::Everything).await
}

#[cfg(test)]
mod tests;
