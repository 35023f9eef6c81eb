//! `POST /auth/login`: a token for an e-mail address and its password.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use secrecy::SecretString;
use shopwright_domain::identity::Email;

use super::signed_in::{self, Carrier, signed_in};
use crate::form::Form;
use crate::openapi::doc::Doc;
use crate::openapi::examples;
use crate::openapi::fields::{required, text_as};
use crate::problem::Problem;
use crate::{State, body, origin, rate_limit};
use serde_json::json;

fn command(mut form: Form) -> Result<(Email, SecretString), Problem> {
    let email = form.email();
    // Whatever it is, it is compared, not judged.
    let password = form.required("password").map(SecretString::from);
    form.refuse_unknown();
    form.finish(email.zip(password))
}

pub(crate) fn doc() -> Doc {
    let fields = [
        required("email", text_as("email"), "The account's"),
        required("password", text_as("password"), "The account's"),
    ];
    Doc::answers::<signed_in::Body>(
        200,
        "A token for an e-mail address and its password",
        examples::signed_in("Signed in."),
    )
    .takes(fields, json!({"email": "ada@example.com", "password": "correct horse"}))
    .refuses(401, "E-mail or password is wrong")
    .refuses(423, "The account is locked after too many wrong passwords")
    .refuses(429, "Too many attempts")
}

pub(crate) async fn handle(
    state: Data<State>,
    origin: origin::From,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let (email, password) = command(body::form(&request, payload, &state.api.limits).await?)?;
    let outcome = state.api.identity.login(&origin.0, email.clone(), password).await;
    if let Some(meter) = state.api.identity.attempts_left(&origin.0, Some(email)).await {
        rate_limit::note(&request, meter);
    }
    let tokens = outcome?;
    Ok(signed_in(&state, &origin.0, StatusCode::OK, "Signed in.", Carrier::of(&request), &tokens))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use jiff::SignedDuration;
    use serde_json::json;
    use shopwright_ports::clock::Clock;
    use shopwright_ports::identity_api::IdentityError;
    use shopwright_ports::testing::ManualClock;

    use crate::testing::{Bench, signed_in};

    fn login() -> TestRequest {
        TestRequest::post().uri("/api/v1/auth/login").set_json(json!({"email": "owner@example.com", "password": "x"}))
    }

    #[actix_web::test]
    async fn signing_in_answers_with_a_token() {
        let mut bench = Bench::new();
        bench.identity.expect_login().once().returning(|_, _, _| Ok(signed_in()));

        let answer = bench.send(login()).await;

        assert_eq!(answer.status, 200);
        assert_eq!(answer.body["token"], "a.b.c");
        assert_eq!((&answer.body["refreshToken"], &answer.body["expiresIn"]), (&json!("swr_1"), &json!(600)));
        assert_eq!(answer.header("set-cookie"), "", "no browser asked");
        assert_eq!(answer.header("cache-control"), "no-store");
    }

    #[actix_web::test]
    async fn wrong_credentials_are_401_with_a_challenge() {
        let mut bench = Bench::new();
        bench.identity.expect_login().returning(|_, _, _| Err(IdentityError::InvalidCredentials));

        let answer = bench.send(login()).await;

        assert_eq!((answer.status, answer.code()), (401, "INVALID_CREDENTIALS"));
        assert_eq!(answer.header("www-authenticate"), r#"Bearer realm="shopwright""#);
    }

    #[actix_web::test]
    async fn too_many_attempts_say_when_the_next_may_be_made() {
        let mut bench = Bench::new();
        let until = ManualClock::default().now() + SignedDuration::from_secs(60);
        bench.identity.expect_login().returning(move |_, _, _| Err(IdentityError::TooManyAttempts { until }));

        let answer = bench.send(login()).await;

        assert_eq!((answer.status, answer.code()), (429, "LOGIN_RATE_LIMITED"));
        assert_eq!((answer.header("retry-after"), &answer.body["error"]["retryAfterSeconds"]), ("60", &json!(60)));
    }

    #[actix_web::test]
    async fn a_locked_account_says_how_long() {
        let mut bench = Bench::new();
        let until = ManualClock::default().now() + SignedDuration::from_millis(89_001);
        bench.identity.expect_login().returning(move |_, _, _| Err(IdentityError::Locked { until }));

        let answer = bench.send(login()).await;

        assert_eq!((answer.status, answer.code()), (423, "ACCOUNT_LOCKED"));
        assert_eq!(answer.header("retry-after"), "90");
        assert_eq!(answer.body["error"]["retryAfterSeconds"], 90);
        assert_eq!(answer.body["error"]["retryable"], true);
    }

    /// API.md section 2: v1 answered 500.
    #[actix_web::test]
    async fn api_2_an_address_that_is_no_text_is_400() {
        let request =
            TestRequest::post().uri("/api/v1/auth/login").set_json(json!({"email": {"$ne": 1}, "password": "x"}));

        let answer = Bench::new().send(request).await;

        assert_eq!(answer.status, 400);
        assert_eq!(answer.kinds(), [("email".to_owned(), "string.base".to_owned())]);
    }

    #[actix_web::test]
    async fn a_burst_of_sign_ins_is_asked_to_come_back() {
        let mut bench = Bench::new();
        bench.identity.expect_login().returning(|_, _, _| Err(IdentityError::Busy));

        let answer = bench.send(login()).await;

        assert_eq!((answer.status, answer.code()), (503, "SERVICE_UNAVAILABLE"));
        assert_eq!(answer.header("retry-after"), "2");
    }
}
