//! The REST API: `/api/v1` as `docs/API.md` describes it.
//!
//! It translates and decides nothing: requests become commands of the driving ports, answers and errors become JSON. Every answer
//! carries a request id, every error one of two shapes (`problem.rs`), every route stands in one table (`routes.rs`), and all but a
//! handful of open ones ask for a token before they look at anything else.
//!
//! [`serve`] runs it on a listener; [`Api::configure`] mounts it in another actix application; [`LocalServer`] is for tests.

mod access;
mod auth;
mod body;
mod conditional;
mod cors;
mod dashboard;
mod deadline;
mod form;
mod frame;
mod health;
mod iso;
mod limits;
mod metrics;
mod not_found;
mod observe;
mod openapi;
mod operations;
mod origin;
mod paths;
mod problem;
mod promise;
mod query;
mod rate_limit;
mod reply;
mod root;
mod routes;
mod server;
mod stores;

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod testing;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::web::ServiceConfig;
use shopwright_domain::network::TrustedProxies;
use shopwright_ports::clock::{Clock, Entropy};
use shopwright_ports::gate_api::Gate;
use shopwright_ports::health_api::HealthService;
use shopwright_ports::identity_api::IdentityService;
use shopwright_ports::metrics_api::MetricsService;
use shopwright_ports::stores_api::StoreService;
use shopwright_ports::telemetry::Telemetry;

pub use auth::cookie::Cookies;
pub use cors::Cors;
pub use dashboard::Dashboard;
pub use metrics::serve_metrics;
pub use openapi::openapi;
pub use routes::routes;
pub use server::{LocalServer, serve};

/// What the API needs, and how it behaves.
#[derive(Clone)]
pub struct Api {
    /// What may be asked for stores.
    pub stores: Arc<dyn StoreService>,
    /// Who somebody is.
    pub identity: Arc<dyn IdentityService>,
    /// Who may come in now, and what was answered before.
    pub gate: Arc<dyn Gate>,
    /// How the process is doing.
    pub health: Arc<dyn HealthService>,
    /// The numbers.
    pub metrics: Arc<dyn MetricsService>,
    /// Request ids.
    pub entropy: Arc<dyn Entropy>,
    /// The time in answers. Timeouts of connections run on real time, so that a test may move this clock at will.
    pub clock: Arc<dyn Clock>,
    /// How browsers keep their refresh token.
    pub cookies: Cookies,
    /// Whether every answer says that everything is simulated.
    pub simulated: bool,
    /// The pages for browsers.
    pub dashboard: Dashboard,
    /// What a client may take.
    pub limits: Limits,
    /// Numbers and traces about requests.
    pub telemetry: Telemetry,
    /// Whose word about a client's address is believed.
    pub proxies: TrustedProxies,
    /// Whose pages may read answers.
    pub cors: Cors,
    /// Whether browsers reach this only by HTTPS, through a proxy: they are told to keep to it.
    pub https: bool,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("simulated", &self.simulated).field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Api {
    /// Mounts all routes, with everything that belongs to them. It answers every path, with 404 what is not in its table: mount it last.
    pub fn configure(&self) -> impl FnOnce(&mut ServiceConfig) + use<> {
        routes::mount(State::new(self.clone()))
    }
}

/// What a client may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest body.
    pub body_bytes: usize,
    /// How long a body may take to arrive.
    pub body_time: Duration,
    /// How long the head of a request may take to arrive.
    pub head_time: Duration,
    /// How long a handler may take; dropped after that, and its transaction with it.
    pub handler_time: Duration,
    /// How long requests in flight may go on once the shutdown has begun.
    pub drain_time: Duration,
    /// Connections at the same time, per worker.
    pub max_connections: usize,
    /// Threads that serve requests; as many as there are cores when there is none.
    pub workers: Option<usize>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 256 * 1024,
            body_time: Duration::from_secs(10),
            head_time: Duration::from_secs(5),
            handler_time: Duration::from_secs(30),
            drain_time: Duration::from_secs(10),
            max_connections: 4096,
            workers: None,
        }
    }
}

/// What all workers share.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) api: Api,
    draining: Arc<AtomicBool>,
}

impl State {
    pub(crate) fn new(api: Api) -> Self {
        Self { api, draining: Arc::default() }
    }

    /// From now on requests are turned away.
    pub(crate) fn begin_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}
