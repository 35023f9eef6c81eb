//! Fields of a body or a query, as the forms read them.

use serde_json::{Value, json};

/// One field.
#[derive(Debug)]
pub(crate) struct Field {
    pub(super) name: &'static str,
    pub(super) required: bool,
    pub(super) schema: Value,
    pub(super) about: &'static str,
}

/// A field that must be there.
pub(crate) fn required(name: &'static str, schema: Value, about: &'static str) -> Field {
    Field { name, required: true, schema, about }
}

/// A field that may be left out.
pub(crate) fn optional(name: &'static str, schema: Value, about: &'static str) -> Field {
    Field { name, required: false, schema, about }
}

/// Any text.
pub(crate) fn text() -> Value {
    json!({"type": "string"})
}

/// A text of so many characters.
pub(crate) fn text_of(min: u32, max: u32) -> Value {
    json!({"type": "string", "minLength": min, "maxLength": max})
}

/// A text that these hold for: JSON Schema's words.
pub(crate) fn text_as(format: &str) -> Value {
    json!({"type": "string", "format": format})
}

/// The same, or null, which says as much as leaving it out.
pub(crate) fn or_null(mut schema: Value) -> Value {
    schema["type"] = json!([schema["type"], "null"]);
    schema
}

/// A password to be kept: the clients' tools hide it.
pub(crate) fn new_password() -> Value {
    json!({"type": "string", "format": "password", "minLength": 8, "maxLength": 128})
}

/// True or false.
pub(crate) fn flag() -> Value {
    json!({"type": "boolean"})
}

/// A whole number.
pub(crate) fn number(min: u32, max: u32, default: u32) -> Value {
    json!({"type": "integer", "minimum": min, "maximum": max, "default": default})
}

/// One of these words.
pub(crate) fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> Value {
    json!({"type": "string", "enum": words.into_iter().collect::<Vec<_>>()})
}

/// Some of these words.
pub(crate) fn some_of<'a>(words: impl IntoIterator<Item = &'a str>) -> Value {
    json!({"type": "array", "minItems": 1, "uniqueItems": true, "items": one_of(words)})
}

/// `limit` and `offset`, as lists take them.
pub(crate) fn page(default: u32, max: u32) -> [Field; 2] {
    [
        optional("limit", number(1, max, default), "How many at most"),
        optional("offset", number(0, u32::MAX, 0), "How many are skipped"),
    ]
}

/// `pageToken`, as lists take it instead of an offset.
pub(crate) fn page_token() -> Field {
    optional(
        "pageToken",
        text(),
        "Where the page begins: `nextPageToken` of the page before, with the same filters and order",
    )
}
