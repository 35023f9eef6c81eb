//! The port [`Traces`] on OpenTelemetry.

use std::collections::HashMap;

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Status, TraceContextExt};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use shopwright_ports::telemetry::{Attribute, SpanFacts, TraceContext, Traces};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Ties spans together by W3C Trace Context.
#[derive(Debug, Default)]
pub struct OtelTraces {
    propagator: TraceContextPropagator,
}

impl Traces for OtelTraces {
    fn resume(&self, span: &Span, from: &TraceContext) {
        let mut carrier = HashMap::from([("traceparent".to_owned(), from.traceparent.clone())]);
        if let Some(tracestate) = &from.tracestate {
            carrier.insert("tracestate".to_owned(), tracestate.clone());
        }
        // Fails where nobody traces.
        let _ = span.set_parent(self.propagator.extract(&carrier));
    }

    fn place(&self, span: &Span) -> Option<TraceContext> {
        let context = span.context();
        if !context.span().span_context().is_valid() {
            return None;
        }
        let mut carrier = HashMap::new();
        self.propagator.inject_context(&context, &mut carrier);
        let tracestate = carrier.remove("tracestate").filter(|tracestate| !tracestate.is_empty());
        Some(TraceContext { traceparent: carrier.remove("traceparent")?, tracestate })
    }

    fn describe(&self, span: &Span, facts: &SpanFacts<'_>) {
        let context = span.context();
        if !context.span().is_recording() {
            return;
        }
        if let Some(name) = facts.name {
            context.span().update_name(name.to_owned());
        }
        for (name, value) in facts.attributes {
            match *value {
                Attribute::Text(text) => span.set_attribute(*name, text.to_owned()),
                Attribute::Number(number) => span.set_attribute(*name, number),
            }
        }
        if let Some(kind) = facts.error {
            span.set_attribute("error.type", kind.to_owned());
            span.set_status(Status::error(""));
        }
    }
}
