//! Organisations.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use shopwright_domain::TenantId;
use shopwright_domain::plans::PlanName;
use shopwright_ports::storage::{StorageError, Tenant, TenantRepository};
use sqlx::postgres::PgRow;

use crate::row::Row;
use crate::transaction::{PgTransaction, sql};

/// The columns of a tenant `t`.
macro_rules! tenant_columns {
    () => {
        "t.id, t.name, t.personal, t.plan, t.last_store_created_at, t.created_at"
    };
}
pub(crate) use tenant_columns;

pub(crate) fn tenant(row: &PgRow) -> Result<Tenant, StorageError> {
    let row = Row::new(row, "tenants", "id");
    Ok(Tenant {
        id: TenantId::from_uuid(row.get("id")?),
        name: row.get("name")?,
        personal: row.get("personal")?,
        plan: row.parse("plan")?,
        last_store_created_at: row.time_optional("last_store_created_at")?,
        created_at: row.time("created_at")?,
    })
}

#[async_trait]
impl TenantRepository for PgTransaction {
    async fn insert(&mut self, tenant: &Tenant) -> Result<(), StorageError> {
        let statement = sql("\
            insert into tenants (id, name, personal, plan, last_store_created_at, created_at)
            values ($1, $2, $3, $4, $5, $6)")
        .bind(tenant.id.as_uuid())
        .bind(&tenant.name)
        .bind(tenant.personal)
        .bind(tenant.plan.as_str())
        .bind(tenant.last_store_created_at.map(jiff_sqlx::ToSqlx::to_sqlx))
        .bind(tenant.created_at.to_sqlx());
        self.execute("insert a tenant", statement).await.map(|_| ())
    }

    async fn lock(&mut self, id: TenantId) -> Result<Option<Tenant>, StorageError> {
        let statement = sql(concat!("select ", tenant_columns!(), " from tenants t where t.id = $1 for no key update"))
            .bind(id.as_uuid());
        self.row("lock a tenant", statement).await?.as_ref().map(tenant).transpose()
    }

    async fn get(&mut self, id: TenantId) -> Result<Option<Tenant>, StorageError> {
        let statement =
            sql(concat!("select ", tenant_columns!(), " from tenants t where t.id = $1")).bind(id.as_uuid());
        self.row("read a tenant", statement).await?.as_ref().map(tenant).transpose()
    }

    async fn set_plan(&mut self, id: TenantId, plan: &PlanName) -> Result<bool, StorageError> {
        let statement = sql("update tenants set plan = $2 where id = $1").bind(id.as_uuid()).bind(plan.as_str());
        Ok(self.execute("write a tenant's plan", statement).await? > 0)
    }

    async fn rename(&mut self, id: TenantId, name: &str) -> Result<(), StorageError> {
        let statement = sql("update tenants set name = $2 where id = $1").bind(id.as_uuid()).bind(name.to_owned());
        match self.execute("rename a tenant", statement).await? {
            0 => Err(StorageError::Stale),
            _ => Ok(()),
        }
    }

    async fn dissolve(&mut self, id: TenantId, at: Timestamp) -> Result<(), StorageError> {
        let statement = sql("update tenants set deleted_at = $2 where id = $1").bind(id.as_uuid()).bind(at.to_sqlx());
        match self.execute("dissolve a tenant", statement).await? {
            0 => Err(StorageError::Stale),
            _ => Ok(()),
        }
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
