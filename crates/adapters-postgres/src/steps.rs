//! What became of the steps of an operation.

use jiff::SignedDuration;
use shopwright_domain::saga::{StepError, StepRecord};
use shopwright_domain::{OperationId, TenantId};
use shopwright_ports::storage::StorageError;
use sqlx::postgres::PgRow;

use crate::row::{Row, integer, micros};
use crate::transaction::{PgTransaction, sql};

fn step(row: &PgRow) -> Result<StepRecord, StorageError> {
    let row = Row::new(row, "operation_steps", "operation_id");
    let code = row.parse_optional("error_code")?;
    let detail = row.get::<Option<String>>("error_detail")?;
    let retry_after = row.micros_optional("error_retry_after_us")?;
    Ok(StepRecord {
        step: row.parse("step")?,
        status: row.parse("status")?,
        attempts: row.count("attempts")?,
        waits: row.count("waits")?,
        crashes: row.count("crashes")?,
        first_started_at: row.time_optional("first_started_at")?,
        started_at: row.time_optional("started_at")?,
        finished_at: row.time_optional("finished_at")?,
        outage: SignedDuration::from_micros(row.get("outage_us")?),
        not_before: row.time_optional("not_before")?,
        error: code.zip(detail).map(|(code, detail)| StepError { code, detail, retry_after }),
    })
}

impl PgTransaction {
    /// The records in the order in which the steps run.
    pub(crate) async fn read_steps(&mut self, id: OperationId) -> Result<Vec<StepRecord>, StorageError> {
        let statement = sql("\
            select operation_id, step, status, attempts, waits, crashes, first_started_at, started_at, finished_at, outage_us,
                   not_before, error_code, error_detail, error_retry_after_us
            from operation_steps
            where operation_id = $1")
        .bind(id.as_uuid());
        let rows = self.rows("read the steps of an operation", statement).await?;
        let mut steps = rows.iter().map(step).collect::<Result<Vec<_>, _>>()?;
        steps.sort_by_key(|record| record.step.kind().steps().iter().position(|step| *step == record.step));
        Ok(steps)
    }

    /// Writes the record, over what is there.
    pub(crate) async fn write_step(
        &mut self,
        tenant_id: TenantId,
        id: OperationId,
        record: &StepRecord,
    ) -> Result<(), StorageError> {
        let error = record.error.as_ref();
        let statement = sql("\
            insert into operation_steps (operation_id, tenant_id, step, status, attempts, waits, first_started_at,
                                         started_at, finished_at, outage_us, not_before, error_code, error_detail,
                                         error_retry_after_us, crashes)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
            on conflict (operation_id, step) do update
            set status = excluded.status, attempts = excluded.attempts, waits = excluded.waits,
                first_started_at = excluded.first_started_at, started_at = excluded.started_at,
                finished_at = excluded.finished_at, outage_us = excluded.outage_us, not_before = excluded.not_before,
                error_code = excluded.error_code, error_detail = excluded.error_detail,
                error_retry_after_us = excluded.error_retry_after_us, crashes = excluded.crashes")
        .bind(id.as_uuid())
        .bind(tenant_id.as_uuid())
        .bind(record.step.as_str())
        .bind(record.status.as_str())
        .bind(integer(record.attempts)?)
        .bind(integer(record.waits)?)
        .bind(record.first_started_at.map(jiff_sqlx::ToSqlx::to_sqlx))
        .bind(record.started_at.map(jiff_sqlx::ToSqlx::to_sqlx))
        .bind(record.finished_at.map(jiff_sqlx::ToSqlx::to_sqlx))
        .bind(micros(record.outage))
        .bind(record.not_before.map(jiff_sqlx::ToSqlx::to_sqlx))
        .bind(error.map(|error| error.code.as_str()))
        .bind(error.map(|error| error.detail.as_str()))
        .bind(error.and_then(|error| error.retry_after).map(micros))
        .bind(integer(record.crashes)?);
        self.execute("write a step", statement).await.map(|_| ())
    }
}
