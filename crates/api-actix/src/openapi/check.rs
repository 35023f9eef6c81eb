//! Holds answers against the document: every answer that a test of this crate gets passes here.
//!
//! It is stricter than the document: a field that the document does not name is an error, so that none goes undocumented.

use std::cell::RefCell;
use std::collections::HashMap;

use boon::{Compiler, Schemas};
use serde_json::{Map, Value, json};

use super::document::{document, path};
use crate::routes::ROUTES;

thread_local! {
    static CHECKER: RefCell<Checker> = RefCell::new(Checker::new());
}

struct Checker {
    document: Value,
    compiled: HashMap<String, (Schemas, boon::SchemaIndex)>,
}

impl Checker {
    fn new() -> Self {
        Self { document: document(), compiled: HashMap::new() }
    }

    /// What is wrong with `instance` by the schema at `pointer`; nothing when all is well.
    fn complaint(&mut self, pointer: &str, instance: &Value) -> Option<String> {
        let schema = self.document.pointer(pointer).unwrap_or_else(|| panic!("nothing at {pointer}"));
        let components = &self.document["components"]["schemas"];
        let (schemas, index) = self.compiled.entry(pointer.to_owned()).or_insert_with(|| compiled(schema, components));
        schemas.validate(instance, *index).err().map(|error| format!("{error:#}\nin {instance:#}"))
    }
}

fn compiled(schema: &Value, components: &Value) -> (Schemas, boon::SchemaIndex) {
    let mut whole = schema.clone();
    whole["$defs"] = components.clone();
    let text = strict(whole).to_string().replace("#/components/schemas/", "#/$defs/");
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.enable_format_assertions();
    compiler.add_resource("http://here/schema", serde_json::from_str(&text).unwrap()).unwrap();
    let index =
        compiler.compile("http://here/schema", &mut schemas).unwrap_or_else(|error| panic!("{error:#}: {text}"));
    (schemas, index)
}

/// Objects that name their fields have no others.
fn strict(schema: Value) -> Value {
    match schema {
        Value::Array(items) => items.into_iter().map(strict).collect(),
        Value::Object(fields) => {
            let named = fields.get("properties").is_some_and(Value::is_object);
            let mut fields: Map<String, Value> = fields.into_iter().map(|(key, value)| (key, strict(value))).collect();
            if named && fields.get("type").is_some() {
                fields.entry("additionalProperties").or_insert(json!(false));
            }
            Value::Object(fields)
        }
        other => other,
    }
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Panics when the document does not describe this answer. What is not in the table of routes is not described.
pub(crate) fn answer(method: &str, pattern: Option<&str>, status: u16, kind: &str, body: &Value) {
    let method = if method == "HEAD" { return } else { method };
    let Some(pattern) = pattern else { return };
    // What has not changed since it was asked for is no answer of its own.
    if status == 304 {
        return;
    }
    if !ROUTES.iter().any(|line| line.method == *method && line.path == pattern) {
        return;
    }
    CHECKER.with_borrow_mut(|checker| {
        let responses = format!("/paths/{}/{}/responses", escaped(&path(pattern)), method.to_ascii_lowercase());
        let known = checker.document.pointer(&format!("{responses}/{status}")).is_some();
        assert!(known || status >= 400, "{method} {pattern} answers {status}, which its documentation does not know");
        let status = if known { status.to_string() } else { "default".to_owned() };
        let content = format!("{responses}/{status}/content");
        let kind = kind.split(';').next().unwrap_or_default();
        let documented = checker.document.pointer(&content).and_then(Value::as_object);
        let Some(documented) = documented else {
            assert_eq!(
                kind, "",
                "{method} {pattern} answers {status} with a body, which its documentation does not know"
            );
            return;
        };
        // What browsers are shown is no part of the API.
        if kind == "text/html" {
            return;
        }
        // Where a route gives files, each has a type of its own.
        if !documented.contains_key(kind) {
            let is_file = |kind: &String| kind.starts_with("text/") || kind == "application/x-ndjson";
            let texts = documented.keys().all(is_file);
            assert!(texts, "{method} {pattern} answers {status} as {kind}, which its documentation does not know");
            return;
        }
        if documented[kind]["schema"]["type"] == "string" {
            return;
        }
        let complaint = checker.complaint(&format!("{content}/{}/schema", escaped(kind)), body);
        assert_eq!(complaint, None, "{method} {pattern} answers {status} with what its documentation does not know");
    });
}

/// What is wrong with the example beside the schema at `pointer`.
pub(super) fn example(pointer: &str) -> Option<String> {
    CHECKER.with_borrow_mut(|checker| {
        let example = checker.document.pointer(&format!("{pointer}/example")).cloned();
        let Some(example) = example else { return Some(format!("no example at {pointer}")) };
        checker.complaint(&format!("{pointer}/schema"), &example)
    })
}
