//! What is seen of a request from outside: its span, its log line, its numbers.
//!
//! Attributes have the names of OpenTelemetry's stable HTTP conventions. There is no query string among them, no header but the client's
//! name for itself, and no body: tokens and passwords travel in those.

use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use shopwright_ports::identity_api::Origin;
use shopwright_ports::telemetry::Attribute::{Number, Text};
use shopwright_ports::telemetry::{Observation, SpanFacts, Telemetry, TraceContext, trace_id};
use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::problem::Occurrence;

/// One request under way.
pub(crate) struct Seen {
    pub(crate) span: Span,
    method: &'static str,
    /// Where it stands in its trace.
    place: Option<TraceContext>,
}

/// What became of it.
pub(crate) struct Ended<'a> {
    /// The pattern that it was led to; empty when there is none.
    pub(crate) route: &'static str,
    pub(crate) status: StatusCode,
    /// The code of the error, if it was one.
    pub(crate) code: Option<&'static str>,
    pub(crate) duration: Duration,
    pub(crate) occurrence: &'a Occurrence,
    pub(crate) ip: Option<&'a str>,
}

/// Methods that routes have; whatever else clients think of is one word.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

impl Seen {
    /// A request comes in. Its place in the trace, new or the client's, is from now on what `origin` hands on.
    pub(crate) fn begin(telemetry: &Telemetry, method: &Method, path: &str, origin: &mut Origin) -> Self {
        let method = known(method);
        let request_id = origin.request_id.as_str();
        let span = info_span!(parent: None, "request", requestId = request_id, traceId = Empty, otel.kind = "server");
        if let Some(traceparent) = origin.traceparent.clone() {
            let from = TraceContext { traceparent, tracestate: origin.tracestate.clone() };
            telemetry.resume(&span, &from);
        }
        let place = telemetry.place(&span);
        if let Some(place) = &place {
            origin.traceparent = Some(place.traceparent.clone());
            origin.tracestate.clone_from(&place.tracestate);
        }
        span.record("traceId", trace_id(origin.traceparent.as_deref()));
        let mut attributes =
            vec![("http.request.method", Text(method)), ("url.path", Text(path)), ("url.scheme", Text("http"))];
        attributes.extend(origin.ip_address.as_deref().map(|address| ("client.address", Text(address))));
        attributes.extend(origin.user_agent.as_deref().map(|agent| ("user_agent.original", Text(agent))));
        telemetry.describe(&span, &SpanFacts { attributes: &attributes, ..SpanFacts::default() });
        Self { span, method, place }
    }

    /// Where it stands in its trace, for the answer.
    pub(crate) fn place(&self) -> Option<&TraceContext> {
        self.place.as_ref()
    }

    /// It was answered.
    pub(crate) fn end(&self, telemetry: &Telemetry, ended: &Ended<'_>) {
        let (status, method) = (ended.status.as_u16(), self.method);
        let name = if ended.route.is_empty() { method.to_owned() } else { format!("{method} {}", ended.route) };
        let facts = SpanFacts {
            name: Some(&name),
            attributes: &[("http.response.status_code", Number(status.into())), ("http.route", Text(ended.route))],
            error: ended.status.is_server_error().then(|| ended.code.unwrap_or(ended.status.as_str())),
        };
        telemetry.describe(&self.span, &facts);
        let (path, ip) = (ended.occurrence.path.as_str(), ended.ip);
        let duration = ended.duration.as_millis();
        self.span.in_scope(|| {
            if status >= 400 {
                tracing::warn!(
                    method,
                    path,
                    statusCode = status,
                    durationMs = duration,
                    ip,
                    code = ended.code,
                    "answered"
                );
            } else {
                tracing::info!(method, path, statusCode = status, durationMs = duration, ip, "answered");
            }
        });
        let Ended { route, duration, .. } = *ended;
        telemetry.observe(Observation::Request { method, route, status, duration });
        if let Some(event) = security_event(ended) {
            telemetry.observe(Observation::Security { event });
        }
    }
}

/// What an answer says about who wanted to come in.
fn security_event(ended: &Ended<'_>) -> Option<&'static str> {
    match (ended.route, ended.status.as_u16(), ended.code) {
        ("/api/v1/auth/register", 201, _) => Some("registration"),
        ("/api/v1/auth/login", 200, _) => Some("login_success"),
        (_, _, Some("INVALID_CREDENTIALS")) => Some("login_failed"),
        (_, _, Some("ACCOUNT_LOCKED")) => Some("account_locked"),
        (_, _, Some("LOGIN_RATE_LIMITED")) => Some("login_rate_limited"),
        (_, _, Some("REGISTRATION_RATE_LIMITED")) => Some("registration_rate_limited"),
        (_, _, Some("SESSION_OVER")) => Some("session_refused"),
        (_, _, Some("UNAUTHORIZED")) if ended.occurrence.with_token => Some("token_refused"),
        (_, _, Some("FORBIDDEN" | "INSUFFICIENT_SCOPE" | "SESSION_REQUIRED")) => Some("access_denied"),
        (_, _, Some("CROSS_SITE_REQUEST")) => Some("cross_site_request"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
