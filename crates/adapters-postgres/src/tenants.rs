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

macro_rules! columns {
    () => {
        "id, name, plan, last_store_created_at, created_at"
    };
}

fn tenant(row: &PgRow) -> Result<Tenant, StorageError> {
    let row = Row::new(row, "tenants", "id");
    Ok(Tenant {
        id: TenantId::from_uuid(row.get("id")?),
        name: row.get("name")?,
        plan: row.parse("plan")?,
        last_store_created_at: row.time_optional("last_store_created_at")?,
        created_at: row.time("created_at")?,
    })
}

#[async_trait]
impl TenantRepository for PgTransaction {
    async fn insert(&mut self, tenant: &Tenant) -> Result<(), StorageError> {
        let statement =
            sql("insert into tenants (id, name, plan, last_store_created_at, created_at) values ($1, $2, $3, $4, $5)")
                .bind(tenant.id.as_uuid())
                .bind(&tenant.name)
                .bind(tenant.plan.as_str())
                .bind(tenant.last_store_created_at.map(jiff_sqlx::ToSqlx::to_sqlx))
                .bind(tenant.created_at.to_sqlx());
        self.execute("insert a tenant", statement).await.map(|_| ())
    }

    async fn lock(&mut self, id: TenantId) -> Result<Option<Tenant>, StorageError> {
        let statement = sql(concat!("select ", columns!(), " from tenants where id = $1 for no key update"));
        let row = self.row("lock a tenant", statement.bind(id.as_uuid())).await?;
        row.map(|row| tenant(&row)).transpose()
    }

    async fn get(&mut self, id: TenantId) -> Result<Option<Tenant>, StorageError> {
        let statement = sql(concat!("select ", columns!(), " from tenants where id = $1"));
        let row = self.row("read a tenant", statement.bind(id.as_uuid())).await?;
        row.map(|row| tenant(&row)).transpose()
    }

    async fn set_plan(&mut self, id: TenantId, plan: &PlanName) -> Result<bool, StorageError> {
        let statement = sql("update tenants set plan = $2 where id = $1").bind(id.as_uuid()).bind(plan.as_str());
        Ok(self.execute("write a tenant's plan", statement).await? > 0)
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
