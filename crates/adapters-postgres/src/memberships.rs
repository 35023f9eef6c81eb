//! Who belongs to which organisation.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use shopwright_domain::organisation::Role;
use shopwright_domain::{TenantId, UserId};
use shopwright_ports::storage::{Member, MembershipRepository, StorageError, Tenant};

use crate::row::Row;
use crate::tenants::{tenant, tenant_columns};
use crate::transaction::{PgTransaction, sql};

#[async_trait]
impl MembershipRepository for PgTransaction {
    async fn role_of(&mut self, tenant_id: TenantId, user_id: UserId) -> Result<Option<Role>, StorageError> {
        let statement = sql("\
            select 'owner' as role from users where id = $2 and tenant_id = $1
            union all
            select role from memberships where tenant_id = $1 and user_id = $2
            limit 1")
        .bind(tenant_id.as_uuid())
        .bind(user_id.as_uuid());
        let row = self.row("read a membership", statement).await?;
        row.map(|row| Row::new(&row, "memberships", "user_id").parse("role")).transpose()
    }

    async fn of_user(&mut self, user_id: UserId) -> Result<Vec<(Tenant, Role)>, StorageError> {
        let statement = sql(concat!(
            "select m.role, ",
            tenant_columns!(),
            " from (
                select tenant_id, 'owner' as role, null::timestamptz as joined_at from users where id = $1
                union all
                select tenant_id, role, created_at from memberships where user_id = $1
            ) m
            join tenants t on t.id = m.tenant_id
            order by m.joined_at nulls first, t.id"
        ))
        .bind(user_id.as_uuid());
        let rows = self.rows("list the organisations of a user", statement).await?;
        rows.iter().map(|row| Ok((tenant(row)?, Row::new(row, "memberships", "id").parse("role")?))).collect()
    }

    async fn list(&mut self, tenant_id: TenantId) -> Result<Vec<Member>, StorageError> {
        let statement = sql("\
            select m.user_id, u.email, u.username, m.role, m.joined_at
            from (
                select user_id, role, created_at as joined_at from memberships where tenant_id = $1
                union all
                select id, 'owner', created_at from users where tenant_id = $1
            ) m
            join users u on u.id = m.user_id
            order by m.joined_at, m.user_id")
        .bind(tenant_id.as_uuid());
        let rows = self.rows("list members", statement).await?;
        let member = |row| {
            let row = Row::new(row, "memberships", "user_id");
            Ok(Member {
                user_id: UserId::from_uuid(row.get("user_id")?),
                email: row.parse("email")?,
                username: row.parse("username")?,
                role: row.parse("role")?,
                joined_at: row.time("joined_at")?,
            })
        };
        rows.iter().map(member).collect()
    }

    async fn insert(
        &mut self,
        tenant_id: TenantId,
        user_id: UserId,
        role: Role,
        at: Timestamp,
    ) -> Result<(), StorageError> {
        let statement = sql("insert into memberships (tenant_id, user_id, role, created_at) values ($1, $2, $3, $4)")
            .bind(tenant_id.as_uuid())
            .bind(user_id.as_uuid())
            .bind(role.as_str())
            .bind(at.to_sqlx());
        self.execute("insert a membership", statement).await.map(|_| ())
    }

    async fn set_role(&mut self, tenant_id: TenantId, user_id: UserId, role: Role) -> Result<bool, StorageError> {
        let statement = sql("update memberships set role = $3 where tenant_id = $1 and user_id = $2")
            .bind(tenant_id.as_uuid())
            .bind(user_id.as_uuid())
            .bind(role.as_str());
        Ok(self.execute("change a membership", statement).await? > 0)
    }

    async fn remove(&mut self, tenant_id: TenantId, user_id: UserId) -> Result<bool, StorageError> {
        let statement = sql("delete from memberships where tenant_id = $1 and user_id = $2")
            .bind(tenant_id.as_uuid())
            .bind(user_id.as_uuid());
        Ok(self.execute("end a membership", statement).await? > 0)
    }

    async fn remove_all(&mut self, tenant_id: TenantId) -> Result<u64, StorageError> {
        let statement = sql("delete from memberships where tenant_id = $1").bind(tenant_id.as_uuid());
        self.execute("end all memberships", statement).await
    }
}
