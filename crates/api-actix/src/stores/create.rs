//! `POST /stores`: writes down what a merchant asks for; a worker does the rest.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use shopwright_domain::engine::EngineCatalogue;
use shopwright_domain::store::InvalidStoreName;
use shopwright_ports::stores_api::CreateStore;

use super::{accepted, accepted_doc};
use crate::auth::Authenticated;
use crate::form::{Form, Rule};
use crate::openapi::doc::Doc;
use crate::openapi::fields::{new_password, optional, required, text, text_of};
use crate::problem::Problem;
use crate::{State, body, engines};
use serde_json::json;

pub(super) const fn rule_of_name(error: &InvalidStoreName) -> Rule {
    match error {
        InvalidStoreName::Empty => Rule::new("string.empty"),
        InvalidStoreName::TooShort => Rule::limit("string.min", 3),
        InvalidStoreName::TooLong => Rule::limit("string.max", 63),
        InvalidStoreName::Pattern | InvalidStoreName::DoubleHyphen => Rule::new("string.pattern.base"),
        InvalidStoreName::Reserved(_) | InvalidStoreName::LooksReserved { .. } => Rule::new("any.invalid"),
        InvalidStoreName::Blocked(_) => Rule::new("any.custom"),
    }
}

fn command(mut form: Form, catalogue: &EngineCatalogue) -> Result<CreateStore, Problem> {
    let name = form.required("name");
    let name = form.parse("name", name, rule_of_name);
    if !form.has("engine") {
        form.refuse("engine", Rule::new("any.required"), "engine is required");
    }
    let engine = engines::field(&mut form, catalogue);
    let theme = engines::theme_field(&mut form, engine);
    let engine = engine.map(|engine| engine.name().clone());
    let password = form.optional("password");
    let password = form.chosen_password("password", password);
    // Clients of v1 send it; a store belongs to whoever asks for it.
    form.ignore("ownerId");
    form.refuse_unknown();
    form.finish(name.zip(engine).map(|(name, engine)| CreateStore { name, engine, theme, password }))
}

pub(crate) fn doc() -> Doc {
    let name = json!({"type": "string", "minLength": 3, "maxLength": 63, "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"});
    let fields = [
        required("name", name, "Part of the store's host: lower-case letters, digits and single hyphens"),
        required("engine", text_of(1, 32), "What it is made of: one of `GET /engines`"),
        optional("theme", text_of(1, 32), "How it looks: one of its engine's themes"),
        optional("password", new_password(), "Of the store's administrator; a strong one is made otherwise"),
        optional("ownerId", text(), "Ignored: a store belongs to whoever asks for it"),
    ];
    accepted_doc("Asks for a store; a worker makes it", "The store was accepted and is being set up.")
        .takes(fields, json!({"name": "teashop", "engine": "medusa"}))
        .refuses(409, "The name is in use, or the request with this Idempotency-Key is still under way")
        .refuses(422, "The engine is not available, or the Idempotency-Key came with another body")
        .refuses(429, "As many stores as the organisation may hold, or too soon after the last one")
}

pub(crate) async fn handle(
    auth: Authenticated,
    state: Data<State>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let command = command(body::form(&request, payload, &state.api.limits).await?, &state.api.engines)?;
    let outcome = state.api.stores.create(&auth.context, command).await?;
    Ok(accepted(&auth.context.origin, "The store was accepted and is being set up.", &outcome))
}

#[cfg(test)]
mod tests;
