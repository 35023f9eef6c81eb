//! The worker, and the guardrails of what it is asked to do.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::config::reader::Reader;
use crate::config::settings::{
    MAX_STORES_PER_USER, PROVISIONING_MAX_RETRIES, SHOPWRIGHT_CLUSTER_PERMITS, SHOPWRIGHT_HELM_DEADLINE,
    SHOPWRIGHT_HELM_PERMITS, SHOPWRIGHT_LEASE, SHOPWRIGHT_RETRIES_PER_SECOND, SHOPWRIGHT_ROLLOUT_DEADLINE,
    SHOPWRIGHT_WORKER, STORE_CREATION_COOLDOWN_MS,
};
use crate::config::values;

/// Guardrails.
#[derive(Debug, Clone, Copy)]
pub struct LimitsConfig {
    /// Stores per organisation.
    pub max_stores_per_user: u32,
    /// Pause between two creations; zero is none.
    pub creation_cooldown: Duration,
    /// Retries by hand of a failed store.
    pub max_retries: u32,
}

pub(in crate::config) fn limits(reader: &mut Reader<'_>) -> Option<LimitsConfig> {
    let max_stores_per_user = reader.read(&MAX_STORES_PER_USER, values::number(1..=100));
    let creation_cooldown = reader.read(&STORE_CREATION_COOLDOWN_MS, values::number(0..=86_400_000));
    let max_retries = reader.read(&PROVISIONING_MAX_RETRIES, values::number(0..=100));
    Some(LimitsConfig {
        max_stores_per_user: max_stores_per_user?,
        creation_cooldown: creation_cooldown.map(Duration::from_millis)?,
        max_retries: max_retries?,
    })
}

/// The worker.
#[derive(Debug, Clone, Copy)]
pub struct WorkerConfig {
    /// Whether it runs inside `serve`.
    pub enabled: bool,
    /// Operations at once per cluster.
    pub cluster_permits: usize,
    /// Helm processes at once.
    pub helm_permits: usize,
    /// Life of one helm process.
    pub helm_deadline: Duration,
    /// Patience for workloads.
    pub rollout_deadline: Duration,
    /// Operations that go on per second after they had to wait.
    pub retries_per_second: u32,
    /// Life of a lease that is not renewed.
    pub lease: Duration,
}

pub(in crate::config) fn worker(reader: &mut Reader<'_>) -> Option<WorkerConfig> {
    let enabled = reader.read(&SHOPWRIGHT_WORKER, values::switch);
    let cluster_permits = reader.read(&SHOPWRIGHT_CLUSTER_PERMITS, values::number(1..=1000));
    let helm_permits = reader.read(&SHOPWRIGHT_HELM_PERMITS, values::number(1..=1000));
    let deadlines = || values::duration_within(Duration::from_secs(1)..=Duration::from_hours(2));
    let helm_deadline = reader.read(&SHOPWRIGHT_HELM_DEADLINE, deadlines());
    let rollout_deadline = reader.read(&SHOPWRIGHT_ROLLOUT_DEADLINE, deadlines());
    let retries_per_second = reader.read(&SHOPWRIGHT_RETRIES_PER_SECOND, values::number(1..=1000));
    // Below 5 s nothing would be left of the lease: its owner stops 3 s before its end (DECISIONS 6).
    let leases = values::duration_within(Duration::from_secs(5)..=Duration::from_mins(5));
    let lease = reader.read(&SHOPWRIGHT_LEASE, leases);
    let cores = || std::thread::available_parallelism().map_or(2, NonZeroUsize::get).max(2);
    Some(WorkerConfig {
        enabled: enabled?,
        cluster_permits: cluster_permits?,
        helm_permits: helm_permits.unwrap_or_else(cores),
        helm_deadline: helm_deadline?,
        rollout_deadline: rollout_deadline?,
        retries_per_second: retries_per_second?,
        lease: lease?,
    })
}
