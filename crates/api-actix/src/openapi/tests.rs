//! The document: the same as the file, whole, and true of its own examples.

use std::collections::BTreeSet;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::Value;
use shopwright_domain::Scope;

use super::check;
use super::document::{document, path};
use super::openapi;
use super::schemas::Schemas;
use crate::routes::ROUTES;
use crate::testing::{ADMIN, Bench, OWNER};

/// Every operation of the document with the pointer to it.
fn operations() -> Vec<(String, Value)> {
    let document = document();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(key, _)| *key != "parameters") {
            operations.push((format!("/paths/{}/{method}", path.replace('/', "~1")), operation.clone()));
        }
    }
    operations
}

#[test]
fn the_file_in_docs_is_this_document() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let there = std::fs::read_to_string(file).unwrap_or_default();

    assert!(there == openapi(), "docs/openapi.json is not what the code says: `make openapi` writes it");
}

#[test]
fn every_route_stands_in_the_document_once() {
    let names: BTreeSet<String> = ROUTES.iter().map(|line| format!("{} {}", line.method, path(line.path))).collect();
    let ids: BTreeSet<String> =
        operations().iter().map(|(_, operation)| operation["operationId"].as_str().unwrap().to_owned()).collect();

    assert_eq!((names.len(), ids.len()), (ROUTES.len(), ROUTES.len()));
    assert_eq!(operations().len(), ROUTES.len());
}

#[test]
fn no_name_stands_for_two_schemas() {
    let docs: Vec<_> = ROUTES.iter().map(|line| (line.doc)()).collect();

    assert_eq!(Schemas::of(docs.iter()).clashes, Vec::<String>::new());
}

#[test]
fn utoipa_reads_the_document() {
    for (name, schema) in document()["components"]["schemas"].as_object().unwrap() {
        let read = serde_json::from_value::<utoipa::openapi::RefOr<utoipa::openapi::Schema>>(schema.clone());
        assert!(read.is_ok(), "{name}: {schema:#}");
    }
    for (path, item) in document()["paths"].as_object().unwrap() {
        let read = serde_json::from_value::<utoipa::openapi::PathItem>(item.clone());
        assert!(read.is_ok(), "{path}: {:?}", read.err());
    }
}

#[test]
fn every_example_is_one_of_what_it_is_an_example_of() {
    let mut examples = 0;
    for (pointer, operation) in operations() {
        let mut contents = Vec::new();
        if operation.get("requestBody").is_some() {
            contents.push(format!("{pointer}/requestBody/content/application~1json"));
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            // Errors have two shapes and one schema each.
            if status.starts_with('2') {
                let kinds =
                    response["content"].as_object().unwrap_or_else(|| panic!("{pointer}: no example of {status}"));
                let kind = |kind: &String| format!("{pointer}/responses/{status}/content/{}", kind.replace('/', "~1"));
                contents.extend(kinds.keys().map(kind));
            }
        }
        assert!(!contents.is_empty(), "{pointer}: no example");
        for content in contents {
            assert_eq!(check::example(&content), None, "{content}");
            examples += 1;
        }
    }
    assert!(examples >= ROUTES.len());
}

/// The forms are written by hand, and so is their documentation.
#[actix_web::test]
async fn every_example_of_a_body_is_taken_by_its_form() {
    for line in ROUTES {
        let Some((fields, example)) = (line.doc)().form else { continue };
        let request = |body: &Value| {
            let path = line.path.replace("stores/{id}", "stores/store-1a2b3c4d");
            let path = ["{id}", "{userId}", "{invitationId}"]
                .into_iter()
                .fold(path, |path, part| path.replace(part, "00000000-0000-4000-8000-0000000000ff"));
            TestRequest::with_uri(&path).method(line.method.clone()).set_json(body)
        };
        let who = if line.path.starts_with("/api/v1/platform/") { ADMIN } else { OWNER };
        let status = async |body: &Value| Bench::new().send(who.asks(request(body))).await.status;
        // 500: the form let it pass, to a service that was not told what to answer.
        assert_eq!(status(&example).await, 500, "{} {}", line.method, line.path);

        let mut more = example.clone();
        more["unheardOf"] = true.into();
        assert_eq!(status(&more).await, 400, "{} {}", line.method, line.path);
        for field in fields.iter().filter(|field| field.required) {
            let mut less = example.clone();
            less.as_object_mut().unwrap().remove(field.name);
            assert_eq!(status(&less).await, 400, "{} {} without {}", line.method, line.path, field.name);
        }
    }
}

#[actix_web::test]
async fn the_document_is_served_and_the_page_shows_it_without_asking_elsewhere() {
    let answer = Bench::new().send(TestRequest::get().uri("/api/v1/openapi.json")).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, openapi()));

    for path in ["/docs", "/docs/"] {
        let page = Bench::new().send(TestRequest::get().uri(path)).await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains(r#"<base href="/docs/">"#) && !page.text.contains("://"));
    }
    let script = Bench::new().send(TestRequest::get().uri("/docs/swagger-initializer.js")).await;
    assert!(
        script.text.contains("/api/v1/openapi.json") && script.header("content-type").starts_with("text/javascript")
    );
    let none = Bench::new().send(TestRequest::get().uri("/docs/package.json")).await;
    assert_eq!((none.status, none.code()), (404, "NOT_FOUND"));
}

#[test]
fn the_document_says_who_may_use_a_route() {
    let security = |method: &Method, pattern: &str| {
        document()["paths"][pattern][method.as_str().to_ascii_lowercase()]["security"].clone()
    };

    assert_eq!(security(&Method::GET, "/livez"), serde_json::json!([]));
    assert_eq!(security(&Method::GET, "/api/v1/stores"), serde_json::json!([{"bearer": [Scope::StoresRead.as_str()]}]));
    assert_eq!(security(&Method::POST, "/api/v1/auth/tokens"), serde_json::json!([{"bearer": []}]));
}
