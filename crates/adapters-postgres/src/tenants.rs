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

/// What an update or a lock of a tenant is joined with, told where the tenant's id is bound: a place in the queue of the tenant's writers, kept until the
/// transaction ends.
///
/// A row's lock alone is not fair: each writer leaves a new version of the row, and whoever waited for the old one begins anew behind those
/// who come later. Of hundreds of requests some were never served (RELIABILITY F26). Whoever locks the row and goes on must stand in the queue
/// first, also one who has not read this: else two wait for each other in a circle.
macro_rules! turn {
    ($id:literal) => {
        concat!("(select pg_advisory_xact_lock(hashtextextended('tenant ' || ", $id, "::uuid, 0))) turn")
    };
}
pub(crate) use turn;

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
        let statement = sql(concat!(
            "select ",
            tenant_columns!(),
            " from ",
            turn!("$1"),
            ", tenants t where t.id = $1 for no key update of t"
        ))
        .bind(id.as_uuid());
        self.row("lock a tenant", statement).await?.as_ref().map(tenant).transpose()
    }

    async fn get(&mut self, id: TenantId) -> Result<Option<Tenant>, StorageError> {
        let statement =
            sql(concat!("select ", tenant_columns!(), " from tenants t where t.id = $1")).bind(id.as_uuid());
        self.row("read a tenant", statement).await?.as_ref().map(tenant).transpose()
    }

    async fn set_plan(&mut self, id: TenantId, plan: &PlanName) -> Result<bool, StorageError> {
        let statement = sql(concat!("update tenants set plan = $2 from ", turn!("$1"), " where id = $1"))
            .bind(id.as_uuid())
            .bind(plan.as_str());
        Ok(self.execute("write a tenant's plan", statement).await? > 0)
    }

    async fn rename(&mut self, id: TenantId, name: &str) -> Result<(), StorageError> {
        let statement = sql(concat!("update tenants set name = $2 from ", turn!("$1"), " where id = $1"))
            .bind(id.as_uuid())
            .bind(name.to_owned());
        match self.execute("rename a tenant", statement).await? {
            0 => Err(StorageError::Stale),
            _ => Ok(()),
        }
    }

    async fn dissolve(&mut self, id: TenantId, at: Timestamp) -> Result<(), StorageError> {
        let statement = sql(concat!("update tenants set deleted_at = $2 from ", turn!("$1"), " where id = $1"))
            .bind(id.as_uuid())
            .bind(at.to_sqlx());
        match self.execute("dissolve a tenant", statement).await? {
            0 => Err(StorageError::Stale),
            _ => Ok(()),
        }
    }

    async fn set_last_store_created_at(&mut self, id: TenantId, at: Timestamp) -> Result<(), StorageError> {
        let statement =
            sql(concat!("update tenants set last_store_created_at = $2 from ", turn!("$1"), " where id = $1"))
                .bind(id.as_uuid())
                .bind(at.to_sqlx());
        match self.execute("write a tenant's cooldown", statement).await? {
            0 => Err(StorageError::Stale),
            _ => Ok(()),
        }
    }
}
