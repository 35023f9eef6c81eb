//! Sealed credentials of stores.

use async_trait::async_trait;
use shopwright_domain::{StoreId, TenantId};
use shopwright_ports::secrets::Sealed;
use shopwright_ports::storage::{CredentialRepository, StorageError};

use crate::row::Row;
use crate::transaction::{PgTransaction, sql};

#[async_trait]
impl CredentialRepository for PgTransaction {
    async fn put(&mut self, tenant_id: TenantId, store_id: &StoreId, sealed: &Sealed) -> Result<(), StorageError> {
        let statement = sql("\
            insert into store_credentials (store_id, tenant_id, key_id, sealed) values ($1, $2, $3, $4)
            on conflict (store_id) do update
            set tenant_id = excluded.tenant_id, key_id = excluded.key_id, sealed = excluded.sealed")
        .bind(store_id.as_str())
        .bind(tenant_id.as_uuid())
        .bind(&sealed.key_id)
        .bind(&sealed.bytes);
        self.execute("write sealed credentials", statement).await.map(|_| ())
    }

    async fn get(&mut self, store_id: &StoreId) -> Result<Option<Sealed>, StorageError> {
        let statement =
            sql("select store_id, key_id, sealed from store_credentials where store_id = $1").bind(store_id.as_str());
        let Some(row) = self.row("read sealed credentials", statement).await? else { return Ok(None) };
        let row = Row::new(&row, "store_credentials", "store_id");
        Ok(Some(Sealed { key_id: row.get("key_id")?, bytes: row.get("sealed")? }))
    }

    async fn version(&mut self, store_id: &StoreId) -> Result<u32, StorageError> {
        let statement =
            sql("select store_id, version from store_credentials where store_id = $1").bind(store_id.as_str());
        let Some(row) = self.row("read the version of credentials", statement).await? else { return Ok(0) };
        Row::new(&row, "store_credentials", "store_id").count("version")
    }

    async fn pending(&mut self, store_id: &StoreId) -> Result<Option<Sealed>, StorageError> {
        let statement = sql("\
            select store_id, pending_key_id, pending_sealed from store_credentials
            where store_id = $1 and pending_key_id is not null")
        .bind(store_id.as_str());
        let Some(row) = self.row("read pending credentials", statement).await? else { return Ok(None) };
        let row = Row::new(&row, "store_credentials", "store_id");
        Ok(Some(Sealed { key_id: row.get("pending_key_id")?, bytes: row.get("pending_sealed")? }))
    }

    async fn put_pending(&mut self, store_id: &StoreId, pending: Option<&Sealed>) -> Result<(), StorageError> {
        let statement =
            sql("update store_credentials set pending_key_id = $2, pending_sealed = $3 where store_id = $1")
                .bind(store_id.as_str())
                .bind(pending.map(|pending| pending.key_id.as_str()))
                .bind(pending.map(|pending| pending.bytes.as_slice()));
        self.execute("write pending credentials", statement).await.map(|_| ())
    }

    async fn promote(&mut self, store_id: &StoreId) -> Result<(), StorageError> {
        let statement = sql("\
            update store_credentials
            set key_id = pending_key_id, sealed = pending_sealed, version = version + 1,
                pending_key_id = null, pending_sealed = null
            where store_id = $1 and pending_key_id is not null")
        .bind(store_id.as_str());
        self.execute("promote pending credentials", statement).await.map(|_| ())
    }

    async fn remove(&mut self, store_id: &StoreId) -> Result<(), StorageError> {
        let statement = sql("delete from store_credentials where store_id = $1").bind(store_id.as_str());
        self.execute("remove sealed credentials", statement).await.map(|_| ())
    }
}
