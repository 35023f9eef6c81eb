//! Checks the fields of a request and collects every broken rule, not only the first.
//!
//! A field that is taken is known; what is left when the form is finished is unknown and refused by name. No message, detail or `Debug`
//! of it ever holds a value: it may be a password.

use std::fmt::Display;
use std::str::FromStr;

use actix_web::HttpRequest;
use secrecy::SecretString;
use serde_json::{Map, Value};
use shopwright_domain::identity::{Email, InvalidPassword, check_password};

use crate::problem::{Detail, DetailContext, Problem};

/// So many unknown fields are named; a body may hold thousands.
const UNKNOWN_NAMED: usize = 20;
/// So much of an unknown field's name is shown.
const NAME_SHOWN: usize = 64;

/// The kind of a broken rule, in the words of v1, with the number that was broken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) kind: &'static str,
    pub(crate) limit: Option<u64>,
}

impl Rule {
    pub(crate) const fn new(kind: &'static str) -> Self {
        Self { kind, limit: None }
    }

    pub(crate) const fn limit(kind: &'static str, limit: u64) -> Self {
        Self { kind, limit: Some(limit) }
    }
}

/// The fields of one request.
pub(crate) struct Form {
    fields: Map<String, Value>,
    details: Vec<Detail>,
}

impl Form {
    pub(crate) fn new(fields: Map<String, Value>) -> Self {
        Self { fields, details: Vec::new() }
    }

    /// The id in a part of the path; `wanted` says in words what it has to be.
    pub(crate) fn path_id<T: FromStr>(request: &HttpRequest, part: &str, wanted: &str) -> Result<T, Problem> {
        let mut form = Self::new(Map::new());
        let id = request.match_info().get(part).and_then(|text| text.parse().ok());
        if id.is_none() {
            form.refuse(part, Rule::new("string.pattern.base"), format!("{part} must be {wanted}"));
        }
        form.finish(id)
    }

    /// Notes a broken rule.
    pub(crate) fn refuse(&mut self, key: &str, rule: Rule, message: impl Into<String>) {
        self.details.push(Detail {
            message: message.into(),
            path: vec![key.to_owned()],
            kind: rule.kind,
            context: DetailContext { label: key.to_owned(), key: key.to_owned(), limit: rule.limit },
        });
    }

    /// Whether no rule is broken so far.
    pub(crate) fn is_sound(&self) -> bool {
        self.details.is_empty()
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.fields.contains_key(key)
    }

    /// A field that stays where it is.
    pub(crate) fn value(&self, key: &str) -> Option<&Value> {
        self.fields.get(key)
    }

    /// Takes a field, whatever it is.
    pub(crate) fn take(&mut self, key: &str) -> Option<Value> {
        self.fields.remove(key)
    }

    /// Takes a field: its text, or nothing when it is none.
    pub(crate) fn take_text(&mut self, key: &str) -> Option<String> {
        match self.fields.remove(key) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// Lets a field pass that nobody looks at.
    pub(crate) fn ignore(&mut self, key: &str) {
        self.fields.remove(key);
    }

    /// Refuses a field that does not go with the others, whatever it holds.
    pub(crate) fn forbid(&mut self, key: &str, message: &str) {
        if self.fields.remove(key).is_some() {
            self.refuse(key, Rule::new("any.unknown"), message);
        }
    }

    /// A text that is there and not empty.
    pub(crate) fn required(&mut self, key: &str) -> Option<String> {
        if !self.fields.contains_key(key) {
            self.refuse(key, Rule::new("any.required"), format!("{key} is required"));
        }
        self.optional(key)
    }

    /// A text that is not empty, if it is there.
    pub(crate) fn optional(&mut self, key: &str) -> Option<String> {
        match self.fields.remove(key)? {
            Value::String(text) if text.is_empty() => {
                self.refuse(key, Rule::new("string.empty"), format!("{key} must not be empty"));
                None
            }
            Value::String(text) => Some(text),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                self.refuse(key, Rule::new("string.base"), format!("{key} must be a text"));
                None
            }
        }
    }

    /// A truth value that is there: one of JSON, or its word in a form.
    pub(crate) fn flag(&mut self, key: &str) -> Option<bool> {
        let value = self.fields.remove(key);
        let known = match &value {
            Some(Value::Bool(flag)) => Some(*flag),
            Some(Value::String(word)) => word.parse().ok(),
            _ => None,
        };
        match (&value, known) {
            (None, _) => self.refuse(key, Rule::new("any.required"), format!("{key} is required")),
            (Some(_), None) => self.refuse(key, Rule::new("boolean.base"), format!("{key} must be true or false")),
            (Some(_), Some(_)) => {}
        }
        known
    }

    /// What `text` stands for; the domain's own words where it stands for nothing.
    pub(crate) fn parse<T>(&mut self, key: &str, text: Option<String>, rule: impl Fn(&T::Err) -> Rule) -> Option<T>
    where
        T: FromStr<Err: Display>,
    {
        match text?.parse::<T>() {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(key, rule(&error), error.to_string());
                None
            }
        }
    }

    /// One of a few words, if it is there.
    pub(crate) fn choice<T: FromStr<Err: Display>>(&mut self, key: &str) -> Option<T> {
        self.one_of(key, |text| text.parse::<T>().map_err(|error| error.to_string()))
    }

    /// One of the words that `known` knows, if it is there; what it says of others is told.
    pub(crate) fn one_of<T>(&mut self, key: &str, known: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = match self.fields.get(key)? {
            // The empty text is no choice, rather than no text.
            Value::String(text) if text.is_empty() => self.fields.remove(key).map(|_| String::new()),
            _ => self.optional(key),
        };
        match known(&text?) {
            Ok(value) => Some(value),
            Err(message) => {
                self.refuse(key, Rule::new("any.only"), message);
                None
            }
        }
    }

    /// The address in `email`.
    pub(crate) fn email(&mut self) -> Option<Email> {
        let text = self.required("email")?;
        if text.trim().len() > 255 {
            self.refuse("email", Rule::limit("string.max", 255), "email must have at most 255 characters");
            return None;
        }
        self.parse("email", Some(text), |_| Rule::new("string.email"))
    }

    /// A password that somebody chooses: `text` with the rules for it.
    pub(crate) fn chosen_password(&mut self, key: &str, text: Option<String>) -> Option<SecretString> {
        let text = text?;
        match check_password(&text) {
            Ok(()) => return Some(SecretString::from(text)),
            Err(InvalidPassword::TooShort) => {
                self.refuse(key, Rule::limit("string.min", 8), format!("{key} must have at least 8 characters"));
            }
            Err(InvalidPassword::TooLong) => {
                self.refuse(key, Rule::limit("string.max", 128), format!("{key} must have at most 128 characters"));
            }
        }
        None
    }

    /// Refuses what nobody took.
    pub(crate) fn refuse_unknown(&mut self) {
        for key in std::mem::take(&mut self.fields).keys().take(UNKNOWN_NAMED) {
            let shown: String = key.chars().take(NAME_SHOWN).collect();
            let message = format!("{shown} is not a field of this request");
            self.refuse(&shown, Rule::new("any.unknown"), message);
        }
    }

    /// The checked values, or everything that is wrong.
    pub(crate) fn finish<T>(self, values: Option<T>) -> Result<T, Problem> {
        match values {
            Some(values) if self.details.is_empty() => Ok(values),
            None if self.details.is_empty() => {
                Err(Problem::internal("a form without values and without a broken rule"))
            }
            Some(_) | None => Err(Problem::validation(self.details)),
        }
    }
}

#[cfg(test)]
mod tests;
