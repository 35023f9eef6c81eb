//! Who asks: the extractor that every handler behind a token takes first, and the endpoints of accounts, sessions and API tokens.

pub(crate) mod cookie;
pub(crate) mod jwks;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod me;
pub(crate) mod password;
pub(crate) mod refresh;
pub(crate) mod register;
pub(crate) mod sessions;
mod signed_in;
pub(crate) mod tokens;

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use serde::Serialize;
use shopwright_domain::TenantId;
use shopwright_ports::gate_api::Payer;
use shopwright_ports::identity_api::{Bearer, Proof};
use shopwright_ports::platform_api::PlatformError;
use shopwright_ports::storage::User;
use shopwright_ports::stores_api::RequestContext;
use utoipa::ToSchema;

use crate::form::{Form, Rule};
use crate::openapi::words;
use crate::problem::{Problem, UNAUTHORIZED};
use crate::{State, origin, rate_limit, routes};

/// Somebody whose token is good now, and good for this route. It is the only source of a [`RequestContext`].
#[derive(Debug, Clone)]
pub(crate) struct Authenticated {
    pub(crate) context: RequestContext,
    pub(crate) user: User,
    pub(crate) proof: Proof,
}

impl Authenticated {
    /// Lets only platform administrators pass, before anything is said about what they sent.
    pub(crate) fn as_administrator(&self) -> Result<(), Problem> {
        if self.context.actor.is_admin() { Ok(()) } else { Err(PlatformError::NotAdministrator.into()) }
    }

    /// Whose token a request has, without payment: for whoever asks again about a request that was let in and paid for.
    pub(crate) async fn again(request: &HttpRequest) -> Result<Self, Problem> {
        let who = Self::bearer(request).await?;
        routes::access(request).check(&who.proof)?;
        Ok(who)
    }

    async fn bearer(request: &HttpRequest) -> Result<Self, Problem> {
        let mut origin = origin::From::extract(request).await?.0;
        let state = state(request)?;
        let header = origin::header(request.headers(), AUTHORIZATION.as_str());
        let token = header.and_then(|value| value.strip_prefix("Bearer ")).filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| Problem::new(UNAUTHORIZED, "Sign in first"))?;
        let organisation = organisation(request)?;
        let Bearer { actor, user, proof } = state.api.identity.authenticate(token, organisation).await?;
        origin.credential = proof.credential();
        Ok(Self { context: RequestContext::new(actor, origin), user, proof })
    }
}

fn state(request: &HttpRequest) -> Result<&Data<State>, Problem> {
    request.app_data::<Data<State>>().ok_or_else(|| Problem::internal("a handler without state"))
}

impl FromRequest for Authenticated {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            // Who asks was found out already, for the promise that came along.
            if let Some(known) = request.extensions().get::<Self>().cloned() {
                return Ok(known);
            }
            let who = Self::bearer(&request).await?;
            let actor = &who.context.actor;
            let payer = Payer::User { id: actor.user_id, tenant_id: actor.tenant_id };
            rate_limit::admit(state(&request)?, &request, &payer).await?;
            routes::access(&request).check(&who.proof)?;
            Ok(who)
        })
    }
}

/// The organisation that a request acts in, when it names one.
fn organisation(request: &HttpRequest) -> Result<Option<TenantId>, Problem> {
    let Some(text) = origin::header(request.headers(), "x-organisation") else { return Ok(None) };
    let mut form = Form::new(serde_json::Map::new());
    let id = text.parse::<TenantId>().ok();
    if id.is_none() {
        let message = "X-Organisation must be the id of an organisation: a UUID";
        form.refuse("x-organisation", Rule::new("string.pattern.base"), message);
    }
    form.finish(id).map(Some)
}

/// An account as it is shown to whoever signs in.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
struct UserBody {
    id: String,
    email: String,
    username: String,
    #[schema(value_type = words::Role)]
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

#[cfg(test)]
mod tests;
