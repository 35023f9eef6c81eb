//! The REST API: `/api/v1` as `docs/API.md` describes it.
//!
//! It translates and decides nothing: requests become commands of the driving ports, answers and errors become JSON. Every answer
//! carries a request id, every error one of two shapes (`problem.rs`), every route stands in one table (`routes.rs`), and all but a
//! handful of open ones ask for a token before they look at anything else.
//!
//! [`serve`] runs it on a listener; [`Api::configure`] mounts it in another actix application; [`LocalServer`] is for tests.

mod access;
mod audit;
mod auth;
mod body;
mod conditional;
mod cors;
mod dashboard;
mod deadline;
mod engines;
mod events;
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
mod organisations;
mod origin;
mod page_token;
mod paths;
mod platform;
mod problem;
mod promise;
mod query;
mod rate_limit;
mod reply;
mod root;
mod routes;
mod seats;
mod server;
mod stores;
mod unread;

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod testing;

use crate::seats::Seats;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::web::ServiceConfig;
use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::future::Shared;
use shopwright_domain::engine::EngineCatalogue;
use shopwright_domain::network::TrustedProxies;
use shopwright_ports::audit_api::AuditService;
use shopwright_ports::clock::{Clock, Entropy};
use shopwright_ports::events_api::EventService;
use shopwright_ports::gate_api::Gate;
use shopwright_ports::health_api::HealthService;
use shopwright_ports::identity_api::IdentityService;
use shopwright_ports::metrics_api::MetricsService;
use shopwright_ports::organisations_api::OrganisationService;
use shopwright_ports::platform_api::PlatformService;
use shopwright_ports::stores_api::StoreService;
use shopwright_ports::telemetry::Telemetry;

use events::Streams;

pub use access::Access;
pub use auth::cookie::Cookies;
pub use cors::Cors;
pub use dashboard::Dashboard;
pub use metrics::serve_metrics;
pub use openapi::openapi;
pub use routes::{route_table, routes};
pub use server::{LocalServer, serve};

/// What the API needs, and how it behaves.
#[derive(Clone)]
pub struct Api {
    /// What may be asked for stores.
    pub stores: Arc<dyn StoreService>,
    /// What was written down about every change.
    pub audit: Arc<dyn AuditService>,
    /// What happens, live.
    pub events: Arc<dyn EventService>,
    /// Who somebody is.
    pub identity: Arc<dyn IdentityService>,
    /// Organisations, their members, invitations.
    pub organisations: Arc<dyn OrganisationService>,
    /// The platform as a whole, for those who run it.
    pub platform: Arc<dyn PlatformService>,
    /// Who may come in now, and what was answered before.
    pub gate: Arc<dyn Gate>,
    /// How the process is doing.
    pub health: Arc<dyn HealthService>,
    /// The numbers.
    pub metrics: Arc<dyn MetricsService>,
    /// What stores can be made of.
    pub engines: Arc<EngineCatalogue>,
    /// Where people reach this server, for links: a URL without a slash at the end.
    pub public_url: String,
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
    /// Requests with a token that are worked on at the same time, per process; others wait for their turn.
    pub concurrent: usize,
    /// How long a request may wait for its turn.
    pub queue_time: Duration,
    /// How long requests in flight may go on once the shutdown has begun.
    pub drain_time: Duration,
    /// Connections at the same time, per worker.
    pub max_connections: usize,
    /// Event streams of one person at the same time, per process.
    pub streams_per_person: usize,
    /// How often a stream that has nothing to say shows that it lives.
    pub heartbeat: Duration,
    /// How often it is asked whether whoever follows a stream may still see it.
    pub recheck: Duration,
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
            concurrent: 32,
            queue_time: Duration::from_secs(30),
            drain_time: Duration::from_secs(10),
            max_connections: 4096,
            streams_per_person: 20,
            heartbeat: Duration::from_secs(15),
            recheck: Duration::from_secs(1),
            workers: None,
        }
    }
}

/// What all workers share.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) api: Api,
    pub(crate) streams: Streams,
    pub(crate) seats: Seats,
    drain: Arc<Drain>,
}

/// The beginning of the shutdown, for whoever looks and for whoever waits.
struct Drain {
    begun: AtomicBool,
    begin: Mutex<Option<oneshot::Sender<()>>>,
    waited_for: Shared<oneshot::Receiver<()>>,
}

impl State {
    pub(crate) fn new(api: Api) -> Self {
        let (begin, begins) = oneshot::channel();
        let drain =
            Drain { begun: AtomicBool::new(false), begin: Mutex::new(Some(begin)), waited_for: begins.shared() };
        Self {
            streams: Streams::new(api.limits.streams_per_person),
            seats: Seats::of(&api.limits),
            api,
            drain: Arc::new(drain),
        }
    }

    /// From now on requests are turned away, and streams end.
    pub(crate) fn begin_draining(&self) {
        self.drain.begun.store(true, Ordering::Release);
        // Dropped or sent, it means the same.
        self.drain.begin.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.drain.begun.load(Ordering::Acquire)
    }

    /// Returns when the shutdown begins.
    pub(crate) fn draining(&self) -> impl Future<Output = ()> + use<> {
        self.drain.waited_for.clone().map(|_| ())
    }
}
