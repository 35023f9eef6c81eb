//! The one table of routes. What does not stand here cannot be reached, and a test asks every line for its token.

use actix_web::guard::{Guard, GuardContext};
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, ServiceConfig, resource, scope, to};
use actix_web::{HttpResponse, Route};

use crate::deadline::deadline;
use crate::frame::frame;
use crate::not_found::not_found;
use crate::{State, auth, health, operations, root, stores};

/// One method on one path.
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    handler: fn() -> Route,
}

const fn on(method: Method, path: &'static str, handler: fn() -> Route) -> Endpoint {
    Endpoint { method, path, handler }
}

/// Everything that can be asked. Lines of one path stand together.
pub(crate) static ROUTES: &[Endpoint] = &[
    on(Method::GET, "/", || to(root::handle)),
    on(Method::GET, "/livez", || to(health::live)),
    on(Method::GET, "/readyz", || to(health::ready)),
    on(Method::GET, "/api/v1/health", || to(health::health)),
    on(Method::GET, "/api/v1/health/live", || to(health::live)),
    on(Method::GET, "/api/v1/health/ready", || to(health::ready)),
    on(Method::POST, "/api/v1/auth/register", || to(auth::register::handle)),
    on(Method::POST, "/api/v1/auth/login", || to(auth::login::handle)),
    on(Method::GET, "/api/v1/auth/me", || to(auth::me::handle)),
    on(Method::PATCH, "/api/v1/auth/password", || to(auth::password::handle)),
    on(Method::GET, "/api/v1/stores", || to(stores::list::handle)),
    on(Method::POST, "/api/v1/stores", || to(stores::create::handle)),
    on(Method::GET, "/api/v1/stores/{id}", || to(stores::get::handle)),
    on(Method::DELETE, "/api/v1/stores/{id}", || to(stores::delete::handle)),
    on(Method::POST, "/api/v1/stores/{id}/retry", || to(stores::retry::handle)),
    on(Method::GET, "/api/v1/stores/{id}/logs", || to(stores::logs::handle)),
    on(Method::GET, "/api/v1/operations/{id}", || to(operations::handle)),
    on(Method::POST, "/api/v1/operations/{id}/cancel", || to(operations::cancel::handle)),
];

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
