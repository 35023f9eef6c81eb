//! A problem as an answer: the envelope of v1 or RFC 9457, both with the request id, the same code and the same headers.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use shopwright_domain::RequestId;

use super::{Detail, INSUFFICIENT_SCOPE, Problem, Retry, Shape};

/// The request that met the problem.
#[derive(Debug, Clone)]
pub(crate) struct Occurrence {
    pub(crate) request_id: RequestId,
    pub(crate) path: String,
    pub(crate) shape: Shape,
    pub(crate) now: Timestamp,
    /// Whether it came with credentials, which then were not good enough.
    pub(crate) with_token: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    request_id: &'a str,
    error: EnvelopeError<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EnvelopeError<'a> {
    code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<&'static str>,
    retryable: bool,
    #[serde(skip_serializing_if = "Map::is_empty")]
    metadata: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "<[Detail]>::is_empty")]
    details: &'a [Detail],
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rfc9457<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    detail: &'a str,
    instance: &'a str,
    code: &'static str,
    request_id: &'a str,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<&'static str>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    metadata: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<i64>,
}

/// Whole seconds until asking again makes sense, never less than one.
fn seconds(retry: Retry, now: Timestamp) -> i64 {
    match retry {
        Retry::Seconds(seconds) => seconds,
        Retry::Until(until) => ((until.as_millisecond() - now.as_millisecond()).max(1) + 999) / 1000,
    }
}

fn envelope(
    problem: &Problem,
    occurrence: &Occurrence,
    retry_after_seconds: Option<i64>,
) -> serde_json::Result<String> {
    serde_json::to_string(&Envelope {
        request_id: occurrence.request_id.as_str(),
        error: EnvelopeError {
            code: problem.row.code,
            message: &problem.message,
            suggestion: problem.row.suggestion,
            retryable: problem.row.retryable,
            metadata: &problem.metadata,
            details: &problem.details,
            retry_after_seconds,
        },
    })
}

fn rfc9457(problem: &Problem, occurrence: &Occurrence, retry_after_seconds: Option<i64>) -> serde_json::Result<String> {
    let words = problem.row.code.to_ascii_lowercase().replace('_', " ");
    let title: String =
        words.chars().take(1).map(|first| first.to_ascii_uppercase()).chain(words.chars().skip(1)).collect();
    let error = |detail: &Detail| {
        let keys: Vec<String> = detail.path.iter().map(|key| key.replace('~', "~0").replace('/', "~1")).collect();
        let pointer = keys.iter().fold(String::new(), |pointer, key| pointer + "/" + key);
        json!({"pointer": pointer, "detail": detail.message, "type": detail.kind})
    };
    serde_json::to_string(&Rfc9457 {
        kind: format!("tag:shopwright.dev,2026:problem/{}", words.replace(' ', "-")),
        title,
        status: problem.row.status.as_u16(),
        detail: &problem.message,
        instance: &occurrence.path,
        code: problem.row.code,
        request_id: occurrence.request_id.as_str(),
        retryable: problem.row.retryable,
        suggestion: problem.row.suggestion,
        metadata: &problem.metadata,
        errors: problem.details.iter().map(error).collect(),
        retry_after_seconds,
    })
}

/// The answer. Faults of ours and of what we stand on are logged here, once.
pub(crate) fn render(problem: &Problem, occurrence: &Occurrence) -> HttpResponse {
    if let Some(cause) = &problem.cause {
        let (request_id, code) = (occurrence.request_id.as_str(), problem.row.code);
        tracing::error!(requestId = request_id, code, cause, "a request failed");
    }
    let retry_after = problem.retry.map(|retry| seconds(retry, occurrence.now));
    let (content_type, body) = match occurrence.shape {
        Shape::Envelope => ("application/json", envelope(problem, occurrence, retry_after)),
        Shape::Rfc9457 => ("application/problem+json", rfc9457(problem, occurrence, retry_after)),
    };
    let Ok(body) = body else {
        return HttpResponse::InternalServerError().finish();
    };

    let mut answer = HttpResponse::build(problem.row.status);
    answer.insert_header((CONTENT_TYPE, content_type));
    if let Some(seconds) = retry_after {
        answer.insert_header((RETRY_AFTER, seconds.to_string()));
    }
    if problem.row.status == StatusCode::UNAUTHORIZED {
        let invalid = occurrence.with_token && problem.row.code == "UNAUTHORIZED";
        let challenge = if invalid {
            r#"Bearer realm="shopwright", error="invalid_token""#
        } else {
            r#"Bearer realm="shopwright""#
        };
        answer.insert_header((WWW_AUTHENTICATE, challenge));
    }
    if problem.row == INSUFFICIENT_SCOPE {
        let scope = problem.metadata.get("scope").and_then(Value::as_str).unwrap_or_default();
        let challenge = format!(r#"Bearer realm="shopwright", error="insufficient_scope", scope="{scope}""#);
        answer.insert_header((WWW_AUTHENTICATE, challenge));
    }
    // The rest of such a body is not worth reading: the connection ends with the answer.
    if matches!(problem.row.status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT) {
        answer.insert_header((CONNECTION, "close"));
    }
    answer.body(body)
}

#[cfg(test)]
mod tests {
    use actix_web::body::{MessageBody, to_bytes};
    use jiff::SignedDuration;

    use super::*;
    use crate::problem::{DetailContext, INTERNAL, UNAUTHORIZED};

    fn occurrence(shape: Shape) -> Occurrence {
        Occurrence {
            request_id: RequestId::from_random(1),
            path: "/api/v1/stores".into(),
            shape,
            now: Timestamp::UNIX_EPOCH,
            with_token: true,
        }
    }

    async fn text<B: MessageBody>(response: HttpResponse<B>) -> String {
        let bytes = to_bytes(response.into_body()).await.ok().unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    fn too_short() -> Problem {
        Problem::validation(vec![Detail {
            message: "password must have at least 8 characters".into(),
            path: vec!["password".into()],
            kind: "string.min",
            context: DetailContext { label: "password".into(), key: "password".into(), limit: Some(8) },
        }])
    }

    #[actix_web::test]
    async fn the_envelope_is_the_one_of_v1() {
        let answer = render(&too_short(), &occurrence(Shape::Envelope));

        assert_eq!(answer.headers().get(CONTENT_TYPE).unwrap(), "application/json");
        insta::assert_snapshot!(text(answer).await, @r#"
        {"requestId":"req_000000000001","error":{"code":"VALIDATION_ERROR","message":"password must have at least 8 characters","suggestion":"Correct the fields named in `details`.","retryable":false,"details":[{"message":"password must have at least 8 characters","path":["password"],"type":"string.min","context":{"label":"password","key":"password","limit":8}}]}}
        "#);
    }

    #[actix_web::test]
    async fn rfc_9457_says_the_same_in_its_own_words() {
        let answer = render(&too_short(), &occurrence(Shape::Rfc9457));

        assert_eq!(answer.headers().get(CONTENT_TYPE).unwrap(), "application/problem+json");
        insta::assert_snapshot!(text(answer).await, @r#"
        {"type":"tag:shopwright.dev,2026:problem/validation-error","title":"Validation error","status":400,"detail":"password must have at least 8 characters","instance":"/api/v1/stores","code":"VALIDATION_ERROR","requestId":"req_000000000001","retryable":false,"suggestion":"Correct the fields named in `details`.","errors":[{"detail":"password must have at least 8 characters","pointer":"/password","type":"string.min"}]}
        "#);
    }

    #[actix_web::test]
    async fn the_rest_of_a_window_is_rounded_up_and_never_zero() {
        for (rest, expected) in [
            (SignedDuration::from_millis(1), "1"),
            (SignedDuration::from_millis(2001), "3"),
            (SignedDuration::from_secs(-5), "1"),
        ] {
            let problem = Problem::new(INTERNAL, "").retry(Retry::Until(Timestamp::UNIX_EPOCH + rest));

            let answer = render(&problem, &occurrence(Shape::Envelope));

            assert_eq!(answer.headers().get(RETRY_AFTER).unwrap(), expected, "{rest}");
        }
    }

    #[actix_web::test]
    async fn a_401_names_its_scheme() {
        let answer = render(&Problem::new(UNAUTHORIZED, "Sign in first"), &occurrence(Shape::Envelope));

        let challenge = answer.headers().get(WWW_AUTHENTICATE).unwrap();
        assert_eq!(challenge, r#"Bearer realm="shopwright", error="invalid_token""#);
    }
}
