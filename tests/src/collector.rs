//! A collector of OpenTelemetry on the loopback interface: takes spans by OTLP over HTTP in JSON, and shows them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

/// One span that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentSpan {
    /// Its trace.
    pub trace_id: String,
    /// Itself.
    pub span_id: String,
    /// The span it belongs under; empty at the root.
    pub parent_id: String,
    /// What it is called.
    pub name: String,
    /// All that was sent of it.
    pub text: String,
}

/// Takes what is sent for as long as the process lives.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    spans: Arc<Mutex<Vec<SentSpan>>>,
}

impl Collector {
    /// Begins to listen.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, spans) = (listener.local_addr()?, Arc::<Mutex<Vec<SentSpan>>>::default());
        let kept = spans.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // What breaks off was not sent.
                if let Ok(sent) = take(stream) {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).extend(sent);
                }
            }
        });
        Ok(Self { address, spans })
    }

    /// What a program needs to know of it.
    pub fn environment(&self) -> [(&'static str, String); 3] {
        [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", self.address)),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json".to_owned()),
            ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned()),
        ]
    }

    /// What was sent so far.
    pub fn spans(&self) -> Vec<SentSpan> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One request, answered.
fn take(mut stream: TcpStream) -> anyhow::Result<Vec<SentSpan>> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else {
            if line.trim().is_empty() {
                break;
            }
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    stream.write_all(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
    )?;
    Ok(spans_of(&serde_json::from_slice(&body)?))
}

fn spans_of(sent: &Value) -> Vec<SentSpan> {
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let scopes = list(sent, "resourceSpans").into_iter().flat_map(move |resource| list(&resource, "scopeSpans"));
    let spans = scopes.flat_map(move |scope| list(&scope, "spans"));
    let text = |span: &Value, key: &str| span[key].as_str().unwrap_or_default().to_owned();
    let sent = |span: Value| SentSpan {
        trace_id: text(&span, "traceId"),
        span_id: text(&span, "spanId"),
        parent_id: text(&span, "parentSpanId"),
        name: text(&span, "name"),
        text: span.to_string(),
    };
    spans.map(sent).collect()
}
