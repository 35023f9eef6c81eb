//! What makes two requests the same: who asks, for what, with which body. Order and spelling of JSON do not count.
//!
//! The hash is stored. Of a password it says that there is one and nothing more: a fast hash of one could be guessed from.

use std::fmt::Write as _;

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_TYPE, IF_MATCH};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use shopwright_domain::UserId;

use crate::origin::header;
use crate::query;

/// Fields that people choose and remember: their values could be guessed from a hash.
const CHOSEN: [&str; 3] = ["currentPassword", "newPassword", "password"];

/// The fingerprint of a request.
pub(super) fn of(request: &HttpRequest, user: UserId, body: &[u8]) -> Vec<u8> {
    let mut text = format!("{user}\n{}\n", request.path());
    let _ = writeln!(text, "{}", header(request.headers(), IF_MATCH.as_str()).unwrap_or_default());
    let form = header(request.headers(), CONTENT_TYPE.as_str())
        .is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"));
    if form {
        fields(&mut text, &query::fields(body));
    } else {
        match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => fields(&mut text, &map),
            // Refused in any case; what it holds may be anything.
            Ok(_) | Err(_) if !body.trim_ascii().is_empty() => {
                let _ = write!(text, "unreadable {}", body.len());
            }
            Ok(_) | Err(_) => fields(&mut text, &Map::new()),
        }
    }
    Sha256::digest(text).to_vec()
}

fn fields(text: &mut String, map: &Map<String, Value>) {
    let mut keys: Vec<&String> = map.keys().collect();
    keys.sort_unstable();
    text.push('{');
    for key in keys {
        let _ = write!(text, "{}:", Value::String(key.clone()));
        match &map[key] {
            value if CHOSEN.contains(&key.as_str()) => text.push_str(if value.is_null() { "null" } else { "chosen" }),
            value => one(text, value),
        }
        text.push(',');
    }
    text.push('}');
}

fn one(text: &mut String, value: &Value) {
    match value {
        Value::Object(map) => fields(text, map),
        Value::Array(values) => {
            text.push('[');
            for value in values {
                one(text, value);
                text.push(',');
            }
            text.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let _ = write!(text, "{value}");
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn print(body: &str) -> Vec<u8> {
        let request = TestRequest::post().uri("/api/v1/stores").insert_header((CONTENT_TYPE, "application/json"));
        of(&request.to_http_request(), UserId::from_random(1), body.as_bytes())
    }

    #[test]
    fn order_and_spelling_do_not_count_and_everything_else_does() {
        let first = print(r#"{"name":"tea","nested":{"a":1,"b":[1,2]}}"#);

        assert_eq!(first, print(r#" {"nested": {"b":[1,2], "a":1}, "name":"te\u0061"}"#));
        for other in [
            r#"{"name":"tea","nested":{"a":1,"b":[2,1]}}"#,
            r#"{"name":"tea"}"#,
            r#"{"name":"tea","nested":{"a":1,"b":[1,2]},"more":null}"#,
            "",
            "[]",
        ] {
            assert_ne!(first, print(other), "{other}");
        }
        let request = TestRequest::post().uri("/api/v1/stores").to_http_request();
        let mine = |user| of(&request, UserId::from_random(user), b"{}");
        assert_ne!(mine(1), mine(2));
    }

    #[test]
    fn of_a_password_it_says_that_there_is_one() {
        let with = |password: &str| print(&format!(r#"{{"name":"tea","password":"{password}"}}"#));

        assert_eq!(with("correct horse"), with("another horse"));
        assert_ne!(with("correct horse"), print(r#"{"name":"tea"}"#));
        assert_eq!(print(r#"{"password":"correct horse""#), print(r#"{"password":"another horse""#), "malformed");
    }
}
