//! What programs sign in with.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use shopwright_domain::{ApiTokenId, Scope, TenantId, UserId};
use shopwright_ports::storage::{ApiToken, ApiTokenRepository, StorageError, User};
use sqlx::postgres::PgRow;

use crate::row::Row;
use crate::transaction::{PgTransaction, sql};
use crate::users::{user, user_columns};

/// The columns of a token `t`, under names that no user has.
macro_rules! token_columns {
    () => {
        "t.id as token_id, t.user_id, t.tenant_id as token_tenant_id, t.name, \
         coalesce(t.acts_in, t.tenant_id) as acts_in, t.prefix, t.digest, t.scopes, \
         t.created_at as made_at, t.expires_at, t.last_used_at, t.revoked_at"
    };
}

fn api_token(row: &PgRow) -> Result<ApiToken, StorageError> {
    let row = Row::new(row, "api_tokens", "token_id");
    let digest: Vec<u8> = row.get("digest")?;
    let scopes: Vec<String> = row.get("scopes")?;
    let scopes: Result<BTreeSet<Scope>, _> = scopes.iter().map(|scope| scope.parse()).collect();
    Ok(ApiToken {
        id: ApiTokenId::from_uuid(row.get("token_id")?),
        user_id: UserId::from_uuid(row.get("user_id")?),
        tenant_id: TenantId::from_uuid(row.get("token_tenant_id")?),
        acts_in: TenantId::from_uuid(row.get("acts_in")?),
        name: row.get("name")?,
        prefix: row.get("prefix")?,
        digest: digest.try_into().map_err(|_| row.corrupt("digest", "it has not 32 bytes"))?,
        scopes: scopes.map_err(|error| row.corrupt("scopes", error))?,
        created_at: row.time("made_at")?,
        expires_at: row.time("expires_at")?,
        last_used_at: row.time_optional("last_used_at")?,
        revoked_at: row.time_optional("revoked_at")?,
    })
}

#[async_trait]
impl ApiTokenRepository for PgTransaction {
    async fn insert(&mut self, token: &ApiToken) -> Result<(), StorageError> {
        let statement = sql("\
            insert into api_tokens (id, user_id, tenant_id, name, prefix, digest, scopes, created_at, expires_at,
                                    last_used_at, revoked_at, acts_in)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)")
        .bind(token.id.as_uuid())
        .bind(token.user_id.as_uuid())
        .bind(token.tenant_id.as_uuid())
        .bind(&token.name)
        .bind(&token.prefix)
        .bind(token.digest.as_slice())
        .bind(token.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>())
        .bind(token.created_at.to_sqlx())
        .bind(token.expires_at.to_sqlx())
        .bind(token.last_used_at.map(jiff_sqlx::ToSqlx::to_sqlx))
        .bind(token.revoked_at.map(jiff_sqlx::ToSqlx::to_sqlx))
        .bind(token.acts_in.as_uuid());
        self.execute("insert an API token", statement).await.map(|_| ())
    }

    async fn by_digest(&mut self, digest: &[u8; 32]) -> Result<Option<(ApiToken, User)>, StorageError> {
        let statement = sql(concat!(
            "select ",
            token_columns!(),
            ", ",
            user_columns!(),
            " from api_tokens t join users u on (u.tenant_id, u.id) = (t.tenant_id, t.user_id) where t.digest = $1"
        ))
        .bind(digest.as_slice());
        let row = self.row("read an API token", statement).await?;
        row.map(|row| Ok((api_token(&row)?, user(&row)?))).transpose()
    }

    async fn note_use(&mut self, id: ApiTokenId, now: Timestamp, unless_since: Timestamp) -> Result<(), StorageError> {
        // Who meets another who writes the same leaves it to them.
        let statement = sql("\
            update api_tokens set last_used_at = $2
            where id = (select id from api_tokens where id = $1 and coalesce(last_used_at < $3, true)
                        for no key update skip locked)")
        .bind(id.as_uuid())
        .bind(now.to_sqlx())
        .bind(unless_since.to_sqlx());
        self.execute("note the use of an API token", statement).await.map(|_| ())
    }

    async fn lock_of(&mut self, user_id: UserId) -> Result<Vec<ApiToken>, StorageError> {
        let lock = sql("select 1 from users where id = $1 for no key update").bind(user_id.as_uuid());
        self.row("lock a user", lock).await?;
        self.list(user_id).await
    }

    async fn list(&mut self, user_id: UserId) -> Result<Vec<ApiToken>, StorageError> {
        let statement = sql(concat!(
            "select ",
            token_columns!(),
            " from api_tokens t where t.user_id = $1 and t.revoked_at is null order by t.created_at desc, t.id desc"
        ))
        .bind(user_id.as_uuid());
        self.rows("list API tokens", statement).await?.iter().map(api_token).collect()
    }

    async fn revoke(
        &mut self,
        user_id: UserId,
        id: ApiTokenId,
        now: Timestamp,
    ) -> Result<Option<ApiToken>, StorageError> {
        let statement = sql(concat!(
            "update api_tokens t set revoked_at = $3 where t.id = $2 and t.user_id = $1 and t.revoked_at is null returning ",
            token_columns!()
        ))
        .bind(user_id.as_uuid())
        .bind(id.as_uuid())
        .bind(now.to_sqlx());
        self.row("revoke an API token", statement).await?.as_ref().map(api_token).transpose()
    }

    async fn revoke_all(&mut self, user_id: UserId, now: Timestamp) -> Result<u32, StorageError> {
        let statement = sql("\
            update api_tokens set revoked_at = $2 where user_id = $1 and revoked_at is null and expires_at > $2")
        .bind(user_id.as_uuid())
        .bind(now.to_sqlx());
        let revoked = self.execute("revoke API tokens", statement).await?;
        Ok(u32::try_from(revoked).unwrap_or(u32::MAX))
    }

    async fn purge(&mut self, before: Timestamp) -> Result<u64, StorageError> {
        let statement = sql("delete from api_tokens where least(expires_at, revoked_at) < $1").bind(before.to_sqlx());
        self.execute("forget API tokens", statement).await
    }
}
