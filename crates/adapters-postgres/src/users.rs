//! Accounts.

use async_trait::async_trait;
use jiff_sqlx::ToSqlx as _;
use shopwright_domain::identity::Email;
use shopwright_domain::limits::SignInFailures;
use shopwright_domain::{TenantId, UserId};
use shopwright_ports::storage::{StorageError, User, UserRepository};
use sqlx::postgres::PgRow;

use crate::row::{Row, integer};
use crate::transaction::{PgTransaction, sql};

macro_rules! select_user {
    ($tail:literal) => {
        concat!(
            "select id, tenant_id, email, username, password_hash, role, active, failed_sign_ins, locked_until, \
             created_at from users ",
            $tail
        )
    };
}

fn user(row: &PgRow) -> Result<User, StorageError> {
    let row = Row::new(row, "users", "id");
    Ok(User {
        id: UserId::from_uuid(row.get("id")?),
        tenant_id: TenantId::from_uuid(row.get("tenant_id")?),
        email: row.parse("email")?,
        username: row.parse("username")?,
        password_hash: row.get("password_hash")?,
        role: row.parse("role")?,
        active: row.get("active")?,
        failures: SignInFailures {
            count: row.count("failed_sign_ins")?,
            locked_until: row.time_optional("locked_until")?,
        },
        created_at: row.time("created_at")?,
    })
}

#[async_trait]
impl UserRepository for PgTransaction {
    async fn insert(&mut self, user: &User) -> Result<(), StorageError> {
        let statement = sql("\
            insert into users (id, tenant_id, email, username, password_hash, role, active, failed_sign_ins,
                               locked_until, created_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
        .bind(user.id.as_uuid())
        .bind(user.tenant_id.as_uuid())
        .bind(user.email.as_str())
        .bind(user.username.as_str())
        .bind(&user.password_hash)
        .bind(user.role.as_str())
        .bind(user.active)
        .bind(integer(user.failures.count)?)
        .bind(user.failures.locked_until.map(jiff_sqlx::ToSqlx::to_sqlx))
        .bind(user.created_at.to_sqlx());
        self.execute("insert a user", statement).await.map(|_| ())
    }

    async fn get(&mut self, id: UserId) -> Result<Option<User>, StorageError> {
        let statement = sql(select_user!("where id = $1")).bind(id.as_uuid());
        self.row("read a user", statement).await?.as_ref().map(user).transpose()
    }

    async fn lock_by_email(&mut self, email: &Email) -> Result<Option<User>, StorageError> {
        let statement = sql(select_user!("where email = $1 for no key update")).bind(email.as_str());
        self.row("lock a user", statement).await?.as_ref().map(user).transpose()
    }

    async fn has_admin(&mut self) -> Result<bool, StorageError> {
        let statement = sql("select 1 from users where role = 'admin' limit 1");
        Ok(self.row("look for an administrator", statement).await?.is_some())
    }

    async fn set_failures(&mut self, id: UserId, failures: SignInFailures) -> Result<(), StorageError> {
        let statement = sql("update users set failed_sign_ins = $2, locked_until = $3 where id = $1")
            .bind(id.as_uuid())
            .bind(integer(failures.count)?)
            .bind(failures.locked_until.map(jiff_sqlx::ToSqlx::to_sqlx));
        match self.execute("write failed sign-ins", statement).await? {
            0 => Err(StorageError::Stale),
            _ => Ok(()),
        }
    }

    async fn set_password_hash(&mut self, id: UserId, hash: &str) -> Result<(), StorageError> {
        let statement = sql("update users set password_hash = $2 where id = $1").bind(id.as_uuid()).bind(hash);
        match self.execute("write a password's hash", statement).await? {
            0 => Err(StorageError::Stale),
            _ => Ok(()),
        }
    }
}
