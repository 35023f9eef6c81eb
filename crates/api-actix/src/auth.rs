//! Who asks: the extractor that every handler behind a token takes first, and the endpoints of accounts.

pub(crate) mod login;
pub(crate) mod me;
pub(crate) mod password;
pub(crate) mod register;

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use secrecy::ExposeSecret;
use serde::Serialize;
use shopwright_ports::identity_api::SignedIn;
use shopwright_ports::storage::User;
use shopwright_ports::stores_api::RequestContext;

use crate::problem::{Problem, UNAUTHORIZED};
use crate::{State, origin};

/// Somebody whose token is good now. It is the only source of a [`RequestContext`].
#[derive(Debug, Clone)]
pub(crate) struct Authenticated {
    pub(crate) context: RequestContext,
    pub(crate) user: User,
}

impl FromRequest for Authenticated {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let origin = origin::From::extract(&request).await?.0;
            let state =
                request.app_data::<Data<State>>().ok_or_else(|| Problem::internal("a handler without state"))?;
            let header = origin::header(request.headers(), AUTHORIZATION.as_str());
            let token = header.and_then(|value| value.strip_prefix("Bearer ")).filter(|token| !token.is_empty());
            let token = token.ok_or_else(|| Problem::new(UNAUTHORIZED, "Sign in first"))?;
            let (actor, user) = state.api.identity.authenticate(token).await?;
            Ok(Self { context: RequestContext { actor, origin }, user })
        })
    }
}

/// An account as register and login show it.
#[derive(Serialize)]
struct UserBody {
    id: String,
    email: String,
    username: String,
    role: &'static str,
}

impl From<&User> for UserBody {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.as_str().to_owned(),
            username: user.username.as_str().to_owned(),
            role: user.role.as_str(),
        }
    }
}

/// The answer to register and login.
#[derive(Serialize)]
struct SignedInBody {
    message: &'static str,
    user: UserBody,
    token: String,
}

impl SignedInBody {
    fn new(message: &'static str, signed_in: &SignedIn) -> Self {
        let token = signed_in.token.expose_secret().to_owned();
        Self { message, user: UserBody::from(&signed_in.user), token }
    }
}

#[cfg(test)]
mod tests;
