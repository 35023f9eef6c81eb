//! `GET /stores/availability?name=`: what would become of a name, before anything is asked for. Nothing is reserved by it.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::json;
use shopwright_domain::store::StoreName;
use shopwright_ports::stores_api::{Availability, NameRefusal};
use utoipa::ToSchema;

use crate::State;
use crate::auth::Authenticated;
use crate::form::{Form, Rule};
use crate::openapi::doc::Doc;
use crate::openapi::fields::{required, text};
use crate::problem::Problem;
use crate::{query, reply};

/// Much longer than any name; what is longer is no question.
const LONGEST: usize = 256;

#[derive(Serialize, ToSchema)]
struct AvailabilityBody {
    name: String,
    available: bool,
    reason: Option<String>,
    suggestion: Option<String>,
    host: Option<String>,
    url: Option<String>,
}

fn question(mut form: Form) -> Result<String, Problem> {
    let name = form.required("name");
    if name.as_ref().is_some_and(|name| name.chars().count() > LONGEST) {
        form.refuse(
            "name",
            Rule::limit("string.max", LONGEST as u64),
            format!("name must have at most {LONGEST} characters"),
        );
    }
    form.finish(name)
}

fn reason(refusal: &NameRefusal) -> String {
    match refusal {
        NameRefusal::Invalid(error) => error.to_string(),
        NameRefusal::InUse(id, state) => format!("you already have a store of this name: {id}, {state}"),
    }
}

pub(crate) fn doc() -> Doc {
    let example = json!({
        "name": "teashop", "available": true, "reason": null, "suggestion": null,
        "host": "teashop.localhost", "url": "http://teashop.localhost:8080",
    });
    Doc::answers::<AvailabilityBody>(200, "What would become of a name; nothing is reserved by asking", example)
        .query([required("name", text(), "The name that a store shall have")])
}

pub(crate) async fn handle(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let name = question(query::form(&request))?;
    let Availability { refusal, suggestion, host, url } = state.api.stores.availability(&auth.context, &name).await?;
    let body = AvailabilityBody {
        name,
        available: refusal.is_none(),
        reason: refusal.as_ref().map(reason),
        suggestion: suggestion.as_ref().map(StoreName::to_string),
        host: host.map(|host| host.to_string()),
        url,
    };
    Ok(reply::ok(&auth.context.origin, body))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde_json::Value;
    use shopwright_domain::store::StoreState;

    use super::*;
    use crate::testing::{Answer, Bench, OWNER, STORE};

    async fn ask(query: &str, outcome: Option<Availability>) -> Answer {
        let mut bench = Bench::new();
        if let Some(outcome) = outcome {
            bench.stores.expect_availability().once().return_once(|_, _| Ok(outcome));
        }
        bench.send(OWNER.asks(TestRequest::get().uri(&format!("/api/v1/stores/availability{query}")))).await
    }

    #[actix_web::test]
    async fn a_free_name_comes_with_its_host() {
        let outcome = Availability {
            refusal: None,
            suggestion: None,
            host: "teashop.localhost".parse().ok(),
            url: Some("http://teashop.localhost".into()),
        };

        let answer = ask("?name=teashop", Some(outcome)).await;

        assert_eq!(answer.status, 200);
        assert_eq!((&answer.body["available"], &answer.body["reason"]), (&true.into(), &Value::Null));
        assert_eq!(answer.body["host"], "teashop.localhost");
    }

    #[actix_web::test]
    async fn a_name_that_cannot_be_had_says_why_and_what_could() {
        let refusal = NameRefusal::Invalid("adm1n".parse::<StoreName>().unwrap_err());
        let invalid =
            Availability { refusal: Some(refusal), suggestion: "admin-shop".parse().ok(), host: None, url: None };
        let in_use = NameRefusal::InUse(STORE.parse().unwrap(), StoreState::Ready);
        let in_use = Availability { refusal: Some(in_use), suggestion: None, host: None, url: None };

        let invalid = ask("?name=adm1n", Some(invalid)).await;
        let in_use = ask("?name=teashop", Some(in_use)).await;

        assert_eq!(invalid.body["reason"], "name `adm1n` looks like `admin`, which is reserved: choose another");
        assert_eq!(invalid.body["suggestion"], "admin-shop");
        assert_eq!(in_use.body["reason"], format!("you already have a store of this name: {STORE}, ready"));
    }

    #[actix_web::test]
    async fn a_question_without_a_name_is_400() {
        assert_eq!(ask("", None).await.kinds()[0].1, "any.required");
        assert_eq!(ask(&format!("?name={}", "x".repeat(257)), None).await.kinds()[0].1, "string.max");
    }
}
