//! What a client is told about its limits: `RateLimit-Policy`, `-Limit`, `-Remaining` and `-Reset` on every answer.

use std::net::IpAddr;

use actix_web::HttpMessage;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use shopwright_domain::limits::Meter;
use shopwright_domain::network::network_of;
use shopwright_ports::gate_api::{Payer, TooMany};
use shopwright_ports::identity_api::Origin;

use crate::State;
use crate::problem::{Problem, RATE_LIMITED, Retry};

/// The limit that a request counted against, for its answer. The last one that was noted is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted(pub(crate) Meter);

/// Notes what the answer to `request` shall show.
pub(crate) fn note(request: &impl HttpMessage, meter: Meter) {
    request.extensions_mut().insert(Counted(meter));
}

/// The address of a request as one that pays.
pub(crate) fn address_of(origin: &Origin) -> Payer {
    let address = origin.ip_address.as_deref().unwrap_or_default();
    Payer::Address(address.parse::<IpAddr>().map_or_else(|_| String::new(), |address| network_of(address).to_string()))
}

fn refusal(refused: &TooMany) -> Problem {
    let rate = refused.meter.rate;
    let message = format!("More than {} requests in {} seconds: wait a moment.", rate.limit, rate.window.as_secs());
    Problem::new(RATE_LIMITED, message).retry(Retry::Until(refused.until))
}

/// Lets the request in at the expense of `payer`, and notes what is left.
pub(crate) async fn admit(state: &State, request: &impl HttpMessage, payer: &Payer) -> Result<(), Problem> {
    let admitted = state.api.gate.admit(payer).await;
    note(request, admitted.unwrap_or_else(|refused| refused.meter));
    admitted.map(|_| ()).map_err(|refused| refusal(&refused))
}

/// Writes the headers.
pub(crate) fn show(headers: &mut HeaderMap, meter: &Meter) {
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    let rate = meter.rate;
    set("ratelimit-policy", format!("{};w={}", rate.limit, rate.window.as_secs()));
    set("ratelimit-limit", rate.limit.to_string());
    set("ratelimit-remaining", meter.remaining.to_string());
    set("ratelimit-reset", meter.reset_seconds().to_string());
}
