//! Log lines: one JSON object each for machines, text for people.
//!
//! A line holds what its event says and, from the spans around it, whose it is: `requestId`, `traceId`, `operationId`, `storeId`, `epoch`
//! and the like. Fields are spelt like those of the API. What only tracers read, names with a dot, is left out.

use std::fmt::{self, Write as _};
use std::io::Write as _;

use jiff::Timestamp;
use serde_json::{Map, Value};
use shopwright_ports::clock::Clock as _;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::{LookupSpan, Scope};

use crate::config::LogFormat;
use crate::crypto::SystemClock;

/// Writes a line for every event.
#[derive(Debug)]
pub struct Lines<W> {
    format: LogFormat,
    colours: bool,
    writer: W,
}

impl<W> Lines<W> {
    /// To `writer`; colours are for terminals and for text alone.
    pub const fn new(format: LogFormat, colours: bool, writer: W) -> Self {
        Self { format, colours, writer }
    }
}

/// What a span or an event says.
#[derive(Debug, Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        if !field.name().contains('.') {
            self.0.insert(camel(field.name()), value);
        }
    }
}

/// `operation_id` is `operationId` to everybody outside.
fn camel(name: &str) -> String {
    let mut words = name.trim_start_matches("r#").split('_').filter(|word| !word.is_empty());
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        camel.extend(word.chars().take(1).map(|letter| letter.to_ascii_uppercase()));
        camel.extend(word.chars().skip(1));
    }
    camel
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.put(field, u64::try_from(value).unwrap_or(u64::MAX).into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }
}

const fn word(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

fn json(now: Timestamp, event: &Event<'_>, mut fields: Map<String, Value>) -> String {
    fields.insert("timestamp".into(), now.strftime("%Y-%m-%dT%H:%M:%S.%3f+00:00").to_string().into());
    fields.insert("level".into(), word(*event.metadata().level()).into());
    fields.insert("service".into(), "shopwright".into());
    fields.insert("component".into(), event.metadata().target().into());
    Value::Object(fields).to_string()
}

fn text(now: Timestamp, event: &Event<'_>, mut fields: Map<String, Value>, colours: bool) -> String {
    let level = *event.metadata().level();
    let (on, off) = match level {
        _ if !colours => ("", ""),
        Level::ERROR => ("\x1b[31m", "\x1b[0m"),
        Level::WARN => ("\x1b[33m", "\x1b[0m"),
        _ => ("\x1b[32m", "\x1b[0m"),
    };
    let message = fields.remove("message");
    let message = message.as_ref().and_then(Value::as_str).unwrap_or_default();
    let time = now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ");
    let mut line = format!("{time} {on}{:>5}{off} {}: {message}", word(level), event.metadata().target());
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        let _ = write!(line, " {name}={value}");
    }
    line
}

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(Scope::from_root) {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                fields.0.extend(of_span.0.clone());
            }
        }
        event.record(&mut fields);
        let now = SystemClock.now();
        let mut line = match self.format {
            LogFormat::Json => json(now, event, fields.0),
            LogFormat::Text => text(now, event, fields.0, self.colours),
        };
        line.push('\n');
        // A log that cannot be written has nowhere to say so.
        let _ = self.writer.make_writer_for(event.metadata()).write_all(line.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::json;
    use tracing::info_span;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// What was written.
    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Paper {
        fn of(format: LogFormat, work: impl FnOnce()) -> String {
            let paper = Self::default();
            let writer = paper.clone();
            let lines = Lines::new(format, false, move || writer.clone());
            tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), work);
            let bytes = paper.0.lock().unwrap().clone();
            String::from_utf8(bytes).unwrap()
        }
    }

    fn work() {
        let request = info_span!("request", requestId = "req_1", traceId = tracing::field::Empty, otel.kind = "server");
        let operation = info_span!(parent: &request, "operation", operation_id = "op", epoch = 3);
        request.record("traceId", "abc");
        operation.record("epoch", 4);
        operation.in_scope(|| tracing::warn!(statusCode = 503, "a \"bad\"\nday"));
    }

    #[test]
    fn a_line_is_one_object_that_says_whose_it_is() {
        let text = Paper::of(LogFormat::Json, work);

        assert_eq!(text.lines().count(), 1, "{text}");
        let mut line: Value = serde_json::from_str(&text).unwrap();
        let timestamp = line["timestamp"].take();
        assert!(timestamp.as_str().unwrap().ends_with("+00:00"));
        line.as_object_mut().unwrap().remove("timestamp");
        let expected = json!({
            "level": "warn", "service": "shopwright", "component": "shopwright_app::telemetry::lines::tests",
            "message": "a \"bad\"\nday", "statusCode": 503, "requestId": "req_1", "traceId": "abc", "operationId": "op", "epoch": 4,
        });
        assert_eq!(line, expected);
    }

    #[test]
    fn a_line_for_people_has_the_message_first() {
        let text = Paper::of(LogFormat::Text, || tracing::info!(store_id = "store-1", "ready"));

        assert!(text.contains(" info shopwright_app::telemetry::lines::tests: ready storeId=\"store-1\"\n"), "{text}");
    }
}
