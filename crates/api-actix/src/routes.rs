//! The one table of routes, each with who may use it and what the OpenAPI document says of it. What does not stand here cannot be
//! reached, and a test asks every line for its token and for its scope.

use actix_web::guard::{Guard, GuardContext};
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, ServiceConfig, resource, scope, to};
use actix_web::{HttpRequest, HttpResponse, Route};
use shopwright_domain::Scope;

use crate::access::Access::{self, Open, Person};
use crate::deadline::deadline;
use crate::frame::frame;
use crate::not_found::not_found;
use crate::openapi::doc::Doc;
use crate::organisations::{invitations, members};
use crate::promise::promises;
use crate::{
    State, audit, auth, engines, events, health, limits, metrics, openapi, operations, organisations, platform, root,
    stores,
};

/// One method on one path.
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    handler: fn() -> Route,
    pub(crate) doc: fn() -> Doc,
}

const fn on(method: Method, path: &'static str, access: Access, handler: fn() -> Route, doc: fn() -> Doc) -> Endpoint {
    Endpoint { method, path, access, handler, doc }
}

const ACCOUNT: Access = Access::Scope(Scope::AccountRead);
const READ: Access = Access::Scope(Scope::StoresRead);
const PLATFORM: Access = Access::Scope(Scope::PlatformAdmin);
const WRITE: Access = Access::Scope(Scope::StoresWrite);

/// Everything that can be asked. Lines of one path stand together.
pub(crate) static ROUTES: &[Endpoint] = &[
    on(Method::GET, "/", Open, || to(root::handle), root::doc),
    on(Method::GET, "/livez", Open, || to(health::live), health::live_doc),
    on(Method::GET, "/readyz", Open, || to(health::ready), health::ready_doc),
    on(Method::GET, "/.well-known/jwks.json", Open, || to(auth::jwks::handle), auth::jwks::doc),
    on(Method::GET, "/docs", Open, || to(openapi::page::index), openapi::page::index_doc),
    on(Method::GET, "/docs/{file}", Open, || to(openapi::page::file), openapi::page::file_doc),
    on(Method::GET, "/api/v1/openapi.json", Open, || to(openapi::handle), openapi::doc),
    on(Method::GET, "/api/v1/health", Open, || to(health::health), health::health_doc),
    on(Method::GET, "/api/v1/health/live", Open, || to(health::live), health::live_doc),
    on(Method::GET, "/api/v1/health/ready", Open, || to(health::ready), health::ready_doc),
    on(Method::POST, "/api/v1/auth/register", Open, || to(auth::register::handle), auth::register::doc),
    on(Method::POST, "/api/v1/auth/login", Open, || to(auth::login::handle), auth::login::doc),
    // These bring a refresh token, or on the way out an access token: the handlers ask for it.
    on(Method::POST, "/api/v1/auth/refresh", Open, || to(auth::refresh::handle), auth::refresh::doc),
    on(Method::POST, "/api/v1/auth/logout", Open, || to(auth::logout::handle), auth::logout::doc),
    on(Method::GET, "/api/v1/auth/me", ACCOUNT, || to(auth::me::handle), auth::me::doc),
    on(Method::PATCH, "/api/v1/auth/password", Person, || to(auth::password::handle), auth::password::doc),
    on(Method::GET, "/api/v1/auth/sessions", Person, || to(auth::sessions::list), auth::sessions::list_doc),
    on(Method::DELETE, "/api/v1/auth/sessions", Person, || to(auth::sessions::end_all), auth::sessions::end_all_doc),
    on(Method::DELETE, "/api/v1/auth/sessions/{id}", Person, || to(auth::sessions::end), auth::sessions::end_doc),
    on(Method::GET, "/api/v1/auth/tokens", Person, || to(auth::tokens::list), auth::tokens::list_doc),
    on(Method::POST, "/api/v1/auth/tokens", Person, || to(auth::tokens::create), auth::tokens::create_doc),
    on(Method::DELETE, "/api/v1/auth/tokens/{id}", Person, || to(auth::tokens::revoke), auth::tokens::revoke_doc),
    on(Method::GET, "/api/v1/engines", READ, || to(engines::handle), engines::doc),
    on(Method::GET, "/api/v1/organisations", Person, || to(organisations::list), organisations::list_doc),
    on(Method::POST, "/api/v1/organisations", Person, || to(organisations::create), organisations::create_doc),
    on(Method::GET, "/api/v1/organisations/{id}", Person, || to(organisations::get), organisations::get_doc),
    on(Method::PATCH, "/api/v1/organisations/{id}", Person, || to(organisations::rename), organisations::rename_doc),
    on(
        Method::DELETE,
        "/api/v1/organisations/{id}",
        Person,
        || to(organisations::dissolve),
        organisations::dissolve_doc,
    ),
    on(Method::GET, "/api/v1/organisations/{id}/members", Person, || to(members::list), members::list_doc),
    on(
        Method::PATCH,
        "/api/v1/organisations/{id}/members/{userId}",
        Person,
        || to(members::change_role),
        members::change_role_doc,
    ),
    on(
        Method::DELETE,
        "/api/v1/organisations/{id}/members/{userId}",
        Person,
        || to(members::remove),
        members::remove_doc,
    ),
    on(Method::GET, "/api/v1/organisations/{id}/invitations", Person, || to(invitations::list), invitations::list_doc),
    on(
        Method::POST,
        "/api/v1/organisations/{id}/invitations",
        Person,
        || to(invitations::create),
        invitations::create_doc,
    ),
    on(
        Method::DELETE,
        "/api/v1/organisations/{id}/invitations/{invitationId}",
        Person,
        || to(invitations::revoke),
        invitations::revoke_doc,
    ),
    // Whoever is invited may have no account yet.
    on(Method::POST, "/api/v1/invitations/inspect", Open, || to(invitations::inspect), invitations::inspect_doc),
    on(Method::POST, "/api/v1/invitations/accept", Person, || to(invitations::accept), invitations::accept_doc),
    on(Method::GET, "/api/v1/limits", READ, || to(limits::handle), limits::doc),
    on(Method::GET, "/api/v1/stores", READ, || to(stores::list::handle), stores::list::doc),
    on(Method::POST, "/api/v1/stores", WRITE, || to(stores::create::handle), stores::create::doc),
    // Before the ids, none of which looks like it.
    on(
        Method::GET,
        "/api/v1/stores/availability",
        READ,
        || to(stores::availability::handle),
        stores::availability::doc,
    ),
    on(Method::GET, "/api/v1/stores/{id}", READ, || to(stores::get::handle), stores::get::doc),
    on(Method::DELETE, "/api/v1/stores/{id}", WRITE, || to(stores::delete::handle), stores::delete::doc),
    on(Method::POST, "/api/v1/stores/{id}/retry", WRITE, || to(stores::retry::handle), stores::retry::doc),
    on(
        Method::POST,
        "/api/v1/stores/{id}/credentials/reveal",
        WRITE,
        || to(stores::credentials::reveal),
        stores::credentials::reveal_doc,
    ),
    on(
        Method::POST,
        "/api/v1/stores/{id}/credentials/rotate",
        WRITE,
        || to(stores::credentials::rotate),
        stores::credentials::rotate_doc,
    ),
    on(Method::GET, "/api/v1/stores/{id}/upgrade", READ, || to(stores::upgrade::preview), stores::upgrade::preview_doc),
    on(Method::POST, "/api/v1/stores/{id}/upgrade", WRITE, || to(stores::upgrade::handle), stores::upgrade::doc),
    on(Method::GET, "/api/v1/stores/{id}/resources", READ, || to(stores::resources::handle), stores::resources::doc),
    on(Method::GET, "/api/v1/stores/{id}/logs", READ, || to(stores::logs::handle), stores::logs::doc),
    on(Method::GET, "/api/v1/stores/{id}/events", READ, || to(events::of_store), events::of_store_doc),
    on(Method::GET, "/api/v1/events", READ, || to(events::of_everything), events::of_everything_doc),
    on(Method::GET, "/api/v1/audit", READ, || to(audit::list::handle), audit::list::doc),
    on(Method::GET, "/api/v1/audit/export", READ, || to(audit::export::handle), audit::export::doc),
    on(Method::GET, "/api/v1/metrics", PLATFORM, || to(metrics::text), metrics::text_doc),
    on(Method::GET, "/api/v1/metrics/json", PLATFORM, || to(metrics::summary), metrics::json_doc),
    on(Method::GET, "/api/v1/platform/users", PLATFORM, || to(platform::users::list), platform::users::list_doc),
    on(
        Method::PATCH,
        "/api/v1/platform/users/{id}",
        PLATFORM,
        || to(platform::users::change),
        platform::users::change_doc,
    ),
    on(Method::GET, "/api/v1/platform/clusters", PLATFORM, || to(platform::clusters::list), platform::clusters::doc),
    on(Method::GET, "/api/v1/operations", READ, || to(operations::list::handle), operations::list::doc),
    on(Method::GET, "/api/v1/operations/{id}", READ, || to(operations::handle), operations::doc),
    on(
        Method::POST,
        "/api/v1/operations/{id}/cancel",
        WRITE,
        || to(operations::cancel::handle),
        operations::cancel::doc,
    ),
];

/// The line of the table that a request was led to.
fn line(request: &HttpRequest) -> Option<&'static Endpoint> {
    let method = if *request.method() == Method::HEAD { &Method::GET } else { request.method() };
    let pattern = request.match_pattern()?;
    ROUTES.iter().find(|line| line.method == *method && line.path == pattern)
}

/// Who may use the route that a request was led to. What is not in the table is for persons, and there is no such thing.
pub(crate) fn access(request: &HttpRequest) -> Access {
    line(request).map_or(Person, |line| line.access)
}

/// Whether anybody may ask this path, by one of its methods. Open paths below the base have no parameters.
pub(crate) fn is_open(path: &str) -> bool {
    ROUTES.iter().any(|line| line.access == Open && line.path == path)
}

/// The pattern of the route that a request was led to; empty when there is none.
pub(crate) fn pattern(request: &HttpRequest) -> &'static str {
    line(request).map_or("", |line| line.path)
}

/// Every route as numbers about it name it, with the status that it answers when all goes well.
pub fn routes() -> impl Iterator<Item = (&'static str, &'static str, u16)> {
    ROUTES.iter().map(|line| (line.method.as_str(), line.path, (line.doc)().status()))
}

/// Every method, path and who may use it, for whoever checks the API from outside.
pub fn route_table() -> impl Iterator<Item = (&'static Method, &'static str, Access)> {
    ROUTES.iter().map(|line| (&line.method, line.path, line.access))
}

/// Matches the method, and HEAD where GET does.
struct Asks(Method);

impl Guard for Asks {
    fn check(&self, context: &GuardContext<'_>) -> bool {
        let method = &context.head().method;
        *method == self.0 || (self.0 == Method::GET && *method == Method::HEAD)
    }
}

/// Mounts the table inside the frame.
pub(crate) fn mount(state: State) -> impl FnOnce(&mut ServiceConfig) + use<> {
    move |config| {
        let mut all = scope("").app_data(Data::new(state));
        for lines in ROUTES.chunk_by(|one, other| one.path == other.path) {
            let Some(first) = lines.first() else { continue };
            let mut place = resource(first.path).default_service(to(not_found));
            for line in lines {
                place = place.route((line.handler)().guard(Asks(line.method.clone())));
            }
            all = all.service(place.wrap(from_fn(promises)).wrap(from_fn(deadline)));
        }
        config.service(all.default_service(to(not_found)).wrap(from_fn(frame)));
        // Targets that are no paths, such as `*`.
        config.default_service(to(async || HttpResponse::NotFound().finish()));
    }
}

#[cfg(test)]
mod tests;
