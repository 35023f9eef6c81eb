//! Accounts.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use shopwright_domain::identity::Email;
use shopwright_domain::{TenantId, UserId};
use shopwright_ports::storage::{Account, StorageError, User, UserFilter, UserRepository};
use sqlx::postgres::PgRow;

use crate::row::Row;
use crate::transaction::{PgTransaction, sql};
use crate::unreadable::readable;

/// The columns of a user `u`.
macro_rules! user_columns {
    () => {
        "u.id, u.tenant_id, u.email, u.username, u.password_hash, u.role, u.active, u.created_at"
    };
}

pub(crate) use user_columns;

macro_rules! select_user {
    ($tail:literal) => {
        concat!("select ", user_columns!(), " from users u ", $tail)
    };
}

pub(crate) fn user(row: &PgRow) -> Result<User, StorageError> {
    let row = Row::new(row, "users", "id");
    Ok(User {
        id: UserId::from_uuid(row.get("id")?),
        tenant_id: TenantId::from_uuid(row.get("tenant_id")?),
        email: row.parse("email")?,
        username: row.parse("username")?,
        password_hash: row.get("password_hash")?,
        role: row.parse("role")?,
        active: row.get("active")?,
        created_at: row.time("created_at")?,
    })
}

fn account(row: &PgRow) -> Result<Account, StorageError> {
    let user = user(row)?;
    let row = Row::new(row, "users", "id");
    Ok(Account { user, sessions: row.number("sessions")?, api_tokens: row.number("api_tokens")? })
}

#[async_trait]
impl UserRepository for PgTransaction {
    async fn insert(&mut self, user: &User) -> Result<(), StorageError> {
        let statement = sql("\
            insert into users (id, tenant_id, email, username, password_hash, role, active, created_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8)")
        .bind(user.id.as_uuid())
        .bind(user.tenant_id.as_uuid())
        .bind(user.email.as_str())
        .bind(user.username.as_str())
        .bind(&user.password_hash)
        .bind(user.role.as_str())
        .bind(user.active)
        .bind(user.created_at.to_sqlx());
        self.execute("insert a user", statement).await.map(|_| ())
    }

    async fn get(&mut self, id: UserId) -> Result<Option<User>, StorageError> {
        let statement = sql(select_user!("where u.id = $1")).bind(id.as_uuid());
        self.row("read a user", statement).await?.as_ref().map(user).transpose()
    }

    async fn lock(&mut self, id: UserId) -> Result<Option<User>, StorageError> {
        let statement = sql(select_user!("where u.id = $1 for no key update")).bind(id.as_uuid());
        self.row("lock a user", statement).await?.as_ref().map(user).transpose()
    }

    async fn by_email(&mut self, email: &Email) -> Result<Option<User>, StorageError> {
        let statement = sql(select_user!("where u.email = $1")).bind(email.as_str());
        self.row("read a user by address", statement).await?.as_ref().map(user).transpose()
    }

    async fn has_admin(&mut self) -> Result<bool, StorageError> {
        let statement = sql("select 1 from users where role = 'admin' limit 1");
        Ok(self.row("look for an administrator", statement).await?.is_some())
    }

    async fn set_password_hash(&mut self, id: UserId, hash: &str) -> Result<(), StorageError> {
        let statement = sql("update users set password_hash = $2 where id = $1").bind(id.as_uuid()).bind(hash);
        match self.execute("write a password's hash", statement).await? {
            0 => Err(StorageError::Stale),
            _ => Ok(()),
        }
    }

    async fn accounts(
        &mut self,
        filter: &UserFilter,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Account>, StorageError> {
        let statement = sql(concat!(
            "select ",
            user_columns!(),
            ", (select count(*) from sessions s
                where s.user_id = u.id and s.revoked_at is null and s.expires_at > $6) as sessions,
               (select count(*) from api_tokens t
                where t.user_id = u.id and t.revoked_at is null and t.expires_at > $6) as api_tokens
            from users u
            where ($1::uuid is null or u.id = $1)
                and ($2::text is null or position($2 in u.email) > 0 or position($2 in lower(u.username)) > 0)
                and ($3::timestamptz is null or (u.created_at <= $3 and (u.created_at < $3 or u.id > $4)))
            order by u.created_at desc, u.id
            limit $5"
        ))
        .bind(filter.id.map(|id| id.as_uuid()))
        .bind(filter.search.clone())
        .bind(filter.after.map(|(at, _)| at.to_sqlx()))
        .bind(filter.after.map(|(_, id)| id.as_uuid()))
        .bind(i64::from(limit))
        .bind(now.to_sqlx());
        readable(&self.rows("list users", statement).await?, account)
    }

    async fn lock_with_administrators(&mut self, id: UserId) -> Result<Vec<User>, StorageError> {
        // One order for everybody, so that two who do this never wait for each other in a circle.
        let statement =
            sql(select_user!("where u.id = $1 or u.role = 'admin' order by u.id for no key update")).bind(id.as_uuid());
        self.rows("lock administrators", statement).await?.iter().map(user).collect()
    }

    async fn set_active(&mut self, id: UserId, active: bool) -> Result<(), StorageError> {
        let statement = sql("update users set active = $2 where id = $1").bind(id.as_uuid()).bind(active);
        match self.execute("write whether a user is active", statement).await? {
            0 => Err(StorageError::Stale),
            _ => Ok(()),
        }
    }
}
