//! `GET /engines`: what stores can be made of. Also the field `engine` of other requests.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::json;
use shopwright_domain::engine::{Administrator, EngineCatalogue, EngineDescriptor, Personal, RotationTarget};
use shopwright_domain::store::{EngineName, ThemeName};
use shopwright_ports::stores_api::EngineView;

use crate::auth::Authenticated;
use crate::form::Form;
use crate::openapi::doc::Doc;
use crate::problem::Problem;
use crate::{State, reply};
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
struct Body<'a> {
    engines: Vec<EngineBody<'a>>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Engine)]
struct EngineBody<'a> {
    name: &'a str,
    title: &'a str,
    summary: &'a str,
    themes: Vec<&'a str>,
    #[schema(required)]
    default_theme: Option<&'a str>,
    storefront_path: &'a str,
    #[schema(required)]
    admin_path: Option<&'a str>,
    administrator: AdministratorBody<'a>,
    rotates: Vec<&'static str>,
    setup_steps: &'a [String],
    /// Whether stores of it can be made ahead, and given to somebody in place.
    warm_pool: bool,
    available: bool,
    #[schema(required)]
    unavailable_reason: Option<&'a str>,
    #[schema(required)]
    note: Option<&'a str>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Administrator)]
struct AdministratorBody<'a> {
    /// `email`, `name` or `none`.
    signs_in_with: &'static str,
    #[schema(required)]
    username: Option<&'a str>,
}

impl<'a> From<&'a EngineView> for EngineBody<'a> {
    fn from(view: &'a EngineView) -> Self {
        let engine = &view.engine;
        let administrator = match engine.administrator() {
            Administrator::Email => AdministratorBody { signs_in_with: "email", username: None },
            Administrator::Name(name) => AdministratorBody { signs_in_with: "name", username: Some(name) },
            Administrator::None => AdministratorBody { signs_in_with: "none", username: None },
        };
        Self {
            name: engine.name().as_str(),
            title: engine.title(),
            summary: engine.summary(),
            themes: engine.themes().iter().map(ThemeName::as_str).collect(),
            default_theme: engine.default_theme().map(ThemeName::as_str),
            storefront_path: engine.storefront_path(),
            admin_path: Some(engine.admin_path()).filter(|path| !path.is_empty()),
            administrator,
            rotates: engine.rotates().iter().copied().map(RotationTarget::as_str).collect(),
            setup_steps: engine.setup_steps(),
            warm_pool: Personal::ALL.iter().all(|personal| engine.personal().contains(personal)),
            available: view.unavailable.is_none(),
            unavailable_reason: view.unavailable.as_deref(),
            note: view.note.as_deref(),
        }
    }
}

pub(crate) fn doc() -> Doc {
    let medusa = json!({
        "name": "medusa", "title": "Medusa", "summary": "Medusa v2 with a storefront of its own, on PostgreSQL", "themes": [],
        "defaultTheme": null, "storefrontPath": "/", "adminPath": "/app",
        "administrator": {"signsInWith": "email", "username": null}, "rotates": ["administrator", "database"],
        "setupSteps": ["wait-database", "migrate", "marker"], "warmPool": true, "available": true,
        "unavailableReason": null, "note": null,
    });
    Doc::answers::<Body<'static>>(200, "What stores can be made of", json!({"engines": [medusa]}))
}

pub(crate) async fn handle(auth: Authenticated, state: Data<State>) -> Result<HttpResponse, Problem> {
    let engines = state.api.stores.engines().await?;
    Ok(reply::ok(&auth.context.origin, Body { engines: engines.iter().map(EngineBody::from).collect() }))
}

/// The engine in the field `engine`, if it is there: one of those that there are.
pub(crate) fn field<'a>(form: &mut Form, engines: &'a EngineCatalogue) -> Option<&'a EngineDescriptor> {
    form.one_of("engine", |text| {
        let known = text.parse::<EngineName>().ok().and_then(|name| engines.get(&name).ok());
        known.ok_or_else(|| format!("engine must be one of: {}", engines.names()))
    })
}

/// The theme in the field `theme`, if it is there: one of the engine's.
pub(crate) fn theme_field(form: &mut Form, engine: Option<&EngineDescriptor>) -> Option<ThemeName> {
    let Some(engine) = engine else {
        // Which themes there are nobody knows before the engine is right, which it is said not to be.
        form.ignore("theme");
        return None;
    };
    if engine.themes().is_empty() {
        form.forbid("theme", &format!("theme is not a field of a {} store", engine.name()));
        return None;
    }
    form.one_of("theme", |text| {
        let known = engine.themes().iter().find(|theme| theme.as_str() == text).cloned();
        let names = || engine.themes().iter().map(ThemeName::as_str).collect::<Vec<_>>().join(", ");
        known.ok_or_else(|| format!("theme must be one of: {}", names()))
    })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use shopwright_ports::testing::engines;

    use super::*;
    use crate::testing::{Bench, OWNER};

    #[actix_web::test]
    async fn engines_are_told_with_what_keeps_a_store_from_being_made() {
        let mut bench = Bench::new();
        bench.stores.expect_engines().once().returning(|| {
            let medusa = EngineView { engine: engines::medusa_descriptor(), note: None, unavailable: None };
            let unavailable = Some("the image holds no plugin".to_owned());
            Ok(vec![medusa, EngineView { engine: engines::woocommerce_descriptor(), note: None, unavailable }])
        });

        let answer = bench.send(OWNER.asks(TestRequest::get().uri("/api/v1/engines"))).await;

        assert_eq!(answer.status, 200);
        let (medusa, woocommerce) = (&answer.body["engines"][0], &answer.body["engines"][1]);
        assert_eq!(
            (&medusa["name"], &medusa["available"], &medusa["warmPool"]),
            (&json!("medusa"), &json!(true), &json!(true))
        );
        assert_eq!(medusa["administrator"], json!({"signsInWith": "email", "username": null}));
        assert_eq!(woocommerce["administrator"], json!({"signsInWith": "name", "username": "admin"}));
        assert_eq!(woocommerce["themes"], json!(["storefront", "astra"]));
        assert_eq!(woocommerce["unavailableReason"], "the image holds no plugin");
        assert_eq!((&woocommerce["available"], &woocommerce["warmPool"]), (&json!(false), &json!(false)));
    }
}
