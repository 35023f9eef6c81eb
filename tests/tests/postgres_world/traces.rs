//! One trace from the HTTP request to the last step, also when another process runs the steps: the context rests with the operation.

use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;

use shopwright_adapters_postgres::{PgSettings, PgStorage};
use shopwright_api_actix::{Api, Cookies, Cors, Dashboard, Limits};
use shopwright_app::config::LogFormat;
use shopwright_app::crypto::{SystemClock, SystemEntropy};
use shopwright_app::saga::{ClusterGuard, Executor};
use shopwright_app::stores::{PublicUrls, Sizes, StoreRules, Stores};
use shopwright_app::telemetry::Tracing;
use shopwright_app::worker::{Worker, WorkerSettings};
use shopwright_domain::SessionId;
use shopwright_domain::breaker::BreakerPolicy;
use shopwright_domain::network::TrustedProxies;
use shopwright_domain::operation::OperationKind;
use shopwright_domain::plans::Plans;
use shopwright_domain::saga::Policy;
use shopwright_ports::audit_api::MockAuditService;
use shopwright_ports::events_api::MockEventService;
use shopwright_ports::health_api::MockHealthService;
use shopwright_ports::identity_api::{Bearer, MockIdentityService, Proof};
use shopwright_ports::metrics_api::MockMetricsService;
use shopwright_ports::organisations_api::MockOrganisationService;
use shopwright_ports::platform_api::MockPlatformService;
use shopwright_ports::telemetry::Telemetry;
use shopwright_ports::testing::{FakeCluster, FakeGate, FakeReleases, FakeSealer, FakeStorefront, engines};
use shopwright_system_tests::collector::{Collector, SentSpan};
use sqlx::postgres::PgConnectOptions;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::replicas::{Replicas, ada};

const NAME: &str = "traces::a_request_and_all_steps_of_its_operation_are_one_trace_of_two_processes";
/// Which of the two processes this is; neither, in the test itself.
const ROLE: &str = "SHOPWRIGHT_TEST_ROLE";
const URL: &str = "SHOPWRIGHT_TEST_URL";

/// The client's own trace.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

async fn storage() -> anyhow::Result<PgStorage> {
    let url = std::env::var(URL)?;
    Ok(PgStorage::open(url.parse::<PgConnectOptions>()?, PgSettings::default()).await?)
}

/// Serves one request.
async fn serve(telemetry: Telemetry) -> anyhow::Result<()> {
    let (context, user) = ada(&SystemClock)?;
    let stores = Stores {
        storage: Arc::new(storage().await?),
        releases: Arc::new(FakeReleases::on(Arc::default())),
        sealer: Arc::new(FakeSealer::default()),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        engines: Arc::new(engines::catalogue()),
        rules: StoreRules::default(),
        sizes: Sizes::default(),
        work: Arc::new(Notify::new()),
    };
    let mut identity = MockIdentityService::new();
    identity.expect_authenticate().returning(move |_, _| {
        let proof = Proof::Session(SessionId::from_random(1));
        Ok(Bearer { actor: context.actor.clone(), user: user.clone(), proof })
    });
    let api = Api {
        stores: Arc::new(stores),
        identity: Arc::new(identity),
        // Nobody asks.
        organisations: Arc::new(MockOrganisationService::new()),
        platform: Arc::new(MockPlatformService::new()),
        audit: Arc::new(MockAuditService::new()),
        events: Arc::new(MockEventService::new()),
        health: Arc::new(MockHealthService::new()),
        gate: Arc::new(FakeGate::default()),
        metrics: Arc::new(MockMetricsService::new()),
        entropy: Arc::new(SystemEntropy),
        clock: Arc::new(SystemClock),
        engines: Arc::new(engines::catalogue()),
        public_url: "http://127.0.0.1".to_owned(),
        cookies: Cookies::Plain,
        simulated: false,
        dashboard: Dashboard::default(),
        limits: Limits { workers: Some(1), ..Limits::default() },
        telemetry,
        proxies: TrustedProxies::default(),
        cors: Cors::default(),
        https: false,
    };
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/api/v1/stores?query=secret", listener.local_addr()?);
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let serving = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(shopwright_api_actix::serve(listener, api, stopped.cancelled_owned()))
    });
    let request = reqwest::Client::new().post(url).bearer_auth("secret-token");
    let request = request.header("traceparent", format!("00-{TRACE}-{SPAN}-01")).header("tracestate", "vendor=opaque");
    let request = request.header("content-type", "application/json").body(r#"{"name": "teashop", "engine": "medusa"}"#);
    let answer = request.send().await?;
    anyhow::ensure!(answer.status() == 202, "{answer:?}");
    stop.cancel();
    serving.join().map_err(|_| anyhow::anyhow!("the server panicked"))??;
    Ok(())
}

/// Runs what is due.
async fn work(telemetry: Telemetry) -> anyhow::Result<()> {
    let (cluster, clock) = (Arc::new(FakeCluster::new()), Arc::new(SystemClock));
    let executor = Executor {
        storage: Arc::new(storage().await?),
        cluster: Arc::new(ClusterGuard::new(cluster.clone(), clock.clone(), BreakerPolicy::default())),
        releases: Arc::new(FakeReleases::on(cluster)),
        storefront: Arc::new(FakeStorefront::default()),
        sealer: Arc::new(FakeSealer::default()),
        clock,
        entropy: Arc::new(SystemEntropy),
        policy: Policy::default(),
        urls: PublicUrls { scheme: "http".to_owned(), port: None },
        engines: Arc::new(engines::catalogue()),
        plans: Plans::default(),
        telemetry,
    };
    let work = Arc::new(Notify::new());
    let worker = Worker::new(Arc::new(executor), &SystemEntropy, work, WorkerSettings::default());
    anyhow::ensure!(worker.run_due().await? == 1, "one operation is due");
    Ok(())
}

/// One of the two processes.
async fn play(role: &str) -> anyhow::Result<()> {
    let tracing = Tracing::begin(LogFormat::Json)?;
    let telemetry = Telemetry::default().traced_by(tracing.traces());
    let played = match role {
        "api" => serve(telemetry).await,
        _ => work(telemetry).await,
    };
    tracing.end().await;
    played
}

fn run(role: &str, url: &str, collector: &Collector) -> anyhow::Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--exact", NAME, "--nocapture"]).env(ROLE, role).env(URL, url).envs(collector.environment());
    let output = command.output()?;
    anyhow::ensure!(output.status.success(), "{role}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_and_all_steps_of_its_operation_are_one_trace_of_two_processes() -> anyhow::Result<()> {
    if let Ok(role) = std::env::var(ROLE) {
        return play(&role).await;
    }
    let (replicas, collector) = (Replicas::start().await?, Collector::start()?);

    run("api", &replicas.database.url, &collector)?;
    run("worker", &replicas.database.url, &collector)?;

    let spans = collector.spans();
    let named = |name: &str| -> anyhow::Result<SentSpan> {
        let mut found = spans.iter().filter(|span| span.name == name);
        let span = found.next().ok_or_else(|| anyhow::anyhow!("no span {name}: {spans:#?}"))?;
        anyhow::ensure!(found.next().is_none(), "{name} twice");
        Ok(span.clone())
    };
    let request = named("POST /api/v1/stores")?;
    assert_eq!((request.trace_id.as_str(), request.parent_id.as_str()), (TRACE, SPAN));
    let operation = named("operation provision")?;
    assert_eq!((operation.trace_id.as_str(), &operation.parent_id), (TRACE, &request.span_id));
    for step in OperationKind::Provision.steps() {
        let span = named(&format!("step {step}"))?;
        assert_eq!((span.trace_id.as_str(), &span.parent_id), (TRACE, &operation.span_id), "{step}");
    }
    for span in &spans {
        assert!(!span.text.contains("secret"), "{}", span.text);
    }
    assert!(request.text.contains("vendor=opaque") && operation.text.contains("vendor=opaque"));
    replicas.close().await;
    Ok(())
}
