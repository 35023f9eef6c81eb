//! Sign-ins and their refresh tokens.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use shopwright_domain::{SessionId, TenantId, UserId};
use shopwright_ports::storage::{RefreshToken, Session, SessionRepository, StorageError, User};
use sqlx::postgres::PgRow;

use crate::error::internal;
use crate::row::Row;
use crate::transaction::{PgTransaction, sql};
use crate::users::{user, user_columns};

/// The columns of a session `s`, under names that no user has.
macro_rules! session_columns {
    () => {
        "s.id as session_id, s.user_id, s.tenant_id as session_tenant_id, s.created_at as begun_at, s.last_used_at, \
         s.expires_at, s.revoked_at, s.ip_address, s.user_agent"
    };
}

fn session(row: &PgRow) -> Result<Session, StorageError> {
    let row = Row::new(row, "sessions", "session_id");
    Ok(Session {
        id: SessionId::from_uuid(row.get("session_id")?),
        user_id: UserId::from_uuid(row.get("user_id")?),
        tenant_id: TenantId::from_uuid(row.get("session_tenant_id")?),
        created_at: row.time("begun_at")?,
        last_used_at: row.time("last_used_at")?,
        expires_at: row.time("expires_at")?,
        revoked_at: row.time_optional("revoked_at")?,
        ip_address: row.get("ip_address")?,
        user_agent: row.get("user_agent")?,
    })
}

fn refresh_token(row: &PgRow) -> Result<RefreshToken, StorageError> {
    let row = Row::new(row, "refresh_tokens", "session_id");
    let nonce: Option<Vec<u8>> = row.get("nonce")?;
    let nonce: Option<[u8; 16]> =
        nonce.map(TryInto::try_into).transpose().map_err(|_| row.corrupt("nonce", "it has not 16 bytes"))?;
    let digest: Vec<u8> = row.get("digest")?;
    Ok(RefreshToken {
        digest: digest.try_into().map_err(|_| row.corrupt("digest", "it has not 32 bytes"))?,
        session_id: SessionId::from_uuid(row.get("session_id")?),
        issued_at: row.time("issued_at")?,
        expires_at: row.time("expires_at")?,
        replaced: row.time_optional("replaced_at")?.zip(nonce),
    })
}

impl PgTransaction {
    async fn insert_refresh_token(&mut self, token: &RefreshToken) -> Result<(), StorageError> {
        let statement = sql("\
            insert into refresh_tokens (digest, session_id, tenant_id, issued_at, expires_at)
            select $1, id, tenant_id, $3, $4 from sessions where id = $2")
        .bind(token.digest.as_slice())
        .bind(token.session_id.as_uuid())
        .bind(token.issued_at.to_sqlx())
        .bind(token.expires_at.to_sqlx());
        match self.execute("insert a refresh token", statement).await? {
            0 => Err(internal("the token's session is not in the database: add it first")),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl SessionRepository for PgTransaction {
    async fn insert(&mut self, session: &Session, token: &RefreshToken) -> Result<(), StorageError> {
        let statement = sql("\
            insert into sessions (id, user_id, tenant_id, created_at, last_used_at, expires_at, revoked_at, ip_address,
                                  user_agent)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(session.id.as_uuid())
        .bind(session.user_id.as_uuid())
        .bind(session.tenant_id.as_uuid())
        .bind(session.created_at.to_sqlx())
        .bind(session.last_used_at.to_sqlx())
        .bind(session.expires_at.to_sqlx())
        .bind(session.revoked_at.map(jiff_sqlx::ToSqlx::to_sqlx))
        .bind(&session.ip_address)
        .bind(&session.user_agent);
        self.execute("insert a session", statement).await?;
        self.insert_refresh_token(token).await
    }

    async fn get(&mut self, id: SessionId) -> Result<Option<(Session, User)>, StorageError> {
        let statement = sql(concat!(
            "select ",
            session_columns!(),
            ", ",
            user_columns!(),
            " from sessions s join users u on (u.tenant_id, u.id) = (s.tenant_id, s.user_id) where s.id = $1"
        ))
        .bind(id.as_uuid());
        let row = self.row("read a session", statement).await?;
        row.map(|row| Ok((session(&row)?, user(&row)?))).transpose()
    }

    async fn lock_by_token(&mut self, digest: &[u8; 32]) -> Result<Option<(Session, RefreshToken)>, StorageError> {
        // The session is the lock: who waited for it must look at the token anew.
        let lock = sql(concat!(
            "select ",
            session_columns!(),
            " from sessions s where s.id = (select session_id from refresh_tokens where digest = $1) for no key update"
        ))
        .bind(digest.as_slice());
        let Some(row) = self.row("lock a session", lock).await? else { return Ok(None) };
        let statement = sql("\
            select digest, session_id, issued_at, expires_at, replaced_at, nonce from refresh_tokens where digest = $1")
        .bind(digest.as_slice());
        let token = self.row("read a refresh token", statement).await?;
        token.map(|token| Ok((session(&row)?, refresh_token(&token)?))).transpose()
    }

    async fn rotate(
        &mut self,
        replaced: &[u8; 32],
        nonce: &[u8; 16],
        successor: &RefreshToken,
        ip_address: Option<&str>,
    ) -> Result<(), StorageError> {
        let replace = sql("\
            update refresh_tokens set replaced_at = $2, nonce = $3 where digest = $1 and replaced_at is null")
        .bind(replaced.as_slice())
        .bind(successor.issued_at.to_sqlx())
        .bind(nonce.as_slice());
        if self.execute("replace a refresh token", replace).await? == 0 {
            return Err(StorageError::Stale);
        }
        let forget = sql("delete from refresh_tokens where session_id = $1 and expires_at < $2")
            .bind(successor.session_id.as_uuid())
            .bind(successor.issued_at.to_sqlx());
        self.execute("forget expired refresh tokens", forget).await?;
        self.insert_refresh_token(successor).await?;
        let touch = sql("update sessions set last_used_at = $2, ip_address = $3 where id = $1")
            .bind(successor.session_id.as_uuid())
            .bind(successor.issued_at.to_sqlx())
            .bind(ip_address.map(str::to_owned));
        self.execute("note the use of a session", touch).await.map(|_| ())
    }

    async fn list(&mut self, user_id: UserId, now: Timestamp) -> Result<Vec<Session>, StorageError> {
        let statement = sql(concat!(
            "select ",
            session_columns!(),
            " from sessions s where s.user_id = $1 and s.revoked_at is null and s.expires_at > $2 \
             order by s.created_at desc, s.id desc"
        ))
        .bind(user_id.as_uuid())
        .bind(now.to_sqlx());
        self.rows("list sessions", statement).await?.iter().map(session).collect()
    }

    async fn revoke(&mut self, user_id: UserId, id: SessionId, now: Timestamp) -> Result<bool, StorageError> {
        let statement = sql("\
            update sessions set revoked_at = $3
            where id = $2 and user_id = $1 and revoked_at is null and expires_at > $3")
        .bind(user_id.as_uuid())
        .bind(id.as_uuid())
        .bind(now.to_sqlx());
        Ok(self.execute("end a session", statement).await? > 0)
    }

    async fn revoke_all(
        &mut self,
        user_id: UserId,
        keep: Option<SessionId>,
        now: Timestamp,
    ) -> Result<u32, StorageError> {
        let statement = sql("\
            update sessions set revoked_at = $3
            where user_id = $1 and id is distinct from $2 and revoked_at is null and expires_at > $3")
        .bind(user_id.as_uuid())
        .bind(keep.map(|id| id.as_uuid()))
        .bind(now.to_sqlx());
        let ended = self.execute("end sessions", statement).await?;
        Ok(u32::try_from(ended).unwrap_or(u32::MAX))
    }

    async fn purge(&mut self, before: Timestamp) -> Result<u64, StorageError> {
        let statement = sql("delete from sessions where least(expires_at, revoked_at) < $1").bind(before.to_sqlx());
        self.execute("forget sessions", statement).await
    }
}
