//! Idempotency keys.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use shopwright_domain::{OperationId, StoreId, TenantId};
use shopwright_ports::storage::{IdempotencyRecord, IdempotencyRepository, StorageError, StoredAnswer};
use sqlx::postgres::PgRow;

use crate::error::internal;
use crate::row::Row;
use crate::transaction::{PgTransaction, Sql, sql};

macro_rules! columns {
    () => {
        "tenant_id, route, key, fingerprint, store_id, operation_id, created_at, answer_status, answer_type, answer_body, answer_location"
    };
}

#[async_trait]
impl IdempotencyRepository for PgTransaction {
    async fn try_lock(&mut self, tenant_id: TenantId, route: &str, key: &str) -> Result<bool, StorageError> {
        // The lock ends with the transaction. Two keys with the same hash, one in 2^64, would make one request wait for the other.
        let statement = sql("\
            select pg_try_advisory_xact_lock(
                hashtextextended(jsonb_build_array('idempotency', $1::text, $2::text, $3::text)::text, 0)) as locked")
        .bind(tenant_id.to_string())
        .bind(route)
        .bind(key);
        let row = self.row("lock an idempotency key", statement).await?;
        let row = row.ok_or_else(|| internal("locking an idempotency key has no answer"))?;
        Row::new(&row, "idempotency_keys", "key").get("locked")
    }

    async fn get(
        &mut self,
        tenant_id: TenantId,
        route: &str,
        key: &str,
        since: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, StorageError> {
        let statement = sql(concat!(
            "select ",
            columns!(),
            " from idempotency_keys where tenant_id = $1 and route = $2 and key = $3 and created_at > $4"
        ))
        .bind(tenant_id.as_uuid())
        .bind(route)
        .bind(key)
        .bind(since.to_sqlx());
        let row = self.row("read an idempotency key", statement).await?;
        row.map(|row| record(&row)).transpose()
    }

    async fn put(&mut self, record: &IdempotencyRecord) -> Result<(), StorageError> {
        let statement = sql("\
            insert into idempotency_keys (tenant_id, route, key, fingerprint, store_id, operation_id, created_at,
                                          answer_status, answer_type, answer_body, answer_location)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            on conflict (tenant_id, route, key) do update
            set fingerprint = excluded.fingerprint, store_id = excluded.store_id,
                operation_id = excluded.operation_id, created_at = excluded.created_at,
                answer_status = excluded.answer_status, answer_type = excluded.answer_type,
                answer_body = excluded.answer_body, answer_location = excluded.answer_location");
        self.execute("write an idempotency key", bound(statement, record)?).await.map(|_| ())
    }

    async fn answer(
        &mut self,
        record: &IdempotencyRecord,
        since: Timestamp,
    ) -> Result<IdempotencyRecord, StorageError> {
        // `stands` looks at the row under its lock, also when another transaction has only just written it: nothing is changed then, and
        // the row as it stands comes back all the same.
        let statement = sql(concat!(
            "insert into idempotency_keys as k (tenant_id, route, key, fingerprint, store_id, operation_id, created_at,
                                               answer_status, answer_type, answer_body, answer_location)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            on conflict (tenant_id, route, key) do update
            set (fingerprint, store_id, operation_id, created_at, answer_status, answer_type, answer_body, answer_location) = (
                select
                    case when old then excluded.fingerprint else k.fingerprint end,
                    case when old then excluded.store_id else k.store_id end,
                    case when old then excluded.operation_id else k.operation_id end,
                    case when old then excluded.created_at else k.created_at end,
                    case when stands then k.answer_status else excluded.answer_status end,
                    case when stands then k.answer_type else excluded.answer_type end,
                    case when stands then k.answer_body else excluded.answer_body end,
                    case when stands then k.answer_location else excluded.answer_location end
                from (select k.created_at <= $12 as old,
                             k.created_at > $12
                                and (k.answer_status is not null or k.fingerprint <> excluded.fingerprint) as stands) as it
            )
            returning ",
            columns!()
        ));
        let statement = bound(statement, record)?.bind(since.to_sqlx());
        let row = self.row("keep an answer", statement).await?;
        record_of(row.as_ref())
    }

    async fn purge(&mut self, before: Timestamp) -> Result<u64, StorageError> {
        let statement = sql("delete from idempotency_keys where created_at < $1").bind(before.to_sqlx());
        self.execute("forget idempotency keys", statement).await
    }
}

fn record_of(row: Option<&PgRow>) -> Result<IdempotencyRecord, StorageError> {
    record(row.ok_or_else(|| internal("an upsert that gave nothing back"))?)
}

fn record(row: &PgRow) -> Result<IdempotencyRecord, StorageError> {
    let row = Row::new(row, "idempotency_keys", "key");
    let answer = match row.get::<Option<i16>>("answer_status")? {
        Some(status) => Some(StoredAnswer {
            status: u16::try_from(status).map_err(|error| row.corrupt("answer_status", error))?,
            content_type: row.get("answer_type")?,
            body: row.get("answer_body")?,
            location: row.get("answer_location")?,
        }),
        None => None,
    };
    Ok(IdempotencyRecord {
        tenant_id: TenantId::from_uuid(row.get("tenant_id")?),
        route: row.get("route")?,
        key: row.get("key")?,
        fingerprint: row.get("fingerprint")?,
        store_id: row.parse_optional("store_id")?,
        operation_id: row.get::<Option<uuid::Uuid>>("operation_id")?.map(OperationId::from_uuid),
        answer,
        created_at: row.time("created_at")?,
    })
}

/// The values of a record, as `$1` to `$11`.
fn bound<'q>(statement: Sql<'q>, record: &'q IdempotencyRecord) -> Result<Sql<'q>, StorageError> {
    let answer = record.answer.as_ref();
    let status = answer.map(|answer| i16::try_from(answer.status)).transpose();
    Ok(statement
        .bind(record.tenant_id.as_uuid())
        .bind(&record.route)
        .bind(&record.key)
        .bind(&record.fingerprint)
        .bind(record.store_id.as_ref().map(StoreId::as_str))
        .bind(record.operation_id.map(|id| id.as_uuid()))
        .bind(record.created_at.to_sqlx())
        .bind(status.map_err(|_| internal("a status that is none"))?)
        .bind(answer.map(|answer| answer.content_type.as_str()))
        .bind(answer.map(|answer| answer.body.as_str()))
        .bind(answer.and_then(|answer| answer.location.as_deref())))
}
