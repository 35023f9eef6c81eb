//! Where a request comes from: its id, the peer's address, its trace context. The frame works it out once per request.

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use shopwright_domain::RequestId;
use shopwright_domain::network::TrustedProxies;
use shopwright_ports::clock::Entropy;
use shopwright_ports::identity_api::Origin;

use crate::problem::Problem;

/// So much of what a client calls itself is kept.
const USER_AGENT_KEPT: usize = 200;

/// The origin of the request at hand.
#[derive(Debug, Clone)]
pub(crate) struct From(pub(crate) Origin);

impl From {
    /// What the request says about itself where that can be believed: only proxies of ours name the client's address.
    pub(crate) fn of(request: &ServiceRequest, entropy: &dyn Entropy, proxies: &TrustedProxies) -> Self {
        let header = |name| header(request.headers(), name);
        let traceparent = header("traceparent").filter(|value| is_traceparent(value));
        let request_id = header("x-request-id").and_then(|id| id.parse().ok());
        Self(Origin {
            request_id: request_id.unwrap_or_else(|| RequestId::from_random(entropy.u64())),
            user_agent: header("user-agent").map(|agent| agent.chars().take(USER_AGENT_KEPT).collect()),
            ip_address: request.peer_addr().map(|peer| {
                let (forwarded, list) = (joined(request, "forwarded"), joined(request, "x-forwarded-for"));
                proxies.client(peer.ip(), forwarded.as_deref(), list.as_deref()).to_string()
            }),
            tracestate: traceparent
                .and_then(|_| header("tracestate"))
                .filter(|value| is_tracestate(value))
                .map(str::to_owned),
            traceparent: traceparent.map(str::to_owned),
            credential: None,
        })
    }
}

impl FromRequest for From {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let origin = request.extensions().get::<Self>().cloned();
        std::future::ready(origin.ok_or_else(|| Problem::internal("a handler outside the frame")))
    }
}

/// All headers of one name as one list. Somebody who adds one of their own must not hide what a proxy wrote.
fn joined(request: &ServiceRequest, name: &str) -> Option<String> {
    let mut values = request.headers().get_all(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let first = values.next()?.to_owned();
    Some(values.fold(first, |list, value| list + "," + value))
}

/// A header as text; one with other characters counts as absent.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Version 00 of W3C Trace Context: `00-<trace>-<span>-<flags>`, lower case, no id all zeros.
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &str, length| part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let not_zero = |part: &str| part.bytes().any(|b| b != b'0');
    match parts.as_slice() {
        ["00", trace, span, flags] => {
            hex(trace, 32) && hex(span, 16) && hex(flags, 2) && not_zero(trace) && not_zero(span)
        }
        _ => false,
    }
}

/// What other tracers have to say, within the size that everybody has to pass on. What it means is theirs to know.
fn is_tracestate(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 512
        && text.contains('=')
        && text.bytes().all(|b| matches!(b, b' '..=b'~' | b'\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_trace_context_is_carried_on() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(is_traceparent(good));

        for bad in [
            "",
            "00",
            &good.to_uppercase(),
            &good.replace("00-4b", "ff-4b"),
            &good.replace("00f067aa0ba902b7", "0000000000000000"),
            &format!("{good}-more"),
            &format!("{good}\u{e4}"),
        ] {
            assert!(!is_traceparent(bad), "{bad}");
        }
    }
}
