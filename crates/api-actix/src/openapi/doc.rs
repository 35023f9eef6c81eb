//! What a route says about itself. There is no way to make one without an answer and an example of it.

use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::fields::Field;

/// A named schema that others refer to.
pub(super) type Component = (String, RefOr<Schema>);

/// What an answer holds.
pub(super) enum Content {
    /// Nothing.
    Empty,
    /// JSON of this schema.
    Json {
        /// Of the body.
        schema: Box<RefOr<Schema>>,
        /// What it refers to.
        components: Vec<Component>,
        /// Whether the request id stands in it.
        with_request_id: bool,
        /// One that could be.
        example: Value,
    },
    /// Anything else, by its media type.
    Text {
        /// The media type.
        kind: &'static str,
        /// One that could be.
        example: String,
    },
}

/// One status that a route answers with when all goes well.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) about: &'static str,
    pub(super) content: Content,
    pub(super) headers: Vec<(&'static str, &'static str)>,
}

/// The documentation of one route.
pub(crate) struct Doc {
    pub(super) summary: &'static str,
    pub(super) answers: Vec<Answer>,
    pub(super) query: Vec<Field>,
    pub(super) form: Option<(Vec<Field>, Value)>,
    pub(super) refusals: Vec<(u16, &'static str)>,
}

impl Doc {
    /// Answers with a `T` and the request id; `example` is without the latter.
    pub(crate) fn answers<T: ToSchema>(status: u16, summary: &'static str, example: Value) -> Self {
        Self::new(status, summary, json_of::<T>(example, true))
    }

    /// Answers with a `T` alone.
    pub(crate) fn bare<T: ToSchema>(status: u16, summary: &'static str, example: Value) -> Self {
        Self::new(status, summary, json_of::<T>(example, false))
    }

    /// Answers with something that is not described by a schema.
    pub(crate) fn text(status: u16, kind: &'static str, summary: &'static str, example: &str) -> Self {
        Self::new(status, summary, Content::Text { kind, example: example.to_owned() })
    }

    fn new(status: u16, summary: &'static str, content: Content) -> Self {
        let answers = vec![Answer { status, about: summary, content, headers: Vec::new() }];
        Self { summary, answers, query: Vec::new(), form: None, refusals: Vec::new() }
    }

    /// What it answers with when all goes well.
    pub(crate) fn status(&self) -> u16 {
        self.answers.first().map_or(200, |answer| answer.status)
    }

    /// Or answers with another `T`.
    pub(crate) fn or<T: ToSchema>(mut self, status: u16, about: &'static str, example: Value) -> Self {
        self.answers.push(Answer { status, about, content: json_of::<T>(example, true), headers: Vec::new() });
        self
    }

    /// Or answers with another `T` alone.
    pub(crate) fn or_bare<T: ToSchema>(mut self, status: u16, about: &'static str, example: Value) -> Self {
        self.answers.push(Answer { status, about, content: json_of::<T>(example, false), headers: Vec::new() });
        self
    }

    /// Or answers without a body.
    pub(crate) fn or_nothing(mut self, status: u16, about: &'static str) -> Self {
        self.answers.push(Answer { status, about, content: Content::Empty, headers: Vec::new() });
        self
    }

    /// The answer named last also has this header.
    pub(crate) fn header(mut self, name: &'static str, about: &'static str) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers.push((name, about));
        }
        self
    }

    /// Reads these from the query.
    pub(crate) fn query(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.query.extend(fields);
        self
    }

    /// Reads these from the body.
    pub(crate) fn takes(mut self, fields: impl IntoIterator<Item = Field>, example: Value) -> Self {
        self.form = Some((fields.into_iter().collect(), example));
        self
    }

    /// Also refuses. What every route refuses needs no word: 400 for what is malformed, 401 and 403 for who may not.
    pub(crate) fn refuses(mut self, status: u16, about: &'static str) -> Self {
        self.refusals.push((status, about));
        self
    }
}

fn json_of<T: ToSchema>(example: Value, with_request_id: bool) -> Content {
    let mut components = Vec::new();
    T::schemas(&mut components);
    Content::Json { schema: Box::new(<T as PartialSchema>::schema()), components, with_request_id, example }
}
