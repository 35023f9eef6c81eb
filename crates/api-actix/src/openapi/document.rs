//! From the table of routes to the document.

use serde_json::{Map, Value, json};

use super::doc::{Answer, Content, Doc};
use super::fields::Field;
use super::problems;
use super::schemas::Schemas;
use crate::access::Access;
use crate::promise::keeps_promises;
use crate::routes::{Endpoint, ROUTES};

/// What the request id looks like in examples.
const REQUEST_ID: &str = "req_5d9f7e00a800";

/// The whole document.
pub(super) fn document() -> Value {
    let docs: Vec<(&Endpoint, Doc)> = ROUTES.iter().map(|line| (line, (line.doc)())).collect();
    let schemas = Schemas::of(docs.iter().map(|(_, doc)| doc));
    let mut paths: Map<String, Value> = Map::new();
    for (line, doc) in &docs {
        let item = paths.entry(path(line.path)).or_insert_with(|| json!({"parameters": path_parameters(line.path)}));
        item[line.method.as_str().to_ascii_lowercase()] = operation(line, doc, &schemas);
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Shopwright",
            "description": "Gives every merchant a store of their own. docs/API.md explains it; this document describes it. Answers may \
                gain fields at any time: ignore what you do not know.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The server that this document comes from"}],
        "tags": tags(),
        "paths": paths,
        "components": {
            "schemas": schemas.components(problems::schemas()),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An access token of a person, or an API token. A route names the scopes that an API token needs for it; \
                        routes for persons alone take none.",
                },
            },
        },
    });
    // Whether objects keep their order is another crate's choice: this one is the same everywhere.
    document.sort_all_objects();
    document
}

fn tags() -> Value {
    let mut names: Vec<&str> = Vec::new();
    for line in ROUTES {
        if !names.contains(&tag(line.path)) {
            names.push(tag(line.path));
        }
    }
    names.into_iter().map(|name| json!({"name": name})).collect()
}

/// The first word below the base; what stands at the root belongs to the server itself.
fn tag(path: &'static str) -> &'static str {
    let word = path.strip_prefix("/api/v1/").and_then(|rest| rest.split('/').next());
    word.filter(|word| !word.contains('.')).unwrap_or("server")
}

/// A path as OpenAPI writes it.
pub(super) fn path(pattern: &str) -> String {
    let segment = |segment: &str| match segment.split_once(':') {
        Some((name, _)) => format!("{name}}}"),
        None => segment.to_owned(),
    };
    pattern.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// `POST /api/v1/stores/{id}/retry` is `postStoresByIdRetry`.
fn operation_id(line: &Endpoint) -> String {
    let mut id = line.method.as_str().to_ascii_lowercase();
    let path = path(line.path);
    for segment in path.trim_start_matches("/api/v1").split(['/', '.', '-']).filter(|segment| !segment.is_empty()) {
        let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        id.push_str(if name.is_some() { "By" } else { "" });
        let word = name.unwrap_or(segment);
        id.extend(word.chars().take(1).map(|letter| letter.to_ascii_uppercase()));
        id.extend(word.chars().skip(1));
    }
    if path == "/" { id + "Root" } else { id }
}

fn path_parameters(pattern: &str) -> Value {
    let path = path(pattern);
    let segments: Vec<&str> = path.split('/').collect();
    let parameter = |(before, segment): (&str, &str)| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        let schema = match (before, name) {
            (_, "file") => json!({"type": "string"}),
            ("stores", "id") => json!({"type": "string", "pattern": "^store-[a-f0-9]{8}$"}),
            _ => json!({"type": "string", "format": "uuid"}),
        };
        Some(json!({"name": name, "in": "path", "required": true, "schema": schema}))
    };
    segments
        .windows(2)
        .filter_map(|pair| pair.first().zip(pair.get(1)))
        .filter_map(|(a, b)| parameter((a, b)))
        .collect()
}

fn operation(line: &Endpoint, doc: &Doc, schemas: &Schemas) -> Value {
    let mut operation = Map::new();
    operation.insert("tags".into(), json!([tag(line.path)]));
    operation.insert("summary".into(), doc.summary.into());
    operation.insert("operationId".into(), operation_id(line).into());
    operation.insert("security".into(), security(line.access));
    let parameters: Vec<Value> = doc.query.iter().map(query_parameter).chain(header_parameters(line, doc)).collect();
    if !parameters.is_empty() {
        operation.insert("parameters".into(), parameters.into());
    }
    if let Some((fields, example)) = &doc.form {
        operation.insert("requestBody".into(), request_body(fields, example));
    }
    operation.insert("responses".into(), responses(line, doc, schemas));
    Value::Object(operation)
}

fn security(access: Access) -> Value {
    match access {
        Access::Open => json!([]),
        Access::Person => json!([{"bearer": []}]),
        Access::Scope(scope) => json!([{"bearer": [scope.as_str()]}]),
    }
}

fn query_parameter(field: &Field) -> Value {
    json!({
        "name": field.name, "in": "query", "required": field.required, "description": field.about, "schema": field.schema,
    })
}

/// What is read from the headers of more than one route.
fn header_parameters(line: &Endpoint, doc: &Doc) -> Vec<Value> {
    let mut parameters = Vec::new();
    if line.access != Access::Open {
        parameters.push(json!({
            "name": "X-Organisation", "in": "header", "required": false, "schema": {"type": "string", "format": "uuid"},
            "description": "The organisation that the request acts in. Without it: the API token's, or the account's own",
        }));
    }
    if line.method == "POST" && keeps_promises(line.path, line.access) {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false, "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            "description": "Makes it safe to send the request again: the same key and body get the same answer for 24 hours",
        }));
    }
    if CONDITIONAL.contains(&(line.method.as_str(), line.path)) {
        parameters.push(json!({
            "name": "If-Match", "in": "header", "required": false, "schema": {"type": "string"},
            "description": "The ETag of what was seen: when it is another by now, nothing happens and the answer is 412",
        }));
    }
    if line.method == "GET" && is_json(doc) {
        parameters.push(json!({
            "name": "If-None-Match", "in": "header", "required": false, "schema": {"type": "string"},
            "description": "The ETag of the answer that is known already",
        }));
    }
    parameters
}

/// The writes that look at `If-Match`.
const CONDITIONAL: [(&str, &str); 3] = [
    ("DELETE", "/api/v1/stores/{id}"),
    ("POST", "/api/v1/stores/{id}/retry"),
    ("POST", "/api/v1/operations/{id}/cancel"),
];

/// Whether it answers with JSON: every such answer to a `GET` has an `ETag`.
fn is_json(doc: &Doc) -> bool {
    doc.answers.iter().any(|answer| answer.status == 200 && matches!(answer.content, Content::Json { .. }))
}

fn request_body(fields: &[Field], example: &Value) -> Value {
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let mut properties = Map::new();
    for field in fields {
        let mut schema = field.schema.clone();
        if let Value::Object(schema) = &mut schema {
            schema.insert("description".into(), field.about.into());
        }
        properties.insert(field.name.to_owned(), schema);
    }
    let mut schema = Map::new();
    schema.insert("type".into(), "object".into());
    schema.insert("properties".into(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("required".into(), json!(required));
    }
    schema.insert("additionalProperties".into(), false.into());
    let content = json!({"application/json": {"schema": schema, "example": example}});
    json!({"required": !required.is_empty(), "content": content})
}

fn responses(line: &Endpoint, doc: &Doc, schemas: &Schemas) -> Value {
    let mut responses = Map::new();
    for answer in &doc.answers {
        responses.insert(answer.status.to_string(), response(answer, schemas));
    }
    if line.method == "GET" && is_json(doc) {
        let unchanged = json!({"description": "Nothing has changed since the answer with this ETag"});
        responses.entry("304").or_insert(unchanged);
    }
    let mut refusals = Vec::new();
    if doc.form.is_some() || !doc.query.is_empty() || line.path.contains('{') {
        refusals.push((400, "Something is malformed; `details` names it"));
    }
    if line.access != Access::Open {
        refusals.push((401, "No token, or one that is not valid any more"));
        refusals.push((403, "Not yours, or not for this kind of token"));
    }
    for (status, about) in refusals.into_iter().chain(doc.refusals.iter().copied()) {
        responses.insert(status.to_string(), problems::refusal(about));
    }
    responses.insert("default".into(), problems::refusal("Anything else that went wrong"));
    Value::Object(responses)
}

fn response(answer: &Answer, schemas: &Schemas) -> Value {
    let mut response = Map::new();
    response.insert("description".into(), answer.about.into());
    if !answer.headers.is_empty() {
        let header = |(name, about): &(&str, &str)| {
            ((*name).to_owned(), json!({"description": about, "schema": {"type": "string"}}))
        };
        response.insert("headers".into(), Value::Object(answer.headers.iter().map(header).collect()));
    }
    match &answer.content {
        Content::Empty => {}
        Content::Text { kind, example } => {
            response.insert("content".into(), json!({*kind: {"schema": {"type": "string"}, "example": example}}));
        }
        Content::Json { schema, with_request_id, example, .. } => {
            let (mut schema, mut example) = (schemas.plain(schema), example.clone());
            if *with_request_id {
                schema["properties"]["requestId"] = json!({"type": "string"});
                if let Some(required) = schema["required"].as_array_mut() {
                    required.push("requestId".into());
                } else {
                    schema["required"] = json!(["requestId"]);
                }
                example["requestId"] = REQUEST_ID.into();
            }
            response.insert("content".into(), json!({"application/json": {"schema": schema, "example": example}}));
        }
    }
    Value::Object(response)
}
