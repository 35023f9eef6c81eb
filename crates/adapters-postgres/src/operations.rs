//! Operations: adding, reading, and every write under a lease. Claiming has its own file.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use shopwright_domain::operation::{Operation, OperationKind, OperationStatus, ReleaseDigests, SetupStep};
use shopwright_domain::plans::SizeName;
use shopwright_domain::saga::{Step, StepRecord};
use shopwright_domain::store::Failure;
use shopwright_domain::{Epoch, OperationId, StoreId, TenantId, UserId, WorkerId};
use shopwright_ports::storage::{Census, Claim, Lease, OperationFilter, OperationRepository, StorageError};
use sqlx::postgres::PgRow;

use crate::error::internal;
use crate::row::{Row, integer};
use crate::transaction::{PgTransaction, sql};
use crate::unreadable::readable;

macro_rules! operation_columns {
    () => {
        "id, tenant_id, store_id, kind, saga_version, status, step, attempt, epoch, worker, lease_expires_at, wake_at, \
         failure_code, failure_detail, chart_digest, values_digest, helm_digest, origin_digest, release_size, setup_steps, setup_millis, requested_by, request_id, \
         traceparent, tracestate, created_at, started_at, finished_at"
    };
}
pub(crate) use operation_columns;

pub(crate) fn operation(row: &PgRow) -> Result<Operation, StorageError> {
    let row = Row::new(row, "operations", "id");
    Ok(Operation {
        id: OperationId::from_uuid(row.get("id")?),
        tenant_id: TenantId::from_uuid(row.get("tenant_id")?),
        store_id: row.parse("store_id")?,
        kind: row.parse("kind")?,
        saga_version: row.count("saga_version")?,
        status: row.parse("status")?,
        step: row.parse_optional("step")?,
        attempt: row.count("attempt")?,
        epoch: Epoch(row.get("epoch")?),
        worker: row.get::<Option<_>>("worker")?.map(WorkerId::from_uuid),
        lease_expires_at: row.time_optional("lease_expires_at")?,
        wake_at: row.time_optional("wake_at")?,
        failure: row.failure()?,
        release: digests(&row)?,
        setup: setup(&row)?,
        requested_by: row.get::<Option<_>>("requested_by")?.map(UserId::from_uuid),
        request_id: row.parse_optional("request_id")?,
        traceparent: row.get("traceparent")?,
        tracestate: row.get("tracestate")?,
        created_at: row.time("created_at")?,
        started_at: row.time_optional("started_at")?,
        finished_at: row.time_optional("finished_at")?,
    })
}

fn digests(row: &Row<'_>) -> Result<Option<ReleaseDigests>, StorageError> {
    let (chart, values): (Option<String>, Option<String>) = (row.get("chart_digest")?, row.get("values_digest")?);
    let (helm, origin): (Option<String>, Option<String>) = (row.get("helm_digest")?, row.get("origin_digest")?);
    let size = row.parse_optional("release_size")?;
    Ok(chart.zip(values).zip(helm).map(|((chart, values), helm)| ReleaseDigests { chart, values, helm, origin, size }))
}

fn setup(row: &Row<'_>) -> Result<Vec<SetupStep>, StorageError> {
    let (names, millis): (Vec<String>, Vec<i64>) = (row.get("setup_steps")?, row.get("setup_millis")?);
    Ok(names.into_iter().zip(millis).map(|(name, millis)| SetupStep { name, millis: millis.unsigned_abs() }).collect())
}

fn not_allowed(what: &str, status: OperationStatus) -> StorageError {
    internal(format!("an operation cannot be {what} as {status}"))
}

fn names(steps: &[SetupStep]) -> Vec<&str> {
    steps.iter().map(|step| step.name.as_str()).collect()
}

fn millis(steps: &[SetupStep]) -> Vec<i64> {
    steps.iter().map(|step| i64::try_from(step.millis).unwrap_or(i64::MAX)).collect()
}

fn code(failure: Option<&Failure>) -> Option<&'static str> {
    failure.map(|failure| failure.code.as_str())
}

fn detail(failure: Option<&Failure>) -> Option<&str> {
    failure.map(|failure| failure.detail.as_str())
}

#[async_trait]
impl OperationRepository for PgTransaction {
    async fn enqueue(&mut self, operation: &Operation, done: &[StepRecord]) -> Result<(), StorageError> {
        let (failure, release) = (operation.failure.as_ref(), operation.release.as_ref());
        let statement = sql("\
            insert into operations (id, tenant_id, store_id, kind, status, step, attempt, epoch, worker,
                                    lease_expires_at, wake_at, failure_code, failure_detail, requested_by, request_id,
                                    traceparent, created_at, started_at, finished_at, saga_version, chart_digest,
                                    values_digest, helm_digest, tracestate, origin_digest, setup_steps, setup_millis,
                                    release_size)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
                    $23, $24, $25, $26, $27, $28)")
        .bind(operation.id.as_uuid())
        .bind(operation.tenant_id.as_uuid())
        .bind(operation.store_id.as_str())
        .bind(operation.kind.as_str())
        .bind(operation.status.as_str())
        .bind(operation.step.map(Step::as_str))
        .bind(integer(operation.attempt)?)
        .bind(operation.epoch.0)
        .bind(operation.worker.map(|worker| worker.as_uuid()))
        .bind(operation.lease_expires_at.map(jiff_sqlx::ToSqlx::to_sqlx))
        .bind(operation.wake_at.map(jiff_sqlx::ToSqlx::to_sqlx))
        .bind(code(failure))
        .bind(detail(failure))
        .bind(operation.requested_by.map(|user| user.as_uuid()))
        .bind(operation.request_id.as_ref().map(shopwright_domain::RequestId::as_str))
        .bind(operation.traceparent.as_deref())
        .bind(operation.created_at.to_sqlx())
        .bind(operation.started_at.map(jiff_sqlx::ToSqlx::to_sqlx))
        .bind(operation.finished_at.map(jiff_sqlx::ToSqlx::to_sqlx))
        .bind(integer(operation.saga_version)?)
        .bind(release.map(|release| release.chart.as_str()))
        .bind(release.map(|release| release.values.as_str()))
        .bind(release.map(|release| release.helm.as_str()))
        .bind(operation.tracestate.as_deref())
        .bind(release.and_then(|release| release.origin.as_deref()))
        .bind(names(&operation.setup))
        .bind(millis(&operation.setup))
        .bind(release.and_then(|release| release.size.as_ref()).map(SizeName::as_str));
        self.execute("enqueue an operation", statement).await?;
        for record in done {
            self.write_step(operation.tenant_id, operation.id, record).await?;
        }
        self.touched.operation(operation.id, None);
        Ok(())
    }

    async fn get(&mut self, id: OperationId) -> Result<Option<Operation>, StorageError> {
        let statement =
            sql(concat!("select ", operation_columns!(), " from operations where id = $1")).bind(id.as_uuid());
        self.row("read an operation", statement).await?.as_ref().map(operation).transpose()
    }

    async fn latest_of(&mut self, store_id: &StoreId) -> Result<Option<Operation>, StorageError> {
        let statement = sql(concat!(
            "select ",
            operation_columns!(),
            " from operations where store_id = $1 order by created_at desc, ordinal desc limit 1"
        ))
        .bind(store_id.as_str());
        self.row("read a store's newest operation", statement).await?.as_ref().map(operation).transpose()
    }

    async fn list(&mut self, filter: &OperationFilter, limit: u32) -> Result<Vec<Operation>, StorageError> {
        let statement = sql(concat!(
            "select ",
            operation_columns!(),
            " from operations
            where ($1::uuid is null or tenant_id = $1)
                and ($2::text is null or store_id = $2)
                and ($3::text is null or status = $3)
                and ($4::text is null or kind = $4)
                and ($5::timestamptz is null or (created_at <= $5 and (created_at < $5 or id > $6)))
            order by created_at desc, id
            limit $7"
        ))
        .bind(filter.tenant_id.map(|id| id.as_uuid()))
        .bind(filter.store_id.as_ref().map(StoreId::as_str))
        .bind(filter.status.map(OperationStatus::as_str))
        .bind(filter.kind.map(OperationKind::as_str))
        .bind(filter.after.map(|(at, _)| at.to_sqlx()))
        .bind(filter.after.map(|(_, id)| id.as_uuid()))
        .bind(i64::from(limit));
        readable(&self.rows("list operations", statement).await?, operation)
    }

    async fn steps(&mut self, id: OperationId) -> Result<Vec<StepRecord>, StorageError> {
        self.read_steps(id).await
    }

    async fn claim(&mut self, worker: WorkerId, lease: Duration) -> Result<Option<Claim>, StorageError> {
        self.as_worker()?;
        self.claim_next(worker, lease).await
    }

    async fn next_due(&mut self) -> Result<Option<Timestamp>, StorageError> {
        self.as_worker()?;
        self.read_next_due().await
    }

    async fn census(&mut self) -> Result<Census, StorageError> {
        self.as_worker()?;
        self.read_census().await
    }

    async fn record_step(&mut self, lease: &Lease, record: &StepRecord) -> Result<(), StorageError> {
        self.fence(lease).await?;
        self.touched.operation(lease.operation_id, Some(record.step));
        self.write_step(lease.tenant_id, lease.operation_id, record).await
    }

    async fn record_progress(&mut self, lease: &Lease, step: Step, attempt: u32) -> Result<(), StorageError> {
        self.fence(lease).await?;
        self.touched.operation(lease.operation_id, None);
        let statement = sql("update operations set step = $2, attempt = $3 where id = $1")
            .bind(lease.operation_id.as_uuid())
            .bind(step.as_str())
            .bind(integer(attempt)?);
        self.execute("record the progress of an operation", statement).await.map(|_| ())
    }

    async fn note_waiting(&mut self, lease: &Lease, failure: Option<&Failure>) -> Result<(), StorageError> {
        self.fence(lease).await?;
        self.touched.operation(lease.operation_id, None);
        let statement = sql("update operations set failure_code = $2, failure_detail = $3 where id = $1")
            .bind(lease.operation_id.as_uuid())
            .bind(code(failure))
            .bind(detail(failure));
        self.execute("note what an operation waits for", statement).await.map(|_| ())
    }

    async fn record_release(&mut self, lease: &Lease, release: &ReleaseDigests) -> Result<(), StorageError> {
        self.fence(lease).await?;
        let statement = sql("\
            update operations
            set chart_digest = $2, values_digest = $3, helm_digest = $4, origin_digest = $5, release_size = $6
            where id = $1")
        .bind(lease.operation_id.as_uuid())
        .bind(release.chart.as_str())
        .bind(release.values.as_str())
        .bind(release.helm.as_str())
        .bind(release.origin.as_deref())
        .bind(release.size.as_ref().map(SizeName::as_str));
        self.execute("record what an installation is made of", statement).await.map(|_| ())
    }

    async fn record_setup(&mut self, lease: &Lease, steps: &[SetupStep]) -> Result<(), StorageError> {
        self.fence(lease).await?;
        self.touched.operation(lease.operation_id, None);
        let statement = sql("update operations set setup_steps = $2, setup_millis = $3 where id = $1")
            .bind(lease.operation_id.as_uuid())
            .bind(names(steps))
            .bind(millis(steps));
        self.execute("record what a set-up has done", statement).await.map(|_| ())
    }

    async fn lift_epoch(&mut self, lease: &Lease, known: Epoch) -> Result<Lease, StorageError> {
        self.fence(lease).await?;
        // From here on the lease is another one.
        self.fenced = None;
        if lease.epoch > known {
            return Ok(lease.clone());
        }
        let epoch = known.next();
        let statement = sql("update stores set epoch = $2 where id = $1").bind(lease.store_id.as_str()).bind(epoch.0);
        self.execute("lift a store's epoch", statement).await?;
        let statement =
            sql("update operations set epoch = $2 where id = $1").bind(lease.operation_id.as_uuid()).bind(epoch.0);
        self.execute("lift an operation's epoch", statement).await?;
        Ok(Lease { epoch, ..lease.clone() })
    }

    async fn park(
        &mut self,
        lease: &Lease,
        status: OperationStatus,
        wake_at: Option<Timestamp>,
        failure: Option<&Failure>,
    ) -> Result<(), StorageError> {
        if !matches!(status, OperationStatus::Queued | OperationStatus::Waiting | OperationStatus::Stuck) {
            return Err(not_allowed("parked", status));
        }
        self.fence(lease).await?;
        self.touched.operation(lease.operation_id, None);
        let statement = sql("\
            update operations
            set status = $2, wake_at = $3, failure_code = $4, failure_detail = $5, worker = null,
                lease_expires_at = null
            where id = $1")
        .bind(lease.operation_id.as_uuid())
        .bind(status.as_str())
        .bind(wake_at.map(jiff_sqlx::ToSqlx::to_sqlx))
        .bind(code(failure))
        .bind(detail(failure));
        self.execute("park an operation", statement).await.map(|_| ())
    }

    async fn finish(
        &mut self,
        lease: &Lease,
        status: OperationStatus,
        failure: Option<&Failure>,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        if !matches!(status, OperationStatus::Succeeded | OperationStatus::Failed) {
            return Err(not_allowed("finished", status));
        }
        self.fence(lease).await?;
        self.touched.operation(lease.operation_id, None);
        let statement = sql("\
            update operations
            set status = $2, finished_at = $3, failure_code = $4, failure_detail = $5, worker = null,
                lease_expires_at = null
            where id = $1")
        .bind(lease.operation_id.as_uuid())
        .bind(status.as_str())
        .bind(at.to_sqlx())
        .bind(code(failure))
        .bind(detail(failure));
        self.execute("finish an operation", statement).await.map(|_| ())
    }

    async fn supersede(&mut self, id: OperationId, at: Timestamp) -> Result<(), StorageError> {
        let statement = sql("\
            update operations
            set status = 'cancelled', finished_at = $2, worker = null, lease_expires_at = null, wake_at = null
            where id = $1 and status in ('queued', 'running', 'waiting', 'stuck')")
        .bind(id.as_uuid())
        .bind(at.to_sqlx());
        if self.execute("supersede an operation", statement).await? > 0 {
            self.touched.operation(id, None);
        }
        Ok(())
    }
}
