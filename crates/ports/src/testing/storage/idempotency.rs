//! Idempotency keys.

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::TenantId;

use super::transaction::FakeTransaction;
use crate::storage::{IdempotencyRecord, IdempotencyRepository, StorageError};

fn is_of(record: &IdempotencyRecord, tenant_id: TenantId, route: &str, key: &str) -> bool {
    record.tenant_id == tenant_id && record.route == route && record.key == key
}

#[async_trait]
impl IdempotencyRepository for FakeTransaction {
    /// Always true: no other transaction is open while this one is.
    async fn try_lock(&mut self, _tenant_id: TenantId, _route: &str, _key: &str) -> Result<bool, StorageError> {
        self.owned_rows().map(|_| true)
    }

    async fn get(
        &mut self,
        tenant_id: TenantId,
        route: &str,
        key: &str,
        since: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, StorageError> {
        let seen = self.reach.covers(tenant_id);
        let rows = self.owned_rows()?;
        Ok(rows
            .idempotency
            .iter()
            .find(|row| seen && is_of(row, tenant_id, route, key) && row.created_at > since)
            .cloned())
    }

    async fn put(&mut self, record: &IdempotencyRecord) -> Result<(), StorageError> {
        self.admit(record.tenant_id)?;
        let has_tenant = self.rows()?.tenants.iter().any(|row| row.id == record.tenant_id);
        self.require(has_tenant, "the key's tenant")?;
        let rows = self.rows()?;
        rows.idempotency.retain(|row| !is_of(row, record.tenant_id, &record.route, &record.key));
        rows.idempotency.push(record.clone());
        Ok(())
    }

    async fn answer(
        &mut self,
        record: &IdempotencyRecord,
        since: Timestamp,
    ) -> Result<IdempotencyRecord, StorageError> {
        let standing = self.get(record.tenant_id, &record.route, &record.key, since).await?;
        let stands = match standing {
            Some(row) if row.answer.is_some() || row.fingerprint != record.fingerprint => return Ok(row),
            Some(row) => IdempotencyRecord { answer: record.answer.clone(), ..row },
            None => record.clone(),
        };
        self.put(&stands).await?;
        Ok(stands)
    }

    async fn purge(&mut self, before: Timestamp) -> Result<u64, StorageError> {
        let reach = self.reach;
        let rows = &mut self.owned_rows()?.idempotency;
        let held = rows.len();
        rows.retain(|row| row.created_at >= before || !reach.covers(row.tenant_id));
        Ok((held - rows.len()) as u64)
    }
}
