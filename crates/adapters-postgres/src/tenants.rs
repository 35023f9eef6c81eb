//! Organisations.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use shopwright_domain::TenantId;
use shopwright_ports::storage::{StorageError, Tenant, TenantRepository};

use crate::row::Row;
use crate::transaction::{PgTransaction, sql};

#[async_trait]
impl TenantRepository for PgTransaction {
    async fn insert(&mut self, tenant: &Tenant) -> Result<(), StorageError> {
        let statement =
            sql("insert into tenants (id, name, last_store_created_at, created_at) values ($1, $2, $3, $4)")
                .bind(tenant.id.as_uuid())
                .bind(&tenant.name)
                .bind(tenant.last_store_created_at.map(jiff_sqlx::ToSqlx::to_sqlx))
                .bind(tenant.created_at.to_sqlx());
        self.execute("insert a tenant", statement).await.map(|_| ())
    }

    async fn lock(&mut self, id: TenantId) -> Result<Option<Tenant>, StorageError> {
        let statement =
            sql("select id, name, last_store_created_at, created_at from tenants where id = $1 for no key update")
                .bind(id.as_uuid());
        let Some(row) = self.row("lock a tenant", statement).await? else { return Ok(None) };
        let row = Row::new(&row, "tenants", "id");
        Ok(Some(Tenant {
            id: TenantId::from_uuid(row.get("id")?),
            name: row.get("name")?,
            last_store_created_at: row.time_optional("last_store_created_at")?,
            created_at: row.time("created_at")?,
        }))
    }

    async fn set_last_store_created_at(&mut self, id: TenantId, at: Timestamp) -> Result<(), StorageError> {
        let statement =
            sql("update tenants set last_store_created_at = $2 where id = $1").bind(id.as_uuid()).bind(at.to_sqlx());
        match self.execute("write a tenant's cooldown", statement).await? {
            0 => Err(StorageError::Stale),
            _ => Ok(()),
        }
    }
}
