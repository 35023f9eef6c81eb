//! `POST /stores/{id}/credentials/reveal` shows the owner what to sign in with; `POST /stores/{id}/credentials/rotate` replaces it.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::{Value, json};
use shopwright_domain::engine::RotationTarget;

use super::{accepted, accepted_doc, id_of};
use crate::auth::Authenticated;
use crate::form::{Form, Rule};
use crate::openapi::doc::Doc;
use crate::openapi::fields::{required, some_of};
use crate::problem::Problem;
use crate::{State, body, reply};
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
struct Revealed {
    credentials: Credentials,
}

#[derive(Serialize, ToSchema)]
#[schema(as = RevealedCredentials)]
struct Credentials {
    #[schema(required)]
    username: Option<String>,
    email: String,
    #[schema(required)]
    password: Option<String>,
}

pub(crate) fn reveal_doc() -> Doc {
    let credentials = json!({"username": null, "email": "owner@example.com", "password": "7dGf0aQx1mVn4RsT"});
    Doc::answers::<Revealed>(
        200,
        "What the owner signs in with; every look is written down",
        json!({"credentials": credentials}),
    )
    .refuses(409, "The store was never ready, or is deleted")
    .refuses(429, "Looked at too often")
}

pub(crate) fn rotate_doc() -> Doc {
    let words = RotationTarget::ALL.map(RotationTarget::as_str);
    accepted_doc(
        "Replaces passwords; the old ones are in force until the new ones work",
        "New passwords are being put in force.",
    )
    .takes([required("targets", some_of(words), "Which passwords")], json!({"targets": ["administrator"]}))
    .refuses(409, "The store is not `ready`, or something runs on it")
    .refuses(422, "The engine has no such password")
}

pub(crate) async fn reveal(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let shown = state.api.stores.reveal_credentials(&auth.context, &id_of(&request)?).await?;
    let password = shown.password.map(|password| password.expose_secret().to_owned());
    let credentials = Credentials { username: shown.username, email: shown.email, password };
    Ok(reply::ok(&auth.context.origin, Revealed { credentials }))
}

pub(crate) async fn rotate(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let id = id_of(&request)?;
    let targets = targets(body::form(&request, payload, &state.api.limits).await?)?;
    let outcome = state.api.stores.rotate_credentials(&auth.context, &id, targets).await?;
    Ok(accepted(&auth.context.origin, "New passwords are being put in force.", &outcome))
}

/// Each of `targets` once, in their order.
fn targets(mut form: Form) -> Result<Vec<RotationTarget>, Problem> {
    if !form.has("targets") {
        form.refuse("targets", Rule::new("any.required"), "targets is required");
    }
    let parsed = match form.take("targets") {
        None => None,
        Some(Value::Array(list)) if !list.is_empty() && list.len() <= RotationTarget::ALL.len() => list
            .iter()
            .map(|it| it.as_str().and_then(|text| text.parse().ok()))
            .collect::<Option<Vec<RotationTarget>>>(),
        Some(_) => {
            form.refuse("targets", Rule::new("array.base"), "targets must be a list of one or two");
            None
        }
    };
    match &parsed {
        Some(targets) if targets.windows(2).any(|pair| pair[0] == pair[1]) => {
            form.refuse("targets", Rule::new("array.unique"), "targets names something twice");
        }
        None if form.is_sound() => {
            let message = "targets must be of: administrator, database";
            form.refuse("targets", Rule::new("any.only"), message);
        }
        Some(_) | None => {}
    }
    form.refuse_unknown();
    form.finish(parsed)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use shopwright_ports::stores_api::{Accepted, AdminCredentials, StoreServiceError};

    use super::*;
    use crate::testing::{Bench, OPERATION, OWNER, STORE, STRANGER, operation, ready_store};

    fn post(what: &str) -> TestRequest {
        TestRequest::post().uri(&format!("/api/v1/stores/{STORE}/credentials/{what}"))
    }

    #[actix_web::test]
    async fn the_owner_is_shown_what_to_sign_in_with_and_nobody_keeps_it() {
        let mut bench = Bench::new();
        bench.stores.expect_reveal_credentials().once().returning(|_, _| {
            let password = Some("KGXv-secret".into());
            Ok(AdminCredentials { email: "owner@example.com".into(), username: Some("admin".into()), password })
        });

        let answer = bench.send(OWNER.asks(post("reveal"))).await;

        assert_eq!(answer.status, 200);
        let wanted = json!({"username": "admin", "email": "owner@example.com", "password": "KGXv-secret"});
        assert_eq!(answer.body["credentials"], wanted);
        assert_eq!(answer.header("cache-control"), "no-store");
    }

    #[actix_web::test]
    async fn whoever_may_not_look_is_told_so() {
        for (error, status) in [
            (StoreServiceError::Forbidden, 403),
            (StoreServiceError::RevealedTooOften { until: jiff::Timestamp::UNIX_EPOCH }, 429),
        ] {
            let mut bench = Bench::new();
            bench.stores.expect_reveal_credentials().return_once(|_, _| Err(error));

            assert_eq!(bench.send(STRANGER.asks(post("reveal"))).await.status, status);
        }
    }

    #[actix_web::test]
    async fn a_rotation_is_accepted_with_its_operation() {
        let mut bench = Bench::new();
        bench
            .stores
            .expect_rotate_credentials()
            .once()
            .withf(|_, _, targets| targets == &RotationTarget::ALL)
            .returning(|_, _, _| Ok(Accepted { store: ready_store(), operation: Some(operation()), is_owner: true }));

        let answer =
            bench.send(OWNER.asks(post("rotate")).set_json(json!({"targets": ["administrator", "database"]}))).await;

        assert_eq!(answer.status, 202);
        assert_eq!(answer.header("location"), format!("/api/v1/operations/{OPERATION}"));
    }

    #[actix_web::test]
    async fn what_is_to_be_replaced_is_named_once_and_known() {
        for (body, kind) in [
            (json!({}), "any.required"),
            (json!({"targets": []}), "array.base"),
            (json!({"targets": "database"}), "array.base"),
            (json!({"targets": ["root"]}), "any.only"),
            (json!({"targets": [5]}), "any.only"),
            (json!({"targets": ["database", "database"]}), "array.unique"),
            (json!({"targets": ["database"], "password": "x"}), "any.unknown"),
        ] {
            let answer = Bench::new().send(OWNER.asks(post("rotate")).set_json(&body)).await;

            assert_eq!((answer.status, answer.kinds()[0].1.as_str()), (400, kind), "{body}");
            assert_eq!(answer.kinds().len(), 1, "{body}");
        }
    }
}
