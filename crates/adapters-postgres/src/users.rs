//! Accounts.

use async_trait::async_trait;
use jiff_sqlx::ToSqlx as _;
use shopwright_domain::identity::Email;
use shopwright_domain::{TenantId, UserId};
use shopwright_ports::storage::{StorageError, User, UserRepository};
use sqlx::postgres::PgRow;

use crate::row::Row;
use crate::transaction::{PgTransaction, sql};

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
}
