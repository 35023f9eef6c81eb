//! What went wrong, for clients: one type for every error that leaves this crate.
//!
//! The status table is [`table`]: one exhaustive match per error enum. [`mod@render`] gives a problem its shape. Words of a driver never
//! reach a client; they are logged once, where the answer is rendered.

mod accept;
mod render;
mod table;

use std::fmt;
use std::ops::Deref;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use shopwright_ports::identity_api::IdentityError;

pub(crate) use accept::Shape;
pub(crate) use render::{Occurrence, render};
pub(crate) use table::{
    BODY_UNREADABLE, CROSS_SITE, ENCODING_UNSUPPORTED, INSUFFICIENT_SCOPE, INTERNAL, INVALID_JSON, NOT_FOUND,
    OVERLOADED, PAYLOAD_TOO_LARGE, PERSON_REQUIRED, PRECONDITION_FAILED, RATE_LIMITED, SESSION_OVER, SHUTTING_DOWN,
    SLOW_BODY, TIMED_OUT, TOO_MANY_STREAMS, UNAUTHORIZED, VALIDATION,
};

/// One line of the status table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) retryable: bool,
    pub(crate) suggestion: Option<&'static str>,
}

impl Row {
    /// Whether it says something about an idempotency key, and nothing about the request.
    pub(crate) fn is_about_keys(&self) -> bool {
        self.code.starts_with("IDEMPOTENCY_")
    }
}

/// When asking again makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    Seconds(i64),
    Until(Timestamp),
}

/// One broken rule of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Detail {
    pub(crate) message: String,
    pub(crate) path: Vec<String>,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) context: DetailContext,
}

/// What a broken rule is about. Never the value that was sent: it may be a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct DetailContext {
    pub(crate) label: String,
    pub(crate) key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<u64>,
}

/// Why a request is not answered with what it asked for. Boxed: it is the rare half of every `Result`.
#[derive(Debug)]
pub(crate) struct Problem(Box<Parts>);

/// What a problem consists of.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) row: Row,
    pub(crate) message: String,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) details: Vec<Detail>,
    pub(crate) retry: Option<Retry>,
    /// The chain of errors behind it, for the log alone.
    pub(crate) cause: Option<String>,
}

impl Problem {
    pub(crate) fn new(row: Row, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            row,
            message: message.into(),
            metadata: Map::new(),
            details: Vec::new(),
            retry: None,
            cause: None,
        }))
    }

    /// A fault of ours. `cause` goes into the log.
    pub(crate) fn internal(cause: impl Into<String>) -> Self {
        Self::new(INTERNAL, "Something went wrong on our side; the log has the details under this request id.")
            .cause(cause)
    }

    /// The request breaks rules: all of them at once.
    pub(crate) fn validation(details: Vec<Detail>) -> Self {
        let messages: Vec<&str> = details.iter().map(|detail| detail.message.as_str()).collect();
        let mut problem = Self::new(VALIDATION, messages.join(". "));
        problem.0.details = details;
        problem
    }

    /// The password in this field is one that is guessed first.
    pub(crate) fn common_password(field: &str, error: &IdentityError) -> Self {
        Self::validation(vec![Detail {
            message: error.to_string(),
            path: vec![field.to_owned()],
            kind: "any.invalid",
            context: DetailContext { label: field.to_owned(), key: field.to_owned(), limit: None },
        }])
    }

    #[must_use]
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.metadata.insert(key.to_owned(), value.into());
        self
    }

    #[must_use]
    pub(crate) fn retry(mut self, retry: Retry) -> Self {
        self.0.retry = Some(retry);
        self
    }

    #[must_use]
    pub(crate) fn cause(mut self, cause: impl Into<String>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }
}

impl Deref for Problem {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.row.status.as_u16(), self.row.code)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.row.status
    }

    /// An empty answer: the frame renders the problem, because only it knows the request.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        HttpResponse::new(self.row.status)
    }
}
