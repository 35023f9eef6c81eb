//! Driven ports: what happened, for those who measure, and the ties between spans and the traces of others.
//!
//! Whoever reports does not know what becomes of it: numbers, nothing, a test's list. Reporting never fails and never waits. No observation
//! names a store, a tenant, a person or a path: what is counted has few different values.

use std::sync::Arc;
use std::time::Duration;

use shopwright_domain::ErrorCode;
use shopwright_domain::operation::{OperationKind, OperationStatus};
use shopwright_domain::saga::Step;
use shopwright_domain::store::EngineName;
use tracing::Span;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// A request was answered.
    Request {
        /// The method; `OTHER` for one that no route has.
        method: &'static str,
        /// The route's pattern; empty for a path that no route has.
        route: &'static str,
        /// The status of the answer.
        status: u16,
        /// How long it took.
        duration: Duration,
    },
    /// Something about who may come in.
    Security {
        /// What, in one of [`SECURITY_EVENTS`].
        event: &'static str,
    },
    /// A worker took an operation.
    Claimed {
        /// What it does.
        kind: OperationKind,
        /// How long it had been claimable; only for its first claim.
        waited: Option<Duration>,
        /// Whether another worker died or stalled on it.
        taken_over: bool,
    },
    /// A step came to an end.
    Step {
        /// The store's engine.
        engine: EngineName,
        /// Which one.
        step: Step,
        /// How long this attempt took.
        duration: Duration,
        /// Why it failed, if it did.
        error: Option<ErrorCode>,
    },
    /// An operation came to an end.
    Operation {
        /// What it did.
        kind: OperationKind,
        /// The store's engine.
        engine: EngineName,
        /// How it ended.
        status: OperationStatus,
        /// Since it was asked for.
        duration: Duration,
        /// The step and the reason, when it failed.
        failure: Option<(Step, ErrorCode)>,
    },
    /// A worker lost its lease.
    LeaseLost,
}

/// Every word of [`Observation::Security`]. The first six are v1's.
pub const SECURITY_EVENTS: &[&str] = &[
    "registration",
    "login_success",
    "login_failed",
    "account_locked",
    "login_rate_limited",
    "registration_rate_limited",
    "session_refused",
    "token_refused",
    "access_denied",
    "cross_site_request",
];

/// Takes note of what happens.
pub trait Observer: Send + Sync {
    /// It happened just now.
    fn observe(&self, observation: Observation);
}

/// A place in a trace, in the words of W3C Trace Context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// Trace, span and whether it is recorded: `00-<trace>-<span>-<flags>`.
    pub traceparent: String,
    /// What others have to say about the trace.
    pub tracestate: Option<String>,
}

impl TraceContext {
    /// The trace; nothing when the context is none.
    pub fn trace_id(&self) -> Option<&str> {
        trace_id(Some(&self.traceparent))
    }
}

/// The trace that a `traceparent` belongs to.
pub fn trace_id(traceparent: Option<&str>) -> Option<&str> {
    traceparent?.split('-').nth(1)
}

/// The value of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute<'a> {
    /// A word.
    Text(&'a str),
    /// A number.
    Number(i64),
}

/// What only tracers want to know of a span, under the names of OpenTelemetry's conventions. Secrets are no facts.
#[derive(Debug, Clone, Copy, Default)]
pub struct SpanFacts<'a> {
    /// What it is called.
    pub name: Option<&'a str>,
    /// What it is about.
    pub attributes: &'a [(&'static str, Attribute<'a>)],
    /// What went wrong in it, as a word.
    pub error: Option<&'a str>,
}

/// Ties the spans of this process to traces that began elsewhere.
pub trait Traces: Send + Sync {
    /// The span goes on where `from` was taken. Only before anything happened in it.
    fn resume(&self, span: &Span, from: &TraceContext);

    /// The place of `span`, for others to go on from. `None` when nobody traces.
    fn place(&self, span: &Span) -> Option<TraceContext>;

    /// Adds to what is known of `span`, if it is recorded.
    fn describe(&self, span: &Span, facts: &SpanFacts<'_>);
}

/// Both ports in one hand.
#[derive(Clone)]
pub struct Telemetry {
    observer: Arc<dyn Observer>,
    traces: Arc<dyn Traces>,
}

impl Telemetry {
    /// Ties spans together by `traces` instead.
    #[must_use]
    pub fn traced_by(self, traces: Arc<dyn Traces>) -> Self {
        Self { traces, ..self }
    }

    /// Reports to `observer` instead.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer, ..self }
    }

    /// It happened just now.
    pub fn observe(&self, observation: Observation) {
        self.observer.observe(observation);
    }

    /// See [`Traces::resume`].
    pub fn resume(&self, span: &Span, from: &TraceContext) {
        self.traces.resume(span, from);
    }

    /// See [`Traces::describe`].
    pub fn describe(&self, span: &Span, facts: &SpanFacts<'_>) {
        self.traces.describe(span, facts);
    }

    /// See [`Traces::place`].
    pub fn place(&self, span: &Span) -> Option<TraceContext> {
        self.traces.place(span)
    }
}

/// Nobody measures and nobody traces.
impl Default for Telemetry {
    fn default() -> Self {
        Self { observer: Arc::new(Nobody), traces: Arc::new(Nobody) }
    }
}

impl std::fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telemetry").finish_non_exhaustive()
    }
}

struct Nobody;

impl Observer for Nobody {
    fn observe(&self, _: Observation) {}
}

impl Traces for Nobody {
    fn resume(&self, _: &Span, _: &TraceContext) {}

    fn place(&self, _: &Span) -> Option<TraceContext> {
        None
    }

    fn describe(&self, _: &Span, _: &SpanFacts<'_>) {}
}
