//! Keys that sign access tokens.

use async_trait::async_trait;
use jiff_sqlx::ToSqlx as _;
use shopwright_ports::secrets::Sealed;
use shopwright_ports::storage::{SealedKey, SigningKeyRepository, StorageError};

use crate::row::Row;
use crate::transaction::{PgTransaction, sql};

#[async_trait]
impl SigningKeyRepository for PgTransaction {
    async fn lock_all(&mut self) -> Result<Vec<SealedKey>, StorageError> {
        // Rows cannot be locked while there are none: two replicas that start on an empty table would both make a key.
        let lock = sql("select pg_advisory_xact_lock(hashtextextended('signing_keys', 0))");
        self.execute("lock the signing keys", lock).await?;
        self.all().await
    }

    async fn all(&mut self) -> Result<Vec<SealedKey>, StorageError> {
        let statement = sql("\
            select id, key_id, sealed, created_at, activates_at from signing_keys order by activates_at desc, id desc");
        let rows = self.rows("read the signing keys", statement).await?;
        let key = |row| {
            let row = Row::new(row, "signing_keys", "id");
            Ok(SealedKey {
                id: row.get("id")?,
                sealed: Sealed { key_id: row.get("key_id")?, bytes: row.get("sealed")? },
                created_at: row.time("created_at")?,
                activates_at: row.time("activates_at")?,
            })
        };
        rows.iter().map(key).collect()
    }

    async fn insert(&mut self, key: &SealedKey) -> Result<(), StorageError> {
        let statement = sql("\
            insert into signing_keys (id, key_id, sealed, created_at, activates_at) values ($1, $2, $3, $4, $5)")
        .bind(&key.id)
        .bind(&key.sealed.key_id)
        .bind(&key.sealed.bytes)
        .bind(key.created_at.to_sqlx())
        .bind(key.activates_at.to_sqlx());
        self.execute("insert a signing key", statement).await.map(|_| ())
    }

    async fn remove(&mut self, id: &str) -> Result<(), StorageError> {
        let statement = sql("delete from signing_keys where id = $1").bind(id.to_owned());
        self.execute("remove a signing key", statement).await.map(|_| ())
    }
}
