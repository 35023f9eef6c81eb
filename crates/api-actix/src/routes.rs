//! The one table of routes, each with who may use it. What does not stand here cannot be reached, and a test asks every line for its
//! token and for its scope.

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
use crate::{State, auth, health, operations, root, stores};

/// One method on one path.
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    handler: fn() -> Route,
}

const fn on(method: Method, path: &'static str, access: Access, handler: fn() -> Route) -> Endpoint {
    Endpoint { method, path, access, handler }
}

const ACCOUNT: Access = Access::Scope(Scope::AccountRead);
const READ: Access = Access::Scope(Scope::StoresRead);
const WRITE: Access = Access::Scope(Scope::StoresWrite);

/// Everything that can be asked. Lines of one path stand together.
pub(crate) static ROUTES: &[Endpoint] = &[
    on(Method::GET, "/", Open, || to(root::handle)),
    on(Method::GET, "/livez", Open, || to(health::live)),
    on(Method::GET, "/readyz", Open, || to(health::ready)),
    on(Method::GET, "/.well-known/jwks.json", Open, || to(auth::jwks::handle)),
    on(Method::GET, "/api/v1/health", Open, || to(health::health)),
    on(Method::GET, "/api/v1/health/live", Open, || to(health::live)),
    on(Method::GET, "/api/v1/health/ready", Open, || to(health::ready)),
    on(Method::POST, "/api/v1/auth/register", Open, || to(auth::register::handle)),
    on(Method::POST, "/api/v1/auth/login", Open, || to(auth::login::handle)),
    // These bring a refresh token, or on the way out an access token: the handlers ask for it.
    on(Method::POST, "/api/v1/auth/refresh", Open, || to(auth::refresh::handle)),
    on(Method::POST, "/api/v1/auth/logout", Open, || to(auth::logout::handle)),
    on(Method::GET, "/api/v1/auth/me", ACCOUNT, || to(auth::me::handle)),
    on(Method::PATCH, "/api/v1/auth/password", Person, || to(auth::password::handle)),
    on(Method::GET, "/api/v1/auth/sessions", Person, || to(auth::sessions::list)),
    on(Method::DELETE, "/api/v1/auth/sessions", Person, || to(auth::sessions::end_all)),
    on(Method::DELETE, "/api/v1/auth/sessions/{id}", Person, || to(auth::sessions::end)),
    on(Method::GET, "/api/v1/auth/tokens", Person, || to(auth::tokens::list)),
    on(Method::POST, "/api/v1/auth/tokens", Person, || to(auth::tokens::create)),
    on(Method::DELETE, "/api/v1/auth/tokens/{id}", Person, || to(auth::tokens::revoke)),
    on(Method::GET, "/api/v1/stores", READ, || to(stores::list::handle)),
    on(Method::POST, "/api/v1/stores", WRITE, || to(stores::create::handle)),
    on(Method::GET, "/api/v1/stores/{id}", READ, || to(stores::get::handle)),
    on(Method::DELETE, "/api/v1/stores/{id}", WRITE, || to(stores::delete::handle)),
    on(Method::POST, "/api/v1/stores/{id}/retry", WRITE, || to(stores::retry::handle)),
    on(Method::GET, "/api/v1/stores/{id}/logs", READ, || to(stores::logs::handle)),
    on(Method::GET, "/api/v1/operations/{id}", READ, || to(operations::handle)),
    on(Method::POST, "/api/v1/operations/{id}/cancel", WRITE, || to(operations::cancel::handle)),
];

/// Who may use the route that a request was led to. What is not in the table is for persons, and there is no such thing.
pub(crate) fn access(request: &HttpRequest) -> Access {
    let method = if *request.method() == Method::HEAD { &Method::GET } else { request.method() };
    let pattern = request.match_pattern().unwrap_or_default();
    let line = ROUTES.iter().find(|line| line.method == *method && line.path == pattern);
    line.map_or(Person, |line| line.access)
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
            all = all.service(place.wrap(from_fn(deadline)));
        }
        config.service(all.default_service(to(not_found)).wrap(from_fn(frame)));
        // Targets that are no paths, such as `*`.
        config.default_service(to(async || HttpResponse::NotFound().finish()));
    }
}

#[cfg(test)]
mod tests;
