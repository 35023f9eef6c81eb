//! `shopwright serve`: API and worker in one process, until somebody says stop.

use std::net::TcpListener;
use std::sync::Arc;

use jiff::SignedDuration;
use shopwright_api_actix::{Api, Limits};
use shopwright_domain::ClusterName;
use shopwright_domain::breaker::BreakerPolicy;
use shopwright_domain::limits::Rate;
use shopwright_domain::saga::Policy;
use shopwright_ports::storage::{Reach, RegisteredCluster, StorageError};
use shopwright_ports::telemetry::{Telemetry, Traces};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::identity::RunningIdentity;
use super::platform::migrate_at;
use super::{Platform, StartError};
use crate::administration::{Administration, OwnCluster};
use crate::audit::AuditTrail;
use crate::config::{Config, ExternalDatabase, MigrateConfig, Platform as Where, Profile};
use crate::crypto::Sha256Digester;
use crate::events::{EventSettings, Events};
use crate::gate::{Door, GateRules};
use crate::health::HealthChecks;
use crate::metrics::{Recorder, RunningMetrics};
use crate::organisations::{OrganisationRules, Organisations};
use crate::private_postgres::PrivatePostgres;
use crate::saga::{ClusterGuard, Executor};
use crate::stores::{PublicUrls, Sizes, StoreRules, Stores};
use crate::sweeper::{Sweeper, SweeperSettings};
use crate::worker::{Worker, WorkerSettings};

/// Serves until SIGTERM or SIGINT, then ends in order: no new requests, steps under way get their grace, a private database stops last.
///
/// # Errors
/// [`StartError`], which says what to do.
pub async fn serve(config: Config, traces: Arc<dyn Traces>) -> Result<(), StartError> {
    // First of all: a port in use is told before anything is started or changed.
    let listener = listen(config.http_addr)?;
    let metrics_listener = config.metrics_addr.map(listen).transpose()?;
    let platform = match &config.platform {
        Where::Simulated => Platform::simulated()?,
        Where::Real { database, cluster } => Platform::connect(&config, database, cluster).await?,
    };
    let stop = CancellationToken::new();
    let result = run(&config, &platform, (listener, metrics_listener), traces, &stop).await;
    if let Some(server) = platform.private_postgres
        && let Err(error) = server.stop().await
    {
        tracing::warn!(%error, "the private PostgreSQL goes on running; the next start adopts it");
    }
    result
}

async fn run(
    config: &Config,
    platform: &Platform,
    (listener, metrics_listener): (TcpListener, Option<TcpListener>),
    traces: Arc<dyn Traces>,
    stop: &CancellationToken,
) -> Result<(), StartError> {
    let work = Arc::new(Notify::new());
    let recorder = Arc::new(Recorder::new(&platform.engines));
    let telemetry = Telemetry::default().traced_by(traces).observed_by(recorder.clone());
    register_cluster(platform, config).await.map_err(StartError::Database)?;
    let identity = RunningIdentity::start(config, platform).await?;
    let guard = Arc::new(
        ClusterGuard::new(platform.cluster.clone(), platform.clock.clone(), BreakerPolicy::default())
            .with_retry_rate(Rate { limit: config.worker.retries_per_second, window: SignedDuration::from_secs(1) }),
    );
    // What is wrong with the cluster is told now; it is mended without a restart.
    let first_look = guard.clone();
    tokio::spawn(async move {
        if let Err(error) = first_look.check().await {
            tracing::warn!(code = %error.code, detail = error.detail, "stores wait for the cluster");
        }
    });
    let worker = config.worker.enabled.then(|| worker(config, platform, &guard, &work, &telemetry));
    let sweeper = config.worker.enabled.then(|| sweeper(config, platform, &guard));
    let metrics = Arc::new(RunningMetrics {
        recorder,
        storage: platform.worker_storage.clone(),
        cluster: guard.clone(),
        worker: worker.clone(),
        sweeper: sweeper.clone(),
        clock: platform.clock.clone(),
        started_at: platform.clock.now(),
    });
    let own = OwnCluster { name: ClusterName::default_cluster(), guard: guard.clone(), sweeper: sweeper.clone() };
    let health = HealthChecks {
        storage: platform.storage.clone(),
        cluster: guard,
        clock: platform.clock.clone(),
        worker: worker.clone(),
        sweeper: sweeper.clone(),
        started_at: platform.clock.now(),
        simulated: platform.simulated,
    };
    let administration = Administration {
        storage: platform.storage.clone(),
        releases: platform.releases.clone(),
        engines: platform.engines.clone(),
        clusters: vec![own],
        clock: platform.clock.clone(),
    };
    // Who may see what is decided by the use case: the storage behind it reaches all organisations.
    let events = Events::new(platform.worker_storage.clone(), platform.clock.clone(), EventSettings::default());
    let api = Api {
        stores: Arc::new(stores(config, platform, &work)),
        audit: Arc::new(AuditTrail { storage: platform.storage.clone() }),
        events: Arc::new(events.clone()),
        identity: Arc::new(identity.identity.clone()),
        organisations: Arc::new(organisations(platform)),
        platform: Arc::new(administration),
        health: Arc::new(health),
        metrics: metrics.clone(),
        engines: platform.engines.clone(),
        public_url: config.public_url.clone(),
        gate: Arc::new(gate(config, platform)),
        entropy: platform.entropy.clone(),
        clock: platform.clock.clone(),
        cookies: config.identity.cookies,
        simulated: platform.simulated,
        dashboard: crate::dashboard::built_in(),
        limits: Limits::default(),
        telemetry,
        proxies: config.requests.proxies.clone(),
        cors: config.requests.cors.clone(),
        https: config.stores.profile == Profile::Production,
    };
    let told_of = stop.clone();
    let telling = tokio::spawn(async move { events.run(told_of).await });
    let looking_after = tokio::spawn(identity.look_after(platform.clock.clone(), stop.clone()));

    let working = worker.map(|worker| {
        // Audit rows name workers by this id alone; here is which process it was.
        tracing::info!(worker = %worker.id(), "taking up work");
        let stop = stop.clone();
        tokio::spawn(async move { worker.run(stop).await })
    });
    let sweeping = sweeper.map(|sweeper| {
        let stop = stop.clone();
        tokio::spawn(async move { sweeper.run(stop).await })
    });
    if let Some(listener) = metrics_listener {
        // It ends with the process: a scrape in between is worth no wait.
        let stopped = stop.clone().cancelled_owned();
        tokio::spawn(shopwright_api_actix::serve_metrics(listener, metrics, stopped));
    }
    let told = stop.clone();
    let signals = tokio::spawn(async move {
        wait_for_signal().await;
        told.cancel();
    });
    tracing::info!(address = %config.http_addr, simulated = platform.simulated, "serving");
    let served = shopwright_api_actix::serve(listener, api, stop.clone().cancelled_owned()).await;
    stop.cancel();
    end_of(working, "the worker ended badly").await;
    end_of(Some(telling), "nobody was told what happens any more").await;
    end_of(Some(looking_after), "nobody looked after sessions and keys any more").await;
    end_of(sweeping, "the sweeper ended badly").await;
    signals.abort();
    tracing::info!("ended");
    served.map_err(StartError::Serve)
}

/// Waits for a task of this process, and complains when it ended badly.
async fn end_of<T: Send>(task: Option<JoinHandle<T>>, complaint: &str) {
    if let Some(task) = task
        && let Err(error) = task.await
    {
        tracing::error!(%error, "{complaint}");
    }
}

/// `shopwright migrate`: brings the database's schema up to date.
///
/// # Errors
/// [`StartError`], which says what to do.
pub async fn migrate(config: MigrateConfig) -> Result<(), StartError> {
    if let Some(database) = &config.database {
        let ExternalDatabase { url, worker_url, migrate_url, .. } = database;
        return migrate_at(migrate_url.as_ref().unwrap_or(url), url, worker_url.as_ref().unwrap_or(url)).await;
    }
    let (server, url) = PrivatePostgres::start(&config.data_dir).await?;
    let result = migrate_at(&url, &url, &url).await;
    server.stop().await?;
    result
}

fn listen(address: std::net::SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).map_err(|source| StartError::Listen { address, source })
}

async fn wait_for_signal() {
    let (terminate, interrupt) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    match (terminate, interrupt) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        // Without handlers the system ends the process itself: as safe as a crash.
        _ => std::future::pending().await,
    }
}

async fn register_cluster(platform: &Platform, config: &Config) -> Result<(), StorageError> {
    let mut tx = platform.storage.begin(Reach::Platform).await?;
    let permits = u32::try_from(config.worker.cluster_permits).unwrap_or(u32::MAX);
    tx.clusters().upsert(&RegisteredCluster { name: ClusterName::default_cluster(), permits }).await?;
    tx.commit().await
}

fn organisations(platform: &Platform) -> Organisations {
    Organisations {
        storage: platform.storage.clone(),
        digester: Arc::new(Sha256Digester),
        clock: platform.clock.clone(),
        entropy: platform.entropy.clone(),
        rules: OrganisationRules::default(),
    }
}

fn public_urls(config: &Config) -> PublicUrls {
    PublicUrls { scheme: config.stores.scheme.as_str().to_owned(), port: Some(config.stores.public_port) }
}

fn gate(config: &Config, platform: &Platform) -> Door {
    let rules = GateRules {
        address: config.requests.address,
        everybody: config.requests.everybody,
        plans: config.requests.plans.clone(),
        ..GateRules::default()
    };
    Door::new(platform.storage.clone(), Arc::new(Sha256Digester), platform.clock.clone(), rules)
}

fn stores(config: &Config, platform: &Platform, work: &Arc<Notify>) -> Stores {
    let rules = StoreRules {
        suffix: config.stores.domain_suffix.clone(),
        urls: public_urls(config),
        plans: config.requests.plans.clone(),
        ..StoreRules::default()
    };
    Stores {
        storage: platform.storage.clone(),
        releases: platform.releases.clone(),
        sealer: platform.sealer.clone(),
        clock: platform.clock.clone(),
        entropy: platform.entropy.clone(),
        engines: platform.engines.clone(),
        rules,
        sizes: Sizes::default(),
        work: work.clone(),
    }
}

fn worker(
    config: &Config,
    platform: &Platform,
    guard: &Arc<ClusterGuard>,
    work: &Arc<Notify>,
    telemetry: &Telemetry,
) -> Arc<Worker> {
    let rollout_deadline = SignedDuration::try_from(config.worker.rollout_deadline).unwrap_or(SignedDuration::MAX);
    let executor = Executor {
        storage: platform.worker_storage.clone(),
        cluster: guard.clone(),
        releases: platform.releases.clone(),
        storefront: platform.storefront.clone(),
        sealer: platform.sealer.clone(),
        clock: platform.clock.clone(),
        entropy: platform.entropy.clone(),
        policy: Policy { rollout_deadline, ..Policy::default() },
        urls: public_urls(config),
        telemetry: telemetry.clone(),
        engines: platform.engines.clone(),
        plans: config.requests.plans.clone(),
    };
    let settings = WorkerSettings {
        lease: config.worker.lease,
        max_running: config.worker.cluster_permits,
        ..WorkerSettings::default()
    };
    Arc::new(Worker::new(Arc::new(executor), platform.entropy.as_ref(), work.clone(), settings))
}

fn sweeper(config: &Config, platform: &Platform, guard: &Arc<ClusterGuard>) -> Arc<Sweeper> {
    let settings = SweeperSettings { patience: config.worker.lease * 2, ..SweeperSettings::default() };
    Arc::new(Sweeper::new(
        platform.worker_storage.clone(),
        guard.clone(),
        ClusterName::default_cluster(),
        platform.clock.clone(),
        platform.entropy.clone(),
        settings,
    ))
}
