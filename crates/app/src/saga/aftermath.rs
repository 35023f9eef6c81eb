//! What is written when a run did not end by itself: its worker panicked, found its lease lost, or met a database that did not answer.

use std::time::Duration;

use jiff::Timestamp;
use shopwright_domain::ErrorCode;
use shopwright_domain::audit::{AuditEvent, AuditEventType};
use shopwright_domain::operation::{OperationKind, OperationStatus};
use shopwright_domain::saga::{SagaLog, StepStatus};
use shopwright_domain::store::Failure;
use shopwright_ports::storage::{Lease, Reach, StorageError};

use super::executor::{Executor, illegal};
use super::record::progress_of;

/// Pauses before an operation is offered back to a database that did not answer. Altogether less than half a lease.
const OFFERS: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

impl Executor {
    /// A run panicked: its step is counted as one that its worker did not survive, and the operation goes back to the queue, to wait a
    /// little, or to be parked when that happens again and again (RELIABILITY F11).
    pub(super) async fn record_panic(
        &self,
        lease: &Lease,
        kind: OperationKind,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let mut tx = self.storage.begin(Reach::Worker).await?;
        tx.tenants().lock(lease.tenant_id).await?;
        let mut log = SagaLog::from_records(kind, tx.operations().steps(lease.operation_id).await?);
        let Some(current) = log.current().cloned() else {
            return Err(StorageError::Internal {
                detail: "a run panicked after its last step".to_owned(),
                source: None,
            });
        };
        let (step, unit) = (current.step, self.entropy.unit());
        if current.status != StepStatus::Started {
            log.start(step, now).map_err(illegal)?;
        }
        log.crash(step, now, &self.policy, unit).map_err(illegal)?;
        let Some(record) = log.record(step).cloned() else { return Err(illegal(step)) };
        let poison = record.error.as_ref().filter(|_| record.status == StepStatus::Failed);
        let (status, until, failure) = if let Some(error) = poison {
            (OperationStatus::Stuck, record.not_before, Failure::new(error.code, error.detail.clone()))
        } else {
            let until = now.checked_add(self.policy.backoff.delay(record.crashes, unit)).unwrap_or(now);
            let failure = Failure::new(ErrorCode::Internal, format!("a worker panicked while it ran {step}"));
            (OperationStatus::Waiting, Some(until), failure)
        };
        let event = about(lease, AuditEventType::Error, format!("a worker panicked while it ran {step}"), now)
            .with("errorCode", failure.code.as_str())
            .with("crashes", i64::from(record.crashes))
            .with("operationStatus", status.as_str());
        tx.audit().append(&event).await?;
        tx.operations().record_step(lease, &record).await?;
        let (step, attempt) = progress_of(&log);
        tx.operations().record_progress(lease, step, attempt).await?;
        tx.operations().park(lease, status, until, Some(&failure)).await?;
        tx.commit().await
    }

    /// A worker was fenced out: one event, in a transaction of its own, says who lost the store and who holds it now. Best effort; when
    /// nobody has taken the store nothing is written.
    pub(crate) async fn record_fenced_out(&self, lease: &Lease) {
        let written = async {
            let mut tx = self.storage.begin(Reach::Worker).await?;
            tx.tenants().lock(lease.tenant_id).await?;
            let store = tx.stores().get(&lease.store_id).await?;
            let Some(store) = store.filter(|store| store.epoch != lease.epoch) else { return Ok(()) };
            let latest = tx.operations().latest_of(&lease.store_id).await?;
            let mut event = about(
                lease,
                AuditEventType::Warning,
                "a worker found its lease lost and stopped".to_owned(),
                self.clock.now(),
            )
            .with("worker", lease.worker.to_string())
            .with("epoch", lease.epoch.0)
            .with("currentEpoch", store.epoch.0);
            if let Some(latest) = latest {
                event = event
                    .with("currentOperation", latest.id.to_string())
                    .with("currentOperationStatus", latest.status.as_str());
                if let Some(worker) = latest.worker {
                    event = event.with("currentWorker", worker.to_string());
                }
            }
            tx.audit().append(&event).await?;
            tx.commit().await
        };
        let written: Result<(), StorageError> = written.await;
        if let Err(error) = written {
            tracing::warn!(store_id = %lease.store_id, %error, "not written down that a lease was lost");
        }
    }

    /// Offers an operation back after the database did not answer, so that nobody has to wait for the lease to run out, and so that no
    /// worker's death is blamed on it. Returns whether it was taken, or is somebody else's anyway.
    pub(crate) async fn give_back(&self, lease: &Lease) -> bool {
        for pause in OFFERS {
            self.clock.sleep(pause).await;
            let offered = async {
                let mut tx = self.storage.begin(Reach::Worker).await?;
                tx.operations().park(lease, OperationStatus::Queued, None, None).await?;
                tx.commit().await
            };
            match offered.await {
                Ok(()) | Err(StorageError::LeaseLost) => return true,
                Err(error) => tracing::debug!(operation_id = %lease.operation_id, %error, "not given back yet"),
            }
        }
        false
    }
}

fn about(lease: &Lease, kind: AuditEventType, message: String, at: Timestamp) -> AuditEvent {
    let mut event = AuditEvent::new(lease.tenant_id, kind, message, at);
    event.store_id = Some(lease.store_id.clone());
    event.operation_id = Some(lease.operation_id);
    event.epoch = Some(lease.epoch);
    event
}
