//! Numbers about what there is: looked up when somebody asks.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use shopwright_domain::breaker::BreakerState;
use shopwright_domain::engine::{EngineCatalogue, EngineDescriptor};
use shopwright_domain::operation::{OperationKind, OperationStatus};
use shopwright_domain::store::{EngineName, StoreState};
use shopwright_ports::metrics_api::ProcessUsage;
use shopwright_ports::storage::Census;

use super::labels::{Breaker, Cluster, EngineStatus, KindStatus, Status};

type Seconds = Gauge<f64, AtomicU64>;

#[derive(Debug, Default)]
pub(super) struct StateMetrics {
    stores_total: Family<Status, Gauge>,
    active: Gauge,
    queue_depth: Gauge,
    concurrent: Gauge,
    uptime: Seconds,

    /// What there are numbers of, stores or none.
    engines: BTreeSet<EngineName>,
    stores: Family<EngineStatus, Gauge>,
    operations: Family<KindStatus, Gauge>,
    oldest_queued: Seconds,
    database_up: Gauge,
    running: Gauge,
    max_running: Gauge,

    breaker: Family<Breaker, Gauge>,
    fenced: Family<Cluster, Gauge>,
    unknown_namespaces: Family<Cluster, Gauge>,

    cpu: Counter<f64, AtomicU64>,
    resident: Gauge,
    address_space: Gauge,
    open_files: Gauge,
    max_files: Gauge,
    threads: Gauge,
    started_at: Seconds,
}

const UNFINISHED: [OperationStatus; 4] =
    [OperationStatus::Queued, OperationStatus::Running, OperationStatus::Waiting, OperationStatus::Stuck];

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl StateMetrics {
    pub(super) fn register(registry: &mut Registry, engines: &EngineCatalogue) -> Self {
        let engines = engines.iter().map(EngineDescriptor::name).cloned().collect();
        let metrics = Self { engines, ..Self::default() };
        registry.register("stores_total", "Stores, by their status", metrics.stores_total.clone());
        registry.register(
            "active_provisioning_operations",
            "Operations that run now, anywhere",
            metrics.active.clone(),
        );
        registry.register("provisioning_queue_depth", "Operations that wait for a worker", metrics.queue_depth.clone());
        let help = "Operations that run now, in this process";
        registry.register("provisioning_concurrent_operations", help, metrics.concurrent.clone());
        registry.register("process_uptime_seconds", "Time since this process began to serve", metrics.uptime.clone());

        registry.register("shopwright_stores", "Stores, by engine and status", metrics.stores.clone());
        let help = "Operations that are not finished, by kind and status";
        registry.register("shopwright_operations", help, metrics.operations.clone());
        let help = "How long the oldest operation has waited for its first worker";
        registry.register("shopwright_queue_oldest_seconds", help, metrics.oldest_queued.clone());
        registry.register(
            "shopwright_database_up",
            "Whether the database answered just now",
            metrics.database_up.clone(),
        );
        registry.register("shopwright_worker_running", "Operations that run in this process", metrics.running.clone());
        registry.register("shopwright_worker_running_max", "How many may", metrics.max_running.clone());

        let help = "A cluster's circuit breaker in this process: 0 closed, 1 half-open, 2 open";
        registry.register("circuit_breaker_state", help, metrics.breaker.clone());
        let help = "Whether the cluster's fence was seen to hold: without it no store is worked on";
        registry.register("shopwright_cluster_fenced", help, metrics.fenced.clone());
        let help = "Namespaces with our labels that belong to no store";
        registry.register("shopwright_unknown_namespaces", help, metrics.unknown_namespaces.clone());

        registry.register("process_cpu_seconds", "Time on a processor", metrics.cpu.clone());
        registry.register("process_resident_memory_bytes", "Memory in use", metrics.resident.clone());
        registry.register("process_virtual_memory_bytes", "Address space", metrics.address_space.clone());
        registry.register("process_open_fds", "Open files", metrics.open_files.clone());
        registry.register("process_max_fds", "Files that may be open", metrics.max_files.clone());
        registry.register("process_threads", "Threads", metrics.threads.clone());
        registry.register("process_start_time_seconds", "When it began to serve", metrics.started_at.clone());
        metrics.count(&Census::default(), Duration::ZERO);
        metrics.database_up.set(0);
        metrics
    }

    /// What the database holds.
    pub(super) fn count(&self, census: &Census, oldest: Duration) {
        for status in StoreState::ALL {
            let mut total = 0;
            // A store may outlive its engine's descriptor.
            let others = census.stores.iter().map(|((_, engine), _)| engine);
            for engine in self.engines.iter().chain(others).collect::<BTreeSet<_>>() {
                let of = |((state, name), _): &&((StoreState, EngineName), u64)| *state == status && name == engine;
                let count = census.stores.iter().find(of).map_or(0, |(_, count)| *count);
                let labels = EngineStatus { engine: engine.to_string(), status: status.as_str() };
                self.stores.get_or_create(&labels).set(whole(count));
                total += count;
            }
            self.stores_total.get_or_create(&Status { status: status.as_str() }).set(whole(total));
        }
        for kind in OperationKind::ALL {
            for status in UNFINISHED {
                let labels = KindStatus { kind: kind.as_str(), status: status.as_str() };
                self.operations.get_or_create(&labels).set(whole(census.operations(kind, status)));
            }
        }
        let all = |status| OperationKind::ALL.into_iter().map(|kind| census.operations(kind, status)).sum();
        self.active.set(whole(all(OperationStatus::Running)));
        self.queue_depth.set(whole(all(OperationStatus::Queued)));
        self.oldest_queued.set(oldest.as_secs_f64());
        self.database_up.set(1);
    }

    /// The database did not say what it holds: what it said last stays, and this says so.
    pub(super) fn database_is_away(&self) {
        self.database_up.set(0);
    }

    /// What this process runs, of how many.
    pub(super) fn working(&self, running: usize, max_running: usize) {
        self.concurrent.set(whole(running as u64));
        self.running.set(whole(running as u64));
        self.max_running.set(whole(max_running as u64));
    }

    /// How the cluster stands with this process.
    pub(super) fn cluster(&self, cluster: &str, breaker: BreakerState, fenced: bool, unknown_namespaces: usize) {
        let state = match breaker {
            BreakerState::Closed => 0,
            BreakerState::HalfOpen => 1,
            BreakerState::Open => 2,
        };
        // One breaker guards a cluster against both.
        for breaker in ["helm", "kubernetes"] {
            self.breaker.get_or_create(&Breaker { cluster: cluster.to_owned(), breaker }).set(state);
        }
        let labels = Cluster { cluster: cluster.to_owned() };
        self.fenced.get_or_create(&labels).set(i64::from(fenced));
        self.unknown_namespaces.get_or_create(&labels).set(whole(unknown_namespaces as u64));
    }

    /// What this process uses.
    pub(super) fn process(&self, usage: &ProcessUsage, uptime: Duration, started_at: f64) {
        let cpu = (usage.user + usage.system).as_secs_f64();
        self.cpu.inc_by((cpu - self.cpu.get()).max(0.0));
        self.resident.set(whole(usage.resident_bytes));
        self.address_space.set(whole(usage.virtual_bytes));
        self.open_files.set(whole(usage.open_files));
        self.max_files.set(whole(usage.max_files));
        self.threads.set(whole(usage.threads));
        self.uptime.set(uptime.as_secs_f64());
        self.started_at.set(started_at);
    }
}
