//! Bodies that an answer does not wait for: refused before anybody read them, too large, too slow.
//!
//! When a handler lets go of a body, actix goes on reading it after the answer, to keep the connection; a body in chunks has no end but the one that
//! its sender chooses, and one that was announced may never come (F68). As long as the body is held instead, actix closes the connection
//! once the answer is out. What has arrived whole is thrown away, and the connection stays.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpMessage as _;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::rt::time::sleep;
use actix_web::web::Bytes;
use futures::{FutureExt as _, Stream, StreamExt as _};

/// Longer than it takes to write an answer.
const HELD: Duration = Duration::from_secs(5);

/// A request's body, shared between whoever reads it and whoever answers.
pub(crate) struct Unread(Rc<RefCell<Body>>);

struct Body {
    payload: Payload,
    /// Nothing more comes.
    over: bool,
}

impl Unread {
    /// Looks over the shoulder of whoever reads the body. None when the request has no body.
    pub(crate) fn of(request: &mut ServiceRequest) -> Option<Self> {
        let payload = request.take_payload();
        if matches!(payload, Payload::None) {
            return None;
        }
        let body = Rc::new(RefCell::new(Body { payload, over: false }));
        request.set_payload(Payload::Stream { payload: Box::pin(Self(Rc::clone(&body))) });
        Some(Self(body))
    }

    /// The answer is made.
    pub(crate) fn answered(mut self) {
        while let Some(Some(Ok(_))) = self.next().now_or_never() {}
        if !self.0.borrow().over {
            actix_web::rt::spawn(async move {
                sleep(HELD).await;
                drop(self);
            });
        }
    }
}

impl Stream for Unread {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut body = self.0.borrow_mut();
        let piece = body.payload.poll_next_unpin(context);
        body.over |= matches!(piece, Poll::Ready(None | Some(Err(_))));
        piece
    }
}
