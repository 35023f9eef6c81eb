//! The bench of this crate's tests: the real application over mocked services, and the people who use it.
//!
//! A mock that is called without having been told what to answer panics; the frame makes a 500 of it, so such a test fails on its status.

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header::HeaderMap;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error};
use async_trait::async_trait;
use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::{LocalBoxFuture, Shared};
use secrecy::SecretString;
use serde_json::Value;
use shopwright_domain::breaker::BreakerState;
use shopwright_domain::identity::{Actor as DomainActor, PlatformRole};
use shopwright_domain::network::TrustedProxies;
use shopwright_domain::operation::{Operation, OperationKind};
use shopwright_domain::organisation::Role;
use shopwright_domain::plans::PlanName;
use shopwright_domain::store::{Store, StoreState, StoreUrls, example_store};
use shopwright_domain::{ApiTokenId, Scope, SessionId, TenantId, UserId};
use shopwright_ports::audit_api::MockAuditService;
use shopwright_ports::clock::Clock;
use shopwright_ports::events_api::MockEventService;
use shopwright_ports::health_api::{Check, ClusterCondition, FenceCondition, Health, HealthService, MockHealthService};
use shopwright_ports::identity_api::{Bearer, IdentityError, MockIdentityService, Proof, SignedIn};
use shopwright_ports::metrics_api::MockMetricsService;
use shopwright_ports::organisations_api::{Membership, MockOrganisationService};
use shopwright_ports::platform_api::MockPlatformService;
use shopwright_ports::storage::{ApiToken, Tenant, User};
use shopwright_ports::stores_api::{AdminCredentials, MockStoreService, StoreView};
use shopwright_ports::telemetry::Telemetry;
use shopwright_ports::testing::{FakeGate, ManualClock, SeededEntropy, engines};

use crate::openapi::check;
use crate::routes::mount;
use crate::{Api, Cookies, Cors, Dashboard, Limits, State};

pub(crate) const STORE: &str = "store-1a2b3c4d";
pub(crate) const OPERATION: &str = "00000000-0000-4000-8000-0000000000ff";

/// Somebody who uses the API.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Actor {
    name: &'static str,
    id: u128,
    role: PlatformRole,
}

/// Has the store.
pub(crate) const OWNER: Actor = Actor { name: "owner", id: 10, role: PlatformRole::Tenant };
/// Has another organisation.
pub(crate) const STRANGER: Actor = Actor { name: "stranger", id: 11, role: PlatformRole::Tenant };
/// Runs the platform.
pub(crate) const ADMIN: Actor = Actor { name: "admin", id: 12, role: PlatformRole::Admin };

impl Actor {
    /// `request` with this actor's token.
    pub(crate) fn asks(self, request: TestRequest) -> TestRequest {
        request.insert_header(("authorization", format!("Bearer {}-token", self.name)))
    }

    /// `request` with an API token of this actor that has these scopes.
    pub(crate) fn asks_with(self, request: TestRequest, scopes: &[Scope]) -> TestRequest {
        let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        request.insert_header(("authorization", format!("Bearer swt_{}|{}", self.name, scopes.join(","))))
    }

    /// Who the services are told asks.
    pub(crate) fn actor(self) -> DomainActor {
        let user = self.user();
        DomainActor {
            user_id: user.id,
            tenant_id: user.tenant_id,
            member_role: Role::Owner,
            email: user.email,
            role: user.role,
        }
    }

    pub(crate) fn user(self) -> User {
        User {
            id: UserId::from_random(self.id),
            tenant_id: TenantId::from_random(self.id),
            email: format!("{}@example.com", self.name).parse().unwrap(),
            username: self.name.parse().unwrap(),
            password_hash: "$argon2id$hash".into(),
            role: self.role,
            active: true,
            created_at: ManualClock::default().now(),
        }
    }
}

/// The session of everybody's access token.
pub(crate) const SESSION: SessionId = SessionId::from_uuid(uuid::Uuid::from_u128(0x5e55));

/// `<name>-token` is an access token; `swt_<name>|<scope>,<scope>` an API token.
fn authenticate(token: &str, organisation: Option<TenantId>) -> Result<Bearer, IdentityError> {
    let (name, proof) = match token.strip_prefix("swt_").and_then(|rest| rest.split_once('|')) {
        Some((name, scopes)) => {
            let scopes = scopes.split_terminator(',').map(|scope| scope.parse::<Scope>().unwrap()).collect();
            (name, Proof::ApiToken(ApiTokenId::from_random(1), scopes))
        }
        None => (token.strip_suffix("-token").unwrap_or_default(), Proof::Session(SESSION)),
    };
    let who = [OWNER, STRANGER, ADMIN].into_iter().find(|who| who.name == name);
    let user = who.ok_or(IdentityError::Unauthorized)?.user();
    let tenant_id = organisation.unwrap_or(user.tenant_id);
    let (user_id, email, role) = (user.id, user.email.clone(), user.role);
    let actor = DomainActor { user_id, tenant_id, member_role: Role::Owner, email, role };
    Ok(Bearer { actor, user, proof })
}

/// The owner, with tokens.
pub(crate) fn signed_in() -> SignedIn {
    SignedIn {
        user: OWNER.user(),
        token: SecretString::from("a.b.c"),
        expires_in: Duration::from_mins(10),
        refresh_token: SecretString::from("swr_1"),
        refresh_expires_at: ManualClock::default().now() + jiff::SignedDuration::from_hours(1),
    }
}

/// An API token of the owner.
pub(crate) fn api_token() -> ApiToken {
    let (user, now) = (OWNER.user(), ManualClock::default().now());
    ApiToken {
        id: ApiTokenId::from_uuid(uuid::Uuid::from_u128(0xa91)),
        user_id: user.id,
        tenant_id: user.tenant_id,
        acts_in: user.tenant_id,
        name: "CI".into(),
        prefix: "swt_1a2b3c4d".into(),
        digest: [7; 32],
        scopes: [Scope::StoresRead].into(),
        created_at: now,
        expires_at: now + jiff::SignedDuration::from_hours(24),
        last_used_at: None,
        revoked_at: None,
    }
}

/// The organisation that came with the owner's account.
pub(crate) fn own_organisation() -> Membership {
    let organisation = Tenant {
        id: TenantId::from_random(10),
        name: "owner".into(),
        personal: true,
        plan: PlanName::standard(),
        last_store_created_at: None,
        created_at: ManualClock::default().now(),
    };
    Membership { organisation, role: Role::Owner }
}

/// The owner's store `teashop`, ready to sell.
pub(crate) fn ready_store() -> Store {
    let now = ManualClock::default().now();
    let mut store = example_store(STORE.parse().unwrap(), TenantId::from_random(10), "teashop".parse().unwrap(), now);
    store.state = StoreState::Ready;
    store.urls = Some(StoreUrls {
        storefront: "http://teashop.localhost:8080".into(),
        admin: "http://teashop.localhost:8080/app".into(),
    });
    store.provisioning_duration = Some(jiff::SignedDuration::from_millis(1281));
    store.ready_at = Some(now);
    store
}

/// An operation on that store.
pub(crate) fn operation() -> Operation {
    let (store, now) = (ready_store(), ManualClock::default().now());
    Operation::queued(OPERATION.parse().unwrap(), store.tenant_id, store.id, OperationKind::Provision, now)
}

/// The store as the service shows it to its owner, or to a platform administrator.
pub(crate) fn view(is_owner: bool) -> StoreView {
    let credentials = AdminCredentials {
        email: "owner@example.com".into(),
        username: None,
        password: is_owner.then(|| SecretString::from("KGXv-secret")),
    };
    StoreView { store: ready_store(), operation: Some(operation()), credentials: Some(credentials), is_owner }
}

/// The services to be told what to answer.
pub(crate) struct Bench {
    pub(crate) stores: MockStoreService,
    pub(crate) audit: MockAuditService,
    pub(crate) events: MockEventService,
    pub(crate) identity: MockIdentityService,
    pub(crate) organisations: MockOrganisationService,
    pub(crate) platform: MockPlatformService,
    pub(crate) health: MockHealthService,
    pub(crate) metrics: MockMetricsService,
    pub(crate) gate: Arc<FakeGate>,
    pub(crate) limits: Limits,
    pub(crate) proxies: TrustedProxies,
    pub(crate) cors: Cors,
    pub(crate) https: bool,
    pub(crate) simulated: bool,
    pub(crate) dashboard: Dashboard,
}

impl Bench {
    /// With the actors' tokens.
    pub(crate) fn new() -> Self {
        let mut bench = Self::without_actors();
        bench.identity.expect_authenticate().returning(authenticate);
        bench
    }

    /// Nobody's token is known.
    pub(crate) fn without_actors() -> Self {
        let mut identity = MockIdentityService::new();
        identity.expect_attempts_left().returning(|_, _| None);
        Self {
            stores: MockStoreService::new(),
            audit: MockAuditService::new(),
            events: MockEventService::new(),
            identity,
            organisations: MockOrganisationService::new(),
            platform: MockPlatformService::new(),
            health: MockHealthService::new(),
            metrics: MockMetricsService::new(),
            gate: Arc::default(),
            proxies: TrustedProxies::default(),
            cors: Cors::default(),
            https: false,
            limits: Limits::default(),
            simulated: false,
            dashboard: Dashboard::default(),
        }
    }

    pub(crate) fn api(self) -> Api {
        Api {
            stores: Arc::new(self.stores),
            audit: Arc::new(self.audit),
            events: Arc::new(self.events),
            identity: Arc::new(self.identity),
            organisations: Arc::new(self.organisations),
            platform: Arc::new(self.platform),
            health: Arc::new(self.health),
            metrics: Arc::new(self.metrics),
            engines: Arc::new(engines::catalogue()),
            public_url: "https://shopwright.example.com".into(),
            gate: self.gate,
            proxies: self.proxies,
            cors: self.cors,
            https: self.https,
            entropy: Arc::new(SeededEntropy::new(1)),
            clock: Arc::new(ManualClock::default()),
            cookies: Cookies::Secure,
            simulated: self.simulated,
            dashboard: self.dashboard,
            limits: self.limits,
            telemetry: Telemetry::default(),
        }
    }

    pub(crate) async fn app(self) -> TestApp {
        TestApp::of(self.api()).await
    }

    /// The answer to one request.
    pub(crate) async fn send(self, request: TestRequest) -> Answer {
        self.app().await.send(request).await
    }
}

type Call = dyn Fn(TestRequest) -> LocalBoxFuture<'static, Result<ServiceResponse<BoxBody>, Error>>;

/// The application, for more than one request.
pub(crate) struct TestApp(Box<Call>);

impl TestApp {
    pub(crate) async fn of(api: Api) -> Self {
        Self::mounted(State::new(api)).await
    }

    pub(crate) async fn mounted(state: State) -> Self {
        let service = init_service(App::new().configure(mount(state))).await;
        Self(Box::new(move |request| Box::pin(service.call(request.to_request()))))
    }

    /// The body of an answer that may break off.
    pub(crate) async fn body_of(&self, request: TestRequest) -> Result<actix_web::web::Bytes, ()> {
        let response = (self.0)(request).await.unwrap();
        to_bytes(response.into_body()).await.map_err(drop)
    }

    pub(crate) async fn send(&self, request: TestRequest) -> Answer {
        let response = (self.0)(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let asked = response.request().clone();
        let bytes = to_bytes(response.into_body()).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let answer = Answer { status, headers, body: serde_json::from_str(&text).unwrap_or_default(), text };
        let (method, pattern) = (asked.method().as_str(), asked.match_pattern());
        check::answer(method, pattern.as_deref(), status, answer.header("content-type"), &answer.body);
        answer
    }
}

/// A health service that answers only once its gate is open.
pub(crate) struct Stalled {
    open: Shared<oneshot::Receiver<()>>,
    inside: Arc<()>,
}

/// The other side of [`Stalled`]; dropping it opens it.
pub(crate) struct Gate {
    _open: oneshot::Sender<()>,
    inside: Arc<()>,
}

impl Stalled {
    pub(crate) fn new() -> (Self, Gate) {
        let ((open, opened), inside) = (oneshot::channel(), Arc::new(()));
        (Self { open: opened.shared(), inside: Arc::clone(&inside) }, Gate { _open: open, inside })
    }
}

impl Gate {
    /// Whether nobody waits at the gate any more.
    pub(crate) fn everybody_left(&self) -> bool {
        Arc::strong_count(&self.inside) == 2
    }

    /// Returns once somebody waits at the gate.
    pub(crate) fn wait_for_somebody(&self, patience: Duration) {
        let start = std::time::Instant::now();
        while self.everybody_left() {
            assert!(start.elapsed() < patience, "nobody came");
            std::thread::yield_now();
        }
    }
}

#[async_trait]
impl HealthService for Stalled {
    async fn health(&self) -> Health {
        let _inside = Arc::clone(&self.inside);
        let _ = self.open.clone().await;
        let check = Check { healthy: true, message: None, latency: Duration::ZERO };
        Health {
            database: check.clone(),
            kubernetes: check,
            cluster: ClusterCondition {
                breaker: BreakerState::Closed,
                fence: FenceCondition::Holds,
                unknown_namespaces: 0,
            },
            active_operations: 0,
            max_operations: 1,
            uptime: Duration::ZERO,
            simulated: false,
        }
    }

    async fn ready(&self) -> bool {
        true
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Answer {
    /// A header; empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code of the error; empty when it is none.
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// Field and kind of each broken rule.
    pub(crate) fn kinds(&self) -> Vec<(String, String)> {
        let details = self.body["error"]["details"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        details.iter().map(|detail| (text(&detail["path"][0]), text(&detail["type"]))).collect()
    }
}
