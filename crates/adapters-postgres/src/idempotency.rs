//! Idempotency keys.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use shopwright_domain::{OperationId, TenantId};
use shopwright_ports::storage::{IdempotencyRecord, IdempotencyRepository, StorageError};

use crate::error::internal;
use crate::row::Row;
use crate::transaction::{PgTransaction, sql};

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
        let statement = sql("\
            select tenant_id, route, key, fingerprint, store_id, operation_id, created_at
            from idempotency_keys
            where tenant_id = $1 and route = $2 and key = $3 and created_at > $4")
        .bind(tenant_id.as_uuid())
        .bind(route)
        .bind(key)
        .bind(since.to_sqlx());
        let Some(row) = self.row("read an idempotency key", statement).await? else { return Ok(None) };
        let row = Row::new(&row, "idempotency_keys", "key");
        Ok(Some(IdempotencyRecord {
            tenant_id: TenantId::from_uuid(row.get("tenant_id")?),
            route: row.get("route")?,
            key: row.get("key")?,
            fingerprint: row.get("fingerprint")?,
            store_id: row.parse("store_id")?,
            operation_id: OperationId::from_uuid(row.get("operation_id")?),
            created_at: row.time("created_at")?,
        }))
    }

    async fn put(&mut self, record: &IdempotencyRecord) -> Result<(), StorageError> {
        let statement = sql("\
            insert into idempotency_keys (tenant_id, route, key, fingerprint, store_id, operation_id, created_at)
            values ($1, $2, $3, $4, $5, $6, $7)
            on conflict (tenant_id, route, key) do update
            set fingerprint = excluded.fingerprint, store_id = excluded.store_id,
                operation_id = excluded.operation_id, created_at = excluded.created_at")
        .bind(record.tenant_id.as_uuid())
        .bind(&record.route)
        .bind(&record.key)
        .bind(&record.fingerprint)
        .bind(record.store_id.as_str())
        .bind(record.operation_id.as_uuid())
        .bind(record.created_at.to_sqlx());
        self.execute("write an idempotency key", statement).await.map(|_| ())
    }
}
