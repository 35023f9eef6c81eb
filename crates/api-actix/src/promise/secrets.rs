//! What is not kept of an answer: tokens and passwords, and whatever repeats one, such as a link.

use serde_json::Value;

/// Fields whose texts are secrets.
const SECRET: [&str; 4] = ["password", "token", "refreshToken", "secret"];

/// The answer without its secrets, and whether it had any. What is no JSON is kept as it is: we answer with JSON alone.
pub(super) fn removed(body: &[u8]) -> (String, bool) {
    let text = || String::from_utf8_lossy(body).into_owned();
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else { return (text(), false) };
    let mut found = Vec::new();
    take(&mut value, &mut found);
    if found.is_empty() {
        return (text(), false);
    }
    blank(&mut value, &found);
    (value.to_string(), true)
}

fn take(value: &mut Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                match value {
                    Value::String(text) if SECRET.contains(&name.as_str()) && !text.is_empty() => {
                        found.push(std::mem::take(text));
                        *value = Value::Null;
                    }
                    value => take(value, found),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| take(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn blank(value: &mut Value, found: &[String]) {
    match value {
        Value::String(text) if found.iter().any(|secret| text.contains(secret.as_str())) => *value = Value::Null,
        Value::Object(map) => map.values_mut().for_each(|value| blank(value, found)),
        Value::Array(values) => values.iter_mut().for_each(|value| blank(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_what_repeats_them_are_gone() {
        let body = br#"{"token":"swi_1234","url":"https://shop.example/invitation#swi_1234","invitation":{"id":"1"},"credentials":{"email":"a@b.c","password":"hunter22"}}"#;

        let (shown, had) = removed(body);

        assert!(had && !shown.contains("swi_1234") && !shown.contains("hunter22"), "{shown}");
        assert!(shown.contains(r#""id":"1""#) && shown.contains(r#""email":"a@b.c""#));
    }

    #[test]
    fn an_answer_without_secrets_is_kept_word_for_word() {
        let body = br#"{"requestId":"req_1", "store":{"adminCredentials":{},"token":null}}"#;

        assert_eq!(removed(body), (String::from_utf8_lossy(body).into_owned(), false));
    }
}
