//! `PATCH /auth/password`: another password for the own account. It is never pushed into stores.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use secrecy::SecretString;
use serde::Serialize;
use shopwright_ports::identity_api::IdentityError;

use super::{Authenticated, sessions};
use crate::form::Form;
use crate::openapi::doc::Doc;
use crate::openapi::fields::{new_password, required, text_as};
use crate::problem::Problem;
use crate::{State, body, reply};
use serde_json::json;
use utoipa::ToSchema;

/// What v1 said about the stores it pushed the password into. There are none any more.
#[derive(Serialize, Default, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Propagation {
    total_stores: u32,
    successful: u32,
    failed: u32,
    #[schema(value_type = Vec<Object>)]
    details: [(); 0],
}

#[derive(Serialize, ToSchema)]
struct Body {
    message: &'static str,
    propagation: Propagation,
}

fn command(mut form: Form) -> Result<(SecretString, SecretString), Problem> {
    let current = form.required("currentPassword").map(SecretString::from);
    let new = form.required("newPassword");
    let new = form.chosen_password("newPassword", new);
    form.refuse_unknown();
    form.finish(current.zip(new))
}

pub(crate) fn doc() -> Doc {
    let fields = [
        required("currentPassword", text_as("password"), "The one that holds now"),
        required("newPassword", new_password(), "The one that holds from now on"),
    ];
    let body = Body { message: "The password was changed.", propagation: Propagation::default() };
    Doc::answers::<Body>(200, "Another password for the own account; all other sessions end", json!(body))
        .takes(fields, json!({"currentPassword": "correct horse", "newPassword": "battery staple"}))
        .refuses(422, "The current password is wrong")
}

pub(crate) async fn handle(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let (current, new) = command(body::form(&request, payload, &state.api.limits).await?)?;
    let keep = sessions::current(&auth);
    let context = auth.context;
    let changed = state.api.identity.change_password(&context.origin, &context.actor, keep, current, new).await;
    changed.map_err(|error| match error {
        IdentityError::CommonPassword => Problem::common_password("newPassword", &error),
        other => other.into(),
    })?;
    let message = "The password was changed, and all other sessions are ended. Stores keep their own.";
    Ok(reply::ok(&context.origin, Body { message, propagation: Propagation::default() }))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use secrecy::ExposeSecret;
    use serde_json::json;
    use shopwright_ports::identity_api::IdentityError;

    use crate::testing::{Bench, OWNER, SESSION};

    fn change(new: &str) -> TestRequest {
        let body = json!({"currentPassword": "old one", "newPassword": new});
        OWNER.asks(TestRequest::patch().uri("/api/v1/auth/password").set_json(body))
    }

    #[actix_web::test]
    async fn the_new_password_goes_to_the_account_and_to_no_store() {
        let mut bench = Bench::new();
        bench.identity.expect_change_password().once().returning(|_, actor, keep, current, new| {
            assert_eq!(keep, Some(SESSION));
            assert_eq!(actor.email.as_str(), "owner@example.com");
            assert_eq!((current.expose_secret(), new.expose_secret()), ("old one", "a new one"));
            Ok(())
        });

        let answer = bench.send(change("a new one")).await;

        assert_eq!(answer.status, 200);
        assert_eq!(answer.body["propagation"], json!({"totalStores": 0, "successful": 0, "failed": 0, "details": []}));
    }

    /// API.md section 6: the dashboard signs out on any 401, so v1's users never saw this error.
    #[actix_web::test]
    async fn api_6_a_wrong_current_password_is_422_and_not_401() {
        let mut bench = Bench::new();
        bench.identity.expect_change_password().returning(|_, _, _, _, _| Err(IdentityError::WrongPassword));

        let answer = bench.send(change("a new one")).await;

        assert_eq!((answer.status, answer.code()), (422, "INVALID_PASSWORD"));
    }

    #[actix_web::test]
    async fn a_password_that_everybody_tries_first_is_named_by_its_field() {
        let mut bench = Bench::new();
        bench.identity.expect_change_password().returning(|_, _, _, _, _| Err(IdentityError::CommonPassword));

        let answer = bench.send(change("a new one")).await;

        assert_eq!((answer.status, answer.code()), (400, "VALIDATION_ERROR"));
        assert_eq!(answer.kinds(), [("newPassword".to_owned(), "any.invalid".to_owned())]);
    }

    #[actix_web::test]
    async fn a_short_password_is_named_by_its_field() {
        let answer = Bench::new().send(change("short")).await;

        assert_eq!(answer.status, 400);
        assert_eq!(answer.body["error"]["message"], "newPassword must have at least 8 characters");
        assert_eq!(
            answer.body["error"]["details"][0]["context"],
            json!({"label": "newPassword", "key": "newPassword", "limit": 8})
        );
    }
}
