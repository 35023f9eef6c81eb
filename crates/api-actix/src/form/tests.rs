//! Forms: all broken rules, in order, and never a value.

use serde_json::json;

use super::*;

fn form(body: &Value) -> Form {
    Form::new(body.as_object().cloned().unwrap_or_default())
}

#[test]
fn what_was_not_taken_is_refused_by_name() {
    let mut form = form(&json!({"colour": "red", "name": "x"}));
    let name = form.required("name");
    form.refuse_unknown();

    let problem = form.finish(name).unwrap_err();

    assert_eq!(problem.message, "colour is not a field of this request");
    assert_eq!(problem.details[0].kind, "any.unknown");
}

#[test]
fn thousands_of_unknown_fields_are_named_by_a_few() {
    let body: Map<String, Value> = (0..5000).map(|n| (format!("{n}{}", "x".repeat(100)), Value::Null)).collect();
    let mut form = Form::new(body);
    form.refuse_unknown();

    let details = form.finish(Some(())).unwrap_err().details.clone();

    assert_eq!(details.len(), UNKNOWN_NAMED);
    assert!(details.iter().all(|detail| detail.path[0].len() <= NAME_SHOWN));
}

#[test]
fn null_and_the_empty_text_are_no_texts() {
    for (body, kind) in [
        (json!({}), "any.required"),
        (json!({"name": null}), "string.base"),
        (json!({"name": 1}), "string.base"),
        (json!({"name": ""}), "string.empty"),
    ] {
        let mut form = form(&body);
        let name = form.required("name");

        assert_eq!(form.finish(name).unwrap_err().details[0].kind, kind, "{body}");
    }
}

#[test]
fn a_long_address_is_named_by_its_length() {
    let mut form = form(&json!({"email": format!("{}@example.com", "a".repeat(250))}));
    let email = form.email();

    assert_eq!(form.finish(email).unwrap_err().details[0].context.limit, Some(255));
}
