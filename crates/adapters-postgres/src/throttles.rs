//! Counters of attempts and requests.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use shopwright_domain::limits::SignInFailures;
use shopwright_ports::storage::{StorageError, Throttle, ThrottleRepository};
use sqlx::postgres::PgRow;

use crate::error::internal;
use crate::row::{Row, integer};
use crate::transaction::{PgTransaction, sql};

fn throttle(row: &PgRow) -> Result<Throttle, StorageError> {
    let row = Row::new(row, "sign_in_throttles", "key");
    let failures =
        SignInFailures { count: row.count("failed_sign_ins")?, locked_until: row.time_optional("locked_until")? };
    Ok(Throttle { failures, rate: row.time_optional("rate_state")? })
}

#[async_trait]
impl ThrottleRepository for PgTransaction {
    async fn lock(&mut self, key: &[u8; 32], now: Timestamp) -> Result<Throttle, StorageError> {
        // An upsert locks the row whether or not it was there: two attempts on a new key cannot both find nothing.
        let statement = sql("\
            insert into sign_in_throttles (key, touched_at) values ($1, $2)
            on conflict (key) do update set touched_at = greatest(sign_in_throttles.touched_at, excluded.touched_at)
            returning failed_sign_ins, locked_until, rate_state")
        .bind(key.as_slice())
        .bind(now.to_sqlx());
        let row = self.row("lock a counter of sign-ins", statement).await?;
        let row = row.ok_or_else(|| internal("an upsert that gave nothing back"))?;
        throttle(&row)
    }

    async fn get(&mut self, key: &[u8; 32]) -> Result<Throttle, StorageError> {
        let statement = sql("select failed_sign_ins, locked_until, rate_state from sign_in_throttles where key = $1")
            .bind(key.as_slice());
        let row = self.row("read a counter", statement).await?;
        row.map_or(Ok(Throttle::default()), |row| throttle(&row))
    }

    async fn put(&mut self, key: &[u8; 32], throttle: Throttle) -> Result<(), StorageError> {
        let statement = sql("\
            update sign_in_throttles set failed_sign_ins = $2, locked_until = $3, rate_state = $4 where key = $1")
        .bind(key.as_slice())
        .bind(integer(throttle.failures.count)?)
        .bind(throttle.failures.locked_until.map(jiff_sqlx::ToSqlx::to_sqlx))
        .bind(throttle.rate.map(jiff_sqlx::ToSqlx::to_sqlx));
        match self.execute("write a counter of sign-ins", statement).await? {
            0 => Err(StorageError::Stale),
            _ => Ok(()),
        }
    }

    async fn purge(&mut self, before: Timestamp) -> Result<u64, StorageError> {
        let statement = sql("delete from sign_in_throttles where touched_at < $1").bind(before.to_sqlx());
        self.execute("forget counters of sign-ins", statement).await
    }
}
