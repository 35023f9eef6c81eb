//! Errors in the document: one schema for each of the two shapes that a client may ask for.

use serde_json::{Map, Value, json};

/// The schemas `Error` and `Problem`.
pub(super) fn schemas() -> Map<String, Value> {
    let detail = json!({
        "type": "object",
        "required": ["message", "path", "type", "context"],
        "properties": {
            "message": {"type": "string"},
            "path": {"type": "array", "items": {"type": "string"}},
            "type": {"type": "string", "description": "The rule that is broken, in v1's words"},
            "context": {
                "type": "object",
                "required": ["label", "key"],
                "properties": {"label": {"type": "string"}, "key": {"type": "string"}, "limit": {"type": "integer"}},
            },
        },
    });
    let error = json!({
        "type": "object",
        "required": ["code", "message", "retryable"],
        "properties": {
            "code": {"type": "string", "description": "What went wrong, for programs"},
            "message": {"type": "string", "description": "The same for people"},
            "suggestion": {"type": "string"},
            "retryable": {"type": "boolean", "description": "Whether the same request may work later"},
            "metadata": {"type": "object"},
            "details": {"type": "array", "items": detail},
            "retryAfterSeconds": {"type": "integer"},
        },
    });
    let envelope = json!({
        "type": "object",
        "required": ["requestId", "error"],
        "properties": {"requestId": {"type": "string"}, "error": error},
    });
    let problem = json!({
        "type": "object",
        "description": "RFC 9457",
        "required": ["type", "title", "status", "detail", "instance", "code", "requestId", "retryable"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "instance": {"type": "string"},
            "code": {"type": "string"},
            "requestId": {"type": "string"},
            "retryable": {"type": "boolean"},
            "suggestion": {"type": "string"},
            "metadata": {"type": "object"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["pointer", "detail", "type"],
                    "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}, "type": {"type": "string"}},
                },
            },
            "retryAfterSeconds": {"type": "integer"},
        },
    });
    [("Error", envelope), ("Problem", problem)].map(|(name, schema)| (name.to_owned(), schema)).into_iter().collect()
}

/// A refusal in either shape.
pub(super) fn refusal(about: &str) -> Value {
    json!({
        "description": about,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/Error"}},
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
        },
    })
}
