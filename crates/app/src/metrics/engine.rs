//! Numbers about operations and their steps.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use shopwright_domain::ErrorCode;
use shopwright_domain::engine::{EngineCatalogue, EngineDescriptor};
use shopwright_domain::operation::{OperationKind, OperationStatus};
use shopwright_domain::saga::{DeleteStep, ProvisionStep, RevertStep, RotateStep, Step, UnwindStep, UpgradeStep};
use shopwright_domain::store::EngineName;

use super::labels::{Engine, EngineStep, Failure, Kind, OperationOutcome, Reason, StepOutcome};

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// v1's buckets, in milliseconds.
const PROVISION_MILLIS: [f64; 7] = [5e3, 10e3, 30e3, 60e3, 120e3, 300e3, 600e3];
const STEP_MILLIS: [f64; 8] = [500.0, 1e3, 5e3, 10e3, 30e3, 60e3, 120e3, 300e3];
const WAIT_MILLIS: [f64; 9] = [0.0, 100.0, 500.0, 1e3, 5e3, 10e3, 30e3, 60e3, 120e3];
/// Ours, in seconds: for what takes between a moment and a quarter of an hour.
const SECONDS: [f64; 12] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0];
const WAIT_SECONDS: [f64; 10] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0];

const FINISHED: [OperationStatus; 3] =
    [OperationStatus::Succeeded, OperationStatus::Failed, OperationStatus::Cancelled];

#[derive(Debug)]
pub(super) struct EngineMetrics {
    provision_millis: Histograms<Engine>,
    step_millis: Histograms<EngineStep>,
    failures: Family<EngineStep, Counter>,
    wait_millis: Histogram,
    rejections: Family<Reason, Counter>,
    operation_seconds: Histograms<OperationOutcome>,
    step_seconds: Histograms<StepOutcome>,
    step_failures: Family<Failure, Counter>,
    operation_failures: Family<Failure, Counter>,
    claims: Family<Kind, Counter>,
    take_overs: Family<Kind, Counter>,
    wait_seconds: Histogram,
    leases_lost: Counter,
}

/// A step as v1 called it.
const fn v1(step: Step) -> &'static str {
    match step {
        Step::Provision(ProvisionStep::CreateNamespace) => "namespace_create",
        Step::Provision(ProvisionStep::CreateCredentials)
        | Step::Rotate(RotateStep::WriteCredentials | RotateStep::CleanCredentials)
        | Step::Revert(RevertStep::WriteCredentials | RevertStep::CleanCredentials) => "credentials_create",
        Step::Provision(ProvisionStep::InstallRelease)
        | Step::Rotate(RotateStep::ApplyRelease)
        | Step::Upgrade(UpgradeStep::ApplyRelease)
        | Step::Revert(RevertStep::ApplyRelease) => "helm_install",
        Step::Provision(ProvisionStep::AwaitWorkloads)
        | Step::Rotate(RotateStep::AwaitWorkloads)
        | Step::Upgrade(UpgradeStep::AwaitWorkloads)
        | Step::Revert(RevertStep::AwaitWorkloads) => "pod_readiness",
        Step::Provision(ProvisionStep::VerifyStorefront)
        | Step::Rotate(RotateStep::VerifyStorefront)
        | Step::Upgrade(UpgradeStep::VerifyStorefront)
        | Step::Revert(RevertStep::VerifyStorefront) => "engine_setup",
        Step::Delete(DeleteStep::UninstallRelease) | Step::Unwind(UnwindStep::UninstallRelease) => "helm_uninstall",
        Step::Delete(DeleteStep::DeleteNamespace) | Step::Unwind(UnwindStep::DeleteNamespace) => "namespace_delete",
        Step::Delete(DeleteStep::VerifyGone) | Step::Unwind(UnwindStep::VerifyGone) => "cleanup_verify",
        Step::Provision(ProvisionStep::Publish)
        | Step::Delete(DeleteStep::Release)
        | Step::Unwind(UnwindStep::Settle)
        | Step::Rotate(RotateStep::Promote)
        | Step::Upgrade(UpgradeStep::Adopt)
        | Step::Revert(RevertStep::Settle) => "finalize",
    }
}

fn failure(code: ErrorCode) -> Failure {
    Failure { code: code.as_str(), class: code.class().as_str() }
}

impl EngineMetrics {
    pub(super) fn register(registry: &mut Registry, engines: &EngineCatalogue) -> Self {
        let metrics = Self {
            provision_millis: Family::new_with_constructor(|| Histogram::new(PROVISION_MILLIS)),
            step_millis: Family::new_with_constructor(|| Histogram::new(STEP_MILLIS)),
            failures: Family::default(),
            wait_millis: Histogram::new(WAIT_MILLIS),
            rejections: Family::default(),
            operation_seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            step_seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            step_failures: Family::default(),
            operation_failures: Family::default(),
            claims: Family::default(),
            take_overs: Family::default(),
            wait_seconds: Histogram::new(WAIT_SECONDS),
            leases_lost: Counter::default(),
        };
        metrics.name(registry);
        metrics.begin_at_zero(engines);
        metrics
    }

    fn name(&self, registry: &mut Registry) {
        let help = "From the request to the ready store, in milliseconds";
        registry.register("store_provisioning_duration_ms", help, self.provision_millis.clone());
        let help = "Time of one step that succeeded, in milliseconds";
        registry.register("store_provisioning_step_duration_ms", help, self.step_millis.clone());
        registry.register(
            "store_provisioning_failures",
            "Operations that failed, by their step",
            self.failures.clone(),
        );
        let help = "From the request to the first claim, in milliseconds";
        registry.register("provisioning_queue_wait_ms", help, self.wait_millis.clone());
        let help = "Requests that the queue refused: it is a table now and refuses nobody";
        registry.register("provisioning_rejections", help, self.rejections.clone());

        let help = "From the request to the end of the operation, in seconds";
        registry.register("shopwright_operation_duration_seconds", help, self.operation_seconds.clone());
        registry.register(
            "shopwright_step_duration_seconds",
            "Time of one attempt, in seconds",
            self.step_seconds.clone(),
        );
        registry.register("shopwright_step_failures", "Attempts that failed, by code", self.step_failures.clone());
        registry.register("shopwright_operation_failures", "Operations that failed", self.operation_failures.clone());
        registry.register("shopwright_claims", "Operations that this process took up", self.claims.clone());
        let help = "Those of them that another worker died or stalled on";
        registry.register("shopwright_take_overs", help, self.take_overs.clone());
        let help = "From the request to the first claim, in seconds";
        registry.register("shopwright_queue_wait_seconds", help, self.wait_seconds.clone());
        registry.register("shopwright_leases_lost", "Leases that this process lost", self.leases_lost.clone());
    }

    fn begin_at_zero(&self, engines: &EngineCatalogue) {
        for engine in engines.iter().map(EngineDescriptor::name).map(EngineName::as_str) {
            let engine = || engine.to_owned();
            let _ = self.provision_millis.get_or_create(&Engine { engine: engine() });
            for kind in OperationKind::ALL {
                for status in FINISHED.map(OperationStatus::as_str) {
                    let labels = OperationOutcome { kind: kind.as_str(), engine: engine(), status };
                    let _ = self.operation_seconds.get_or_create(&labels);
                }
                for step in kind.steps() {
                    let _ = self.step_millis.get_or_create(&EngineStep { engine: engine(), step: v1(*step) });
                    let _ = self.failures.get_or_create(&EngineStep { engine: engine(), step: v1(*step) });
                    for outcome in ["succeeded", "failed"] {
                        let labels = StepOutcome { engine: engine(), step: step.as_str(), outcome };
                        let _ = self.step_seconds.get_or_create(&labels);
                    }
                }
            }
        }
        for code in ErrorCode::ALL {
            let _ = self.step_failures.get_or_create(&failure(*code));
            let _ = self.operation_failures.get_or_create(&failure(*code));
        }
        for kind in OperationKind::ALL {
            let _ = self.claims.get_or_create(&Kind { kind: kind.as_str() });
            let _ = self.take_overs.get_or_create(&Kind { kind: kind.as_str() });
        }
        for reason in ["queue_full", "queue_timeout"] {
            let _ = self.rejections.get_or_create(&Reason { reason });
        }
    }

    pub(super) fn claimed(&self, kind: OperationKind, waited: Option<Duration>, taken_over: bool) {
        let kind = Kind { kind: kind.as_str() };
        self.claims.get_or_create(&kind).inc();
        if taken_over {
            self.take_overs.get_or_create(&kind).inc();
        }
        if let Some(waited) = waited {
            self.wait_millis.observe(waited.as_secs_f64() * 1e3);
            self.wait_seconds.observe(waited.as_secs_f64());
        }
    }

    pub(super) fn step(&self, engine: &EngineName, step: Step, duration: Duration, error: Option<ErrorCode>) {
        let engine = engine.to_string();
        let outcome = if error.is_none() { "succeeded" } else { "failed" };
        let labels = StepOutcome { engine: engine.clone(), step: step.as_str(), outcome };
        self.step_seconds.get_or_create(&labels).observe(duration.as_secs_f64());
        match error {
            None => {
                let labels = EngineStep { engine, step: v1(step) };
                self.step_millis.get_or_create(&labels).observe(duration.as_secs_f64() * 1e3);
            }
            Some(code) => {
                self.step_failures.get_or_create(&failure(code)).inc();
            }
        }
    }

    pub(super) fn ended(
        &self,
        (kind, engine, status): (OperationKind, &EngineName, OperationStatus),
        duration: Duration,
        failed: Option<(Step, ErrorCode)>,
    ) {
        let engine = || engine.to_string();
        let labels = OperationOutcome { kind: kind.as_str(), engine: engine(), status: status.as_str() };
        self.operation_seconds.get_or_create(&labels).observe(duration.as_secs_f64());
        if kind == OperationKind::Provision && status == OperationStatus::Succeeded {
            self.provision_millis.get_or_create(&Engine { engine: engine() }).observe(duration.as_secs_f64() * 1e3);
        }
        if let Some((step, code)) = failed {
            self.failures.get_or_create(&EngineStep { engine: engine(), step: v1(step) }).inc();
            self.operation_failures.get_or_create(&failure(code)).inc();
        }
    }

    pub(super) fn lease_lost(&self) {
        self.leases_lost.inc();
    }
}
