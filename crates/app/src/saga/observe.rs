//! What is seen of an operation from outside: its spans, which go on where the request stood in its trace, and its numbers.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shopwright_domain::operation::OperationStatus;
use shopwright_domain::saga::{Step, StepStatus};
use shopwright_ports::storage::Claim;
use shopwright_ports::telemetry::Attribute::{Number, Text};
use shopwright_ports::telemetry::{Observation, SpanFacts, TraceContext};
use tracing::{Span, info_span};

use super::executor::Executor;
use super::run::{Run, RunEnd};

/// A claim whose operation was taken up this recently for the first time is that first time.
const JUST_NOW: SignedDuration = SignedDuration::from_millis(100);

impl Executor {
    /// The span of one attempt at a step.
    pub(super) fn step_span(&self, step: Step) -> Span {
        let span = info_span!("step", %step);
        self.telemetry.describe(&span, &SpanFacts { name: Some(&format!("step {step}")), ..SpanFacts::default() });
        span
    }

    /// The span of one claim, in the trace of the request that asked for the operation. Every log line under it says whose it is.
    pub(crate) fn span(&self, claim: &Claim) -> Span {
        let operation = &claim.operation;
        let traceparent = operation.traceparent.clone();
        let from =
            traceparent.map(|traceparent| TraceContext { traceparent, tracestate: operation.tracestate.clone() });
        let span = info_span!(
            parent: None,
            "operation",
            requestId = operation.request_id.as_ref().map(shopwright_domain::RequestId::as_str),
            traceId = from.as_ref().and_then(TraceContext::trace_id),
            operationId = %operation.id,
            storeId = %claim.store.id,
            epoch = claim.lease.epoch.0,
            kind = %operation.kind,
            engine = %claim.store.engine,
            worker = %claim.lease.worker,
            otel.kind = "consumer",
        );
        if let Some(from) = from {
            self.telemetry.resume(&span, &from);
        }
        let (id, store) = (operation.id.to_string(), claim.store.id.to_string());
        let facts = SpanFacts {
            name: Some(&format!("operation {}", operation.kind)),
            attributes: &[
                ("shopwright.operation.id", Text(&id)),
                ("shopwright.store.id", Text(&store)),
                ("shopwright.store.engine", Text(claim.store.engine.as_str())),
                ("shopwright.epoch", Number(claim.lease.epoch.0)),
            ],
            error: None,
        };
        self.telemetry.describe(&span, &facts);
        span
    }

    pub(super) fn tell_claimed(&self, claim: &Claim) {
        let first = claim.operation.started_at.filter(|at| claim.claimed_at.duration_since(*at) < JUST_NOW);
        let waited = first.map(|at| at.duration_since(claim.operation.created_at));
        self.telemetry.observe(Observation::Claimed {
            kind: claim.operation.kind,
            waited: waited.map(|waited| Duration::try_from(waited).unwrap_or_default()),
            taken_over: claim.taken_over.is_some(),
        });
    }

    /// A step that neither succeeded nor failed was given back, or is somebody else's now: that is no attempt.
    pub(super) fn tell_step(&self, run: &Run<'_>, step: Step, span: &Span, duration: Duration) {
        let Some(record) = run.log.record(step) else { return };
        let error = match record.status {
            StepStatus::Succeeded => None,
            StepStatus::Failed => record.error.as_ref().map(|error| error.code),
            StepStatus::Pending | StepStatus::Started => return,
        };
        if let Some(code) = error {
            self.telemetry.describe(span, &SpanFacts { error: Some(code.as_str()), ..SpanFacts::default() });
        }
        self.telemetry.observe(Observation::Step { engine: run.store.engine.clone(), step, duration, error });
    }

    pub(super) fn tell_ended(&self, run: &Run<'_>, end: &RunEnd, asked_at: Timestamp) {
        let RunEnd::Finished(status) = end else { return };
        let current = run.log.current().filter(|_| *status == OperationStatus::Failed);
        let failure = current.and_then(|record| Some((record.step, record.error.as_ref()?.code)));
        if let Some((_, code)) = failure {
            self.telemetry.describe(&run.span, &SpanFacts { error: Some(code.as_str()), ..SpanFacts::default() });
        }
        let duration = Duration::try_from(self.now(run).duration_since(asked_at)).unwrap_or_default();
        let (kind, engine) = (run.log.kind(), run.store.engine.clone());
        self.telemetry.observe(Observation::Operation { kind, engine, status: *status, duration, failure });
    }
}
