//! What a run writes into the audit trail.

use shopwright_domain::audit::{AuditEvent, AuditEventType};
use shopwright_domain::operation::{OperationStatus, ReleaseDigests};
use shopwright_domain::store::{Failure, Store, StoreState};
use shopwright_ports::storage::TakeOver;

use super::effects::Note;
use super::executor::Executor;
use super::record::progress_of;
use super::run::Run;

impl Executor {
    pub(super) fn event(&self, run: &Run<'_>, note: Note) -> AuditEvent {
        let mut event = AuditEvent::new(run.lease.tenant_id, note.kind, note.message, self.now(run));
        event.store_id = Some(run.lease.store_id.clone());
        event.operation_id = Some(run.lease.operation_id);
        event.request_id.clone_from(&run.request_id);
        event.epoch = Some(run.lease.epoch);
        if let Some(trace) = &run.trace_id {
            event = event.with("traceId", trace.as_str());
        }
        event.metadata.extend(note.metadata.into_iter().map(|(key, value)| (key.to_owned(), value)));
        event
    }

    /// A worker died or stalled, and this one goes on.
    pub(super) fn recovery(&self, run: &Run<'_>, from: &TakeOver) -> AuditEvent {
        let (step, _) = progress_of(&run.log);
        let crashes = run.log.record(step).map_or(0, |record| record.crashes);
        let note = Note::new(AuditEventType::Recovery, "a worker stopped renewing its lease; another goes on")
            .with("previousWorker", from.worker.to_string())
            .with("worker", run.lease.worker.to_string())
            .with("previousEpoch", from.epoch.0)
            .with("epoch", run.lease.epoch.0)
            .with("idleMs", millis(from.idle))
            .with("step", step.as_str())
            .with("crashes", i64::from(crashes));
        self.event(run, note)
    }

    /// It waits, or is stuck, for a reason that it had not before.
    pub(super) fn waits(&self, run: &Run<'_>, status: OperationStatus, failure: &Failure) -> AuditEvent {
        let (step, attempt) = progress_of(&run.log);
        let verb = if status == OperationStatus::Stuck { "is stuck" } else { "waits" };
        let note = Note::new(AuditEventType::Warning, format!("{} {verb}: {}", run.log.kind(), failure.detail))
            .with("operationStatus", status.as_str())
            .with("errorCode", failure.code.as_str())
            .with("class", failure.code.class().as_str())
            .with("hint", failure.code.hint())
            .with("step", step.as_str())
            .with("attempt", i64::from(attempt));
        self.event(run, note)
    }

    pub(super) fn gave_up(&self, run: &Run<'_>, failure: &Failure) -> AuditEvent {
        let note = Note::new(AuditEventType::Error, format!("{} failed: {}", run.log.kind(), failure.detail))
            .with("errorCode", failure.code.as_str())
            .with("class", failure.code.class().as_str());
        self.event(run, note)
    }

    /// An attempt to install is made of something else than the one before.
    pub(super) fn release_changed(&self, run: &Run<'_>, before: &ReleaseDigests, now: &ReleaseDigests) -> AuditEvent {
        let parts = [
            ("chart", &before.chart, &now.chart),
            ("values", &before.values, &now.values),
            ("helm", &before.helm, &now.helm),
        ];
        let changed: Vec<&str> = parts.iter().filter(|(_, old, new)| old != new).map(|(part, ..)| *part).collect();
        let message = "the release is installed from something else than at the attempt before";
        let note = Note::new(AuditEventType::Warning, message)
            .with("changed", changed.join(", "))
            .with("previousChartDigest", before.chart.as_str())
            .with("previousValuesDigest", before.values.as_str())
            .with("previousHelmDigest", before.helm.as_str())
            .with("chartDigest", now.chart.as_str())
            .with("valuesDigest", now.values.as_str())
            .with("helmDigest", now.helm.as_str());
        self.event(run, note)
    }

    /// The store has moved from where it was `before` to where it is now.
    pub(super) fn moved(&self, run: &Run<'_>, before: &Store, store: &Store) -> AuditEvent {
        let previous = before.state;
        let mut note = Note::new(AuditEventType::StatusChange, format!("{previous} -> {}", store.state));
        if store.state == StoreState::Ready {
            if let Some(urls) = &store.urls {
                note = note.with("storefrontUrl", urls.storefront.as_str()).with("adminUrl", urls.admin.as_str());
            }
            if let Some(duration) = store.provisioning_duration {
                note = note.with("provisioningDurationMs", millis(duration));
            }
        }
        let mut event = self.event(run, note);
        event.previous = Some(previous);
        event.new = Some(store.state);
        event.changing_store(Some(before), store)
    }
}

fn millis(duration: jiff::SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
