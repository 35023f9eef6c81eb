//! What happens around every handler: request id, one spelling of paths, limits, errors rendered, headers set, what is seen of it told.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONNECTION, HeaderMap, HeaderName, HeaderValue, ORIGIN, STRICT_TRANSPORT_SECURITY,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use shopwright_ports::telemetry::TraceContext;
use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument;

use shopwright_ports::gate_api::Payer;

use crate::conditional::weakly;
use crate::health::PROBES;
use crate::observe::{Ended, Seen};
use crate::problem::{NOT_FOUND, Occurrence, Problem, Retry, SHUTTING_DOWN, Shape, render};
use crate::rate_limit::Counted;
use crate::unread::Unread;
use crate::{State, cors, origin, paths, rate_limit, routes};

/// The policy of pages that this origin serves: scripts from files of ours alone. No `upgrade-insecure-requests`, for we speak plain HTTP.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; connect-src 'self'; font-src 'self'; \
    base-uri 'self'; form-action 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; \
    object-src 'none'; frame-ancestors 'none'; script-src-attr 'none'";

/// So much of a path is logged and given back; it may have 64 KiB.
const PATH_SHOWN: usize = 256;

static HEADERS: [(HeaderName, &str); 12] = [
    (HeaderName::from_static("content-security-policy"), CONTENT_SECURITY_POLICY),
    (HeaderName::from_static("x-frame-options"), "DENY"),
    (HeaderName::from_static("x-content-type-options"), "nosniff"),
    (HeaderName::from_static("referrer-policy"), "strict-origin-when-cross-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("origin-agent-cluster"), "?1"),
    (HeaderName::from_static("x-dns-prefetch-control"), "off"),
    (HeaderName::from_static("x-download-options"), "noopen"),
    (HeaderName::from_static("x-permitted-cross-domain-policies"), "none"),
    (HeaderName::from_static("x-xss-protection"), "0"),
    // Answers hold tokens, credentials or states that change: nobody may keep one.
    (CACHE_CONTROL, "no-store"),
];

pub(crate) async fn frame(
    state: web::Data<State>,
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let started = state.api.clock.monotonic();
    let mut origin = origin::From::of(&request, state.api.entropy.as_ref(), &state.api.proxies);
    let mut occurrence = Occurrence {
        request_id: origin.0.request_id.clone(),
        path: request.uri().path().chars().take(PATH_SHOWN).collect(),
        shape: Shape::wanted(request.headers()),
        now: state.api.clock.now(),
        with_token: request.headers().contains_key(AUTHORIZATION),
    };
    let seen = Seen::begin(&state.api.telemetry, request.method(), &occurrence.path, &mut origin.0);
    let ip = origin.0.ip_address.clone();
    let payer = rate_limit::address_of(&origin.0);
    let page = request.headers().get(ORIGIN).cloned();
    request.extensions_mut().insert(origin);
    request.extensions_mut().insert(occurrence.clone());
    paths::fold(&mut request);
    let body = Unread::of(&mut request);

    let draining = state.is_draining();
    let answer = if draining && !PROBES.contains(&request.path()) {
        let problem = Problem::new(SHUTTING_DOWN, "The server is shutting down.").retry(Retry::Seconds(2));
        request.into_response(render(&problem, &occurrence))
    } else if cors::is_preflight(&request) {
        request.into_response(cors::preflight())
    } else {
        let_in(&state, &payer, &occurrence, request, next).instrument(seen.span.clone()).await?
    };
    occurrence.now = state.api.clock.now();
    let code = answer.response().error().and_then(|error| error.as_error::<Problem>()).map(|problem| problem.row.code);
    let answer = seen.span.in_scope(|| rendered(answer, &occurrence));
    let mut answer = weakly(answer, occurrence.request_id.as_str());

    let counted = answer.request().extensions().get::<Counted>().copied();
    let meter = counted
        .map_or_else(|| state.api.gate.look(&payer).unwrap_or_else(|refused| refused.meter), |counted| counted.0);
    let headers = answer.headers_mut();
    set_headers(headers, &state, &occurrence);
    set_trace_headers(headers, seen.place());
    rate_limit::show(headers, &meter);
    state.api.cors.show(headers, page.as_ref());
    if draining {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let ended = Ended {
        route: routes::pattern(answer.request()),
        status: answer.status(),
        code,
        duration: state.api.clock.monotonic().saturating_sub(started),
        occurrence: &occurrence,
        ip: ip.as_deref(),
    };
    seen.end(&state.api.telemetry, &ended);
    if let Some(body) = body {
        body.answered();
    }
    Ok(answer)
}

/// Counts the request and answers it. Who is signed in pays for themselves; an address pays for what nobody else pays for: requests without
/// a token, and those whose token is not good.
async fn let_in(
    state: &State,
    address: &Payer,
    occurrence: &Occurrence,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    if !request.path().starts_with("/api/") || PROBES.contains(&request.path()) {
        return next.call(request).await;
    }
    // Nobody looks at a token where none is needed.
    let shows_who = occurrence.with_token && !routes::is_open(request.path());
    let mut admitted = rate_limit::admit(state, &request, &Payer::Everybody).await;
    if admitted.is_ok() && !shows_who {
        admitted = rate_limit::admit(state, &request, address).await;
    }
    if let Err(problem) = admitted {
        return Ok(request.into_response(render(&problem, occurrence)));
    }
    let seat = match seated(state, shows_who).await {
        Ok(seat) => seat,
        Err(problem) => return Ok(request.into_response(render(&problem, occurrence))),
    };
    let answer = next.call(request).await?;
    drop(seat);
    if shows_who && answer.status() == StatusCode::UNAUTHORIZED {
        // Neighbours of somebody who tries tokens go on: whose token is good does not come here.
        if let Err(problem) = rate_limit::admit(state, answer.request(), address).await {
            return Ok(answer.into_response(render(&problem, occurrence)));
        }
    }
    Ok(answer)
}

/// Who does not show who they are is let in at once: such requests have limits of their own, and some wait for others to compute.
async fn seated(state: &State, shows_who: bool) -> Result<Option<OwnedSemaphorePermit>, Problem> {
    if shows_who { state.seats.take().await.map(Some) } else { Ok(None) }
}

/// An error that a handler gave, or that actix gave for it, in the shape the client wants.
fn rendered(answer: ServiceResponse, occurrence: &Occurrence) -> ServiceResponse {
    let Some(error) = answer.response().error() else { return answer };
    let body = match error.as_error::<Problem>() {
        Some(problem) => render(problem, occurrence),
        None => render(&foreign(answer.status(), error), occurrence),
    };
    answer.into_response(body)
}

/// Something that actix itself refused; its words may hold anything.
fn foreign(status: StatusCode, error: &Error) -> Problem {
    if status == StatusCode::NOT_FOUND {
        Problem::new(NOT_FOUND, "There is nothing here.")
    } else if status.is_client_error() {
        let row = crate::problem::Row { status, code: "BAD_REQUEST", retryable: false, suggestion: None };
        Problem::new(row, "The request could not be read.")
    } else {
        Problem::internal(error.to_string())
    }
}

fn set_headers(headers: &mut HeaderMap, state: &State, occurrence: &Occurrence) {
    for (name, value) in &HEADERS {
        // The dashboard's files say themselves how long they may be kept.
        if *name == CACHE_CONTROL && headers.contains_key(CACHE_CONTROL) {
            continue;
        }
        headers.insert(name.clone(), HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(occurrence.request_id.as_str()) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    if state.api.https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if state.api.simulated {
        headers.insert(HeaderName::from_static("x-shopwright-simulated"), HeaderValue::from_static("true"));
    }
}

/// Where the answer stands in its trace: whoever asked without a trace of their own finds ours.
fn set_trace_headers(headers: &mut HeaderMap, place: Option<&TraceContext>) {
    let Some(place) = place else { return };
    let values = [("traceparent", Some(&place.traceparent)), ("tracestate", place.tracestate.as_ref())];
    for (name, value) in values {
        if let Some(Ok(value)) = value.map(|value| HeaderValue::from_str(value)) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

#[cfg(test)]
mod tests;
