//! Bodies: JSON or urlencoded, of bounded size and time. Other content types count as an empty body.

use actix_web::HttpRequest;
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::rt::time::timeout;
use actix_web::web::{Bytes, BytesMut, Payload};
use futures::StreamExt as _;
use serde_json::error::Category;
use serde_json::{Map, Value};

use crate::form::Form;
use crate::origin::header;
use crate::problem::{
    BODY_UNREADABLE, Detail, DetailContext, ENCODING_UNSUPPORTED, INVALID_JSON, PAYLOAD_TOO_LARGE, Problem, Retry,
    SLOW_BODY,
};
use crate::{Limits, query};

/// Reads the body as a form.
pub(crate) async fn form(request: &HttpRequest, payload: Payload, limits: &Limits) -> Result<Form, Problem> {
    let content_type = header(request.headers(), CONTENT_TYPE.as_str()).and_then(|value| value.split(';').next());
    let content_type = content_type.unwrap_or_default().trim().to_ascii_lowercase();
    let fields = match content_type.as_str() {
        "application/json" => json(&read(request, payload, limits).await?)?,
        "application/x-www-form-urlencoded" => query::fields(&read(request, payload, limits).await?),
        _ => Map::new(),
    };
    Ok(Form::new(fields))
}

/// Reads the body as it is.
pub(crate) async fn read(request: &HttpRequest, payload: Payload, limits: &Limits) -> Result<Bytes, Problem> {
    let encoding = header(request.headers(), CONTENT_ENCODING.as_str()).unwrap_or("identity");
    if !encoding.eq_ignore_ascii_case("identity") {
        return Err(Problem::new(ENCODING_UNSUPPORTED, "Encoded bodies are not read."));
    }
    let max = limits.body_bytes;
    let too_large =
        || Problem::new(PAYLOAD_TOO_LARGE, format!("The body has more than {max} bytes.")).with("limit", max);
    let announced = header(request.headers(), CONTENT_LENGTH.as_str()).and_then(|value| value.parse::<u64>().ok());
    if announced.is_some_and(|length| length > max as u64) {
        return Err(too_large());
    }
    match timeout(limits.body_time, collect(payload, max)).await {
        Ok(Ok(Some(bytes))) => Ok(bytes),
        Ok(Ok(None)) => Err(too_large()),
        Ok(Err(_)) => Err(Problem::new(BODY_UNREADABLE, "The body ended before it was complete.")),
        Err(_) => Err(Problem::new(SLOW_BODY, "The body did not arrive in time.").retry(Retry::Seconds(1))),
    }
}

/// The whole body; none when it is larger than `max`, and then its rest is unread.
async fn collect(mut payload: Payload, max: usize) -> Result<Option<Bytes>, PayloadError> {
    let mut bytes = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece?;
        if bytes.len() + piece.len() > max {
            return Ok(None);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Some(bytes.freeze()))
}

fn json(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Problem::validation(vec![Detail {
            message: "the body must be an object".to_owned(),
            path: Vec::new(),
            kind: "object.base",
            context: DetailContext { label: "body".to_owned(), key: "body".to_owned(), limit: None },
        }])),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            // Never the parser's own words: they may quote the body.
            let what = match error.classify() {
                Category::Eof => "ends too early",
                Category::Io | Category::Syntax | Category::Data => "cannot be read",
            };
            let message = format!("The body is not valid JSON: it {what} at line {line}, column {column}.");
            Err(Problem::new(INVALID_JSON, message).with("line", line).with("column", column))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_json_is_named_with_its_place() {
        for (text, message) in [
            ("{\"a\":1,}", "The body is not valid JSON: it cannot be read at line 1, column 8."),
            ("{\n\"a\":", "The body is not valid JSON: it ends too early at line 2, column 4."),
            ("{'a': 'secret'}", "The body is not valid JSON: it cannot be read at line 1, column 2."),
        ] {
            assert_eq!(json(text.as_bytes()).unwrap_err().message, message, "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_and_not_followed() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));

        assert_eq!(json(deep.as_bytes()).unwrap_err().row, INVALID_JSON);
    }

    #[test]
    fn an_empty_body_is_an_empty_object() {
        assert!(json(b"").unwrap().is_empty());
        assert!(json(b"\xef\xbb\xbf \n").unwrap().is_empty());
        assert_eq!(json(b"[]").unwrap_err().details[0].kind, "object.base");
    }
}
