//! `POST /auth/register`: an account with an organisation of its own.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use secrecy::SecretString;
use shopwright_domain::identity::{Email, InvalidUsername, Username};

use super::signed_in::{self, Carrier, signed_in};
use crate::form::{Form, Rule};
use crate::openapi::doc::Doc;
use crate::openapi::examples;
use crate::openapi::fields::{new_password, optional, required, text, text_as, text_of};
use crate::problem::Problem;
use crate::{State, body, origin, rate_limit};
use serde_json::json;

/// Who registers, and with which invitation.
struct Registration {
    email: Email,
    username: Username,
    password: SecretString,
    invitation: Option<SecretString>,
}

fn command(mut form: Form) -> Result<Registration, Problem> {
    let email = form.email();
    let username = form.required("username");
    let username = form.parse("username", username, |error| match error {
        InvalidUsername::TooShort => Rule::limit("string.min", 3),
        InvalidUsername::TooLong => Rule::limit("string.max", 128),
        InvalidUsername::Pattern => Rule::new("string.pattern.base"),
    });
    let password = form.required("password");
    let password = form.chosen_password("password", password);
    let invitation = form.optional("invitation").map(SecretString::from);
    // Clients of v1 send it; nobody chooses their own role.
    form.ignore("role");
    form.refuse_unknown();
    let values = email.zip(username).zip(password);
    form.finish(values.map(|((email, username), password)| Registration { email, username, password, invitation }))
}

pub(crate) fn doc() -> Doc {
    let fields = [
        required("email", text_as("email"), "Kept in lower case"),
        required("username", text_of(3, 128), "Letters, digits, `.`, `_` and `-`"),
        required("password", new_password(), "For this account"),
        optional(
            "invitation",
            text(),
            "The token of an invitation to an organisation: opens registration that is closed",
        ),
        optional("role", text(), "Ignored: nobody chooses their own role"),
    ];
    let example = json!({"email": "ada@example.com", "username": "ada", "password": "correct horse"});
    Doc::answers::<signed_in::Body>(
        201,
        "Makes an account and signs it in",
        examples::signed_in("The account was created."),
    )
    .takes(fields, example)
    .refuses(403, "Registration is closed, or the invitation is for another address")
    .refuses(404, "The invitation cannot be accepted")
    .refuses(409, "An account with this e-mail or username exists")
    .refuses(429, "Too many registrations")
}

pub(crate) async fn handle(
    state: Data<State>,
    origin: origin::From,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let Registration { email, username, password, invitation } =
        command(body::form(&request, payload, &state.api.limits).await?)?;
    let outcome = state.api.identity.register(&origin.0, email, username, password, invitation).await;
    if let Some(meter) = state.api.identity.attempts_left(&origin.0, None).await {
        rate_limit::note(&request, meter);
    }
    let tokens = outcome?;
    let carrier = Carrier::of(&request);
    Ok(signed_in(&state, &origin.0, StatusCode::CREATED, "The account was created.", carrier, &tokens))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use secrecy::ExposeSecret;
    use serde_json::json;
    use shopwright_ports::identity_api::IdentityError;

    use crate::testing::{Bench, signed_in};

    fn register() -> TestRequest {
        TestRequest::post().uri("/api/v1/auth/register")
    }

    #[actix_web::test]
    async fn registering_answers_with_the_account_and_a_token() {
        let mut bench = Bench::new();
        bench.identity.expect_register().once().returning(|_, email, username, password, invitation| {
            assert!(invitation.is_none());
            assert_eq!((email.as_str(), username.as_str()), ("ada@example.com", "ada"));
            assert_eq!(password.expose_secret(), "correct horse");
            Ok(signed_in())
        });
        let body =
            json!({"email": " Ada@Example.com", "username": "ada", "password": "correct horse", "role": "admin"});

        let answer = bench.send(register().set_json(body)).await;

        assert_eq!(answer.status, 201);
        assert_eq!(
            answer.body,
            json!({
                "requestId": answer.header("x-request-id"), "message": "The account was created.", "token": "a.b.c",
                "expiresIn": 600, "refreshToken": "swr_1",
                "user": {"id": "00000000-0000-4000-8000-00000000000a", "email": "owner@example.com", "username": "owner", "role": "tenant"},
            })
        );
    }

    #[actix_web::test]
    async fn all_that_is_wrong_is_said_at_once() {
        let body = json!({"email": "ada@shop.local", "username": "a b", "password": "short", "admin": true});

        let answer = Bench::new().send(register().set_json(body)).await;

        assert_eq!(answer.status, 400);
        assert_eq!(
            answer.kinds(),
            [
                ("email", "string.email"),
                ("username", "string.pattern.base"),
                ("password", "string.min"),
                ("admin", "any.unknown"),
            ]
            .map(|(key, kind)| (key.to_owned(), kind.to_owned()))
        );
    }

    /// API.md section 2: v1 echoed the submitted password in `context.value`.
    #[actix_web::test]
    async fn api_2_a_password_is_never_echoed() {
        for password in
            [json!("hunter2"), json!("x".repeat(129)), json!(["hunter2"]), json!({"hunter2": 1}), json!(7_654_321)]
        {
            let body = json!({"email": "ada@example.com", "username": "ada", "password": password});

            let answer = Bench::new().send(register().set_json(body)).await;

            assert_eq!(answer.status, 400);
            for secret in ["hunter2", "xxxxxxxx", "7654321"] {
                assert!(!answer.text.contains(secret), "{}", answer.text);
            }
        }
    }

    #[actix_web::test]
    async fn a_taken_address_is_a_conflict() {
        let mut bench = Bench::new();
        bench.identity.expect_register().returning(|_, _, _, _, _| Err(IdentityError::UserExists));
        let body = json!({"email": "ada@example.com", "username": "ada", "password": "correct horse"});

        let answer = bench.send(register().set_json(body)).await;

        assert_eq!((answer.status, answer.code()), (409, "USER_EXISTS"));
    }

    #[actix_web::test]
    async fn a_password_that_everybody_tries_first_is_a_broken_rule() {
        let mut bench = Bench::new();
        bench.identity.expect_register().returning(|_, _, _, _, _| Err(IdentityError::CommonPassword));
        let body = json!({"email": "ada@example.com", "username": "ada", "password": "password1"});

        let answer = bench.send(register().set_json(body)).await;

        assert_eq!((answer.status, answer.code()), (400, "VALIDATION_ERROR"));
        assert_eq!(answer.kinds(), [("password".to_owned(), "any.invalid".to_owned())]);
        assert!(!answer.text.contains("password1"), "{}", answer.text);
    }

    #[actix_web::test]
    async fn urlencoded_bodies_are_read_flat() {
        let mut bench = Bench::new();
        bench.identity.expect_register().once().returning(|_, _, _, _, _| Ok(signed_in()));
        let form = [("email", "ada@example.com"), ("username", "ada"), ("password", "correct horse")];

        assert_eq!(bench.send(register().set_form(form)).await.status, 201);
    }

    #[actix_web::test]
    async fn another_content_type_is_an_empty_body() {
        let request =
            register().insert_header(("content-type", "text/plain")).set_payload("{\"email\":\"a@example.com\"}");

        let answer = Bench::new().send(request).await;

        assert_eq!(answer.status, 400);
        assert!(answer.kinds().iter().all(|(_, kind)| kind == "any.required"), "{}", answer.text);
    }
}
