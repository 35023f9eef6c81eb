//! `POST /stores`: writes down what a merchant asks for; a worker does the rest.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use shopwright_domain::store::{Engine, InvalidStoreName};
use shopwright_ports::stores_api::CreateStore;

use super::accepted;
use crate::auth::Authenticated;
use crate::form::{Form, Rule};
use crate::problem::Problem;
use crate::{State, body, idempotency_key};

const fn rule_of_name(error: &InvalidStoreName) -> Rule {
    match error {
        InvalidStoreName::Empty => Rule::new("string.empty"),
        InvalidStoreName::TooShort => Rule::limit("string.min", 3),
        InvalidStoreName::TooLong => Rule::limit("string.max", 63),
        InvalidStoreName::Pattern | InvalidStoreName::DoubleHyphen => Rule::new("string.pattern.base"),
        InvalidStoreName::Reserved(_) => Rule::new("any.invalid"),
        InvalidStoreName::Blocked(_) => Rule::new("any.custom"),
    }
}

fn command(request: &HttpRequest, mut form: Form) -> Result<CreateStore, Problem> {
    let name = form.required("name");
    let name = form.parse("name", name, rule_of_name);
    if !form.has("engine") {
        form.refuse("engine", Rule::new("any.required"), "engine is required");
    }
    let engine = form.choice("engine");
    if engine == Some(Engine::Medusa) {
        form.forbid("theme", "theme is not a field of a medusa store");
    }
    let theme = form.choice("theme");
    let password = form.optional("password");
    let password = form.chosen_password("password", password);
    let key = idempotency_key::of(request, &mut form);
    // Clients of v1 send it; a store belongs to whoever asks for it.
    form.ignore("ownerId");
    form.refuse_unknown();
    let command = |(name, engine)| CreateStore { name, engine, theme, password, idempotency: None };
    let mut command = form.finish(name.zip(engine).map(command))?;
    command.idempotency = key.map(|key| idempotency_key::promise(key, &command));
    Ok(command)
}

pub(crate) async fn handle(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let command = command(&request, body::form(&request, payload, &state.api.limits).await?)?;
    let outcome = state.api.stores.create(&auth.context, command).await?;
    Ok(accepted(&auth.context.origin, "The store was accepted and is being set up.", &outcome))
}

#[cfg(test)]
mod tests;
