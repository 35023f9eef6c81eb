//! The named schemas of the document, and schemas without `allOf`: an object that takes another's fields in has them itself.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use utoipa::openapi::{RefOr, Schema};

use super::doc::{Content, Doc};

/// How the document's parts point to a named schema.
const POINTER: &str = "#/components/schemas/";

/// Every named schema, by its name.
#[derive(Debug, Default)]
pub(super) struct Schemas {
    named: BTreeMap<String, Value>,
    /// Names that stand for two things.
    pub(super) clashes: Vec<String>,
}

impl Schemas {
    /// What `docs` refer to.
    pub(super) fn of<'a>(docs: impl Iterator<Item = &'a Doc>) -> Self {
        let mut schemas = Self::default();
        for content in docs.flat_map(|doc| &doc.answers).map(|answer| &answer.content) {
            let Content::Json { components, .. } = content else { continue };
            for (name, schema) in components {
                let schema = written(schema);
                let known = schemas.named.entry(name.clone()).or_insert_with(|| schema.clone());
                if *known != schema {
                    schemas.clashes.push(name.clone());
                }
            }
        }
        schemas
    }

    /// All of them and `more`, for the document.
    pub(super) fn components(&self, more: Map<String, Value>) -> Map<String, Value> {
        let own = self.named.iter().map(|(name, schema)| (name.clone(), self.merged(schema.clone())));
        own.chain(more).collect()
    }

    /// A schema for the document.
    pub(super) fn plain(&self, schema: &RefOr<Schema>) -> Value {
        self.merged(written(schema))
    }

    fn merged(&self, mut schema: Value) -> Value {
        let Some(Value::Array(members)) = schema.as_object_mut().and_then(|object| object.remove("allOf")) else {
            return schema;
        };
        let mut whole = Map::new();
        for member in members.into_iter().chain([schema]) {
            let referred = member["$ref"].as_str().and_then(|pointer| self.named.get(pointer.strip_prefix(POINTER)?));
            let member = referred.map_or_else(|| member.clone(), |schema| self.merged(schema.clone()));
            take_in(&mut whole, member);
        }
        Value::Object(whole)
    }
}

/// Adds the fields of one object to another.
fn take_in(whole: &mut Map<String, Value>, part: Value) {
    let Value::Object(part) = part else { return };
    for (key, value) in part {
        match (whole.get_mut(&key), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
            (Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
            (_, value) => {
                whole.insert(key, value);
            }
        }
    }
}

/// A derived schema as JSON; it has no part that JSON could not hold.
fn written(schema: &RefOr<Schema>) -> Value {
    serde_json::to_value(schema).unwrap_or_default()
}
