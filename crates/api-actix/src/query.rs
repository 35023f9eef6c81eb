//! Query strings: unknown keys are dropped as in v1, numbers are read from text, a key that comes twice is wrong.

use actix_web::HttpRequest;
use jiff::Timestamp;
use serde_json::{Map, Value};
use shopwright_ports::storage::Page;

use crate::form::{Form, Rule};

/// Flat pairs as fields; a repeated key becomes a list, which no rule accepts.
pub(crate) fn fields(text: &[u8]) -> Map<String, Value> {
    let mut fields = Map::new();
    for (key, value) in url::form_urlencoded::parse(text) {
        let value = Value::String(value.into_owned());
        match fields.get_mut(key.as_ref()) {
            None => {
                fields.insert(key.into_owned(), value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => {
                let values = vec![first.take(), value];
                *first = Value::Array(values);
            }
        }
    }
    fields
}

/// A time in a page token, in microseconds.
pub(crate) fn read_time(text: &str) -> Option<Timestamp> {
    Timestamp::from_microsecond(text.parse().ok()?).ok()
}

/// The query of a request as a form.
pub(crate) fn form(request: &HttpRequest) -> Form {
    Form::new(fields(request.query_string().as_bytes()))
}

impl Form {
    /// `limit` and `offset`, each with its default.
    pub(crate) fn page(&mut self, default: u32, max: u32) -> Option<Page> {
        let limit = self.number("limit", default, 1, max);
        let offset = self.number("offset", 0, 0, u32::MAX);
        limit.zip(offset).map(|(limit, offset)| Page { limit, offset })
    }

    /// `limit` alone, for lists that have no offset.
    pub(crate) fn limit(&mut self, default: u32, max: u32) -> Option<u32> {
        self.number("limit", default, 1, max)
    }

    fn number(&mut self, key: &str, default: u32, min: u32, max: u32) -> Option<u32> {
        if !self.has(key) {
            return Some(default);
        }
        let text = self.take_text(key);
        // As in v1, `+5` and `5e1` are numbers.
        let number = text.and_then(|text| text.trim().parse::<f64>().ok());
        self.within(key, number, min, max)
    }

    /// A whole number in a body: a number in JSON, a text in a form.
    pub(crate) fn whole_number(&mut self, key: &str, default: u32, min: u32, max: u32) -> Option<u32> {
        match self.take(key) {
            None => Some(default),
            Some(Value::String(text)) => self.within(key, text.trim().parse().ok(), min, max),
            Some(value) => self.within(key, value.as_f64(), min, max),
        }
    }

    fn within(&mut self, key: &str, number: Option<f64>, min: u32, max: u32) -> Option<u32> {
        let Some(number) = number.filter(|number| number.is_finite()) else {
            self.refuse(key, Rule::new("number.base"), format!("{key} must be a number"));
            return None;
        };
        if number.fract() != 0.0 {
            self.refuse(key, Rule::new("number.integer"), format!("{key} must be a whole number"));
            return None;
        }
        if number < f64::from(min) {
            self.refuse(key, Rule::limit("number.min", min.into()), format!("{key} must be at least {min}"));
            return None;
        }
        if number > f64::from(max) {
            self.refuse(key, Rule::limit("number.max", max.into()), format!("{key} must be at most {max}"));
            return None;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number between two u32")]
        Some(number as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page_of(query: &str) -> Result<(u32, u32), Vec<&'static str>> {
        let mut form = Form::new(fields(query.as_bytes()));
        let page = form.page(50, 100);
        form.finish(page)
            .map(|page| (page.limit, page.offset))
            .map_err(|problem| problem.details.iter().map(|detail| detail.kind).collect())
    }

    #[test]
    fn numbers_are_read_as_v1_reads_them() {
        assert_eq!(page_of(""), Ok((50, 0)));
        assert_eq!(page_of("limit=%2B5&offset=1e2"), Ok((5, 100)));
        assert_eq!(page_of("limit=100&offset=4294967295&other=x"), Ok((100, u32::MAX)));
    }

    #[test]
    fn each_wrong_number_is_named() {
        for (query, kinds) in [
            ("limit=2.5", vec!["number.integer"]),
            ("limit=abc&offset=", vec!["number.base", "number.base"]),
            ("limit=0&offset=-1", vec!["number.min", "number.min"]),
            ("limit=101", vec!["number.max"]),
            ("offset=4294967296", vec!["number.max"]),
            ("limit=5&limit=6", vec!["number.base"]),
            ("limit=NaN&offset=inf", vec!["number.base", "number.base"]),
        ] {
            assert_eq!(page_of(query), Err(kinds), "{query}");
        }
    }
}
