//! What stores' releases were made of.

use async_trait::async_trait;
use shopwright_domain::operation::ReleaseDigests;
use shopwright_domain::{StoreId, TenantId};
use shopwright_ports::releases::ReleaseOrigin;
use shopwright_ports::storage::{ReleaseRepository, StorageError};

use crate::row::Row;
use crate::transaction::{PgTransaction, sql};

#[async_trait]
impl ReleaseRepository for PgTransaction {
    async fn has_origin(&mut self, digest: &str) -> Result<bool, StorageError> {
        let statement = sql("select digest from release_origins where digest = $1").bind(digest);
        Ok(self.row("look for a release's origin", statement).await?.is_some())
    }

    async fn put_origin(&mut self, origin: &ReleaseOrigin) -> Result<(), StorageError> {
        let statement =
            sql("insert into release_origins (digest, archive) values ($1, $2) on conflict (digest) do nothing")
                .bind(&origin.digest)
                .bind(&*origin.archive);
        self.execute("keep a release's origin", statement).await.map(|_| ())
    }

    async fn origin(&mut self, digest: &str) -> Result<Option<ReleaseOrigin>, StorageError> {
        let statement = sql("select digest, archive from release_origins where digest = $1").bind(digest);
        let Some(row) = self.row("read a release's origin", statement).await? else { return Ok(None) };
        let row = Row::new(&row, "release_origins", "digest");
        let archive: Vec<u8> = row.get("archive")?;
        Ok(Some(ReleaseOrigin { digest: row.get("digest")?, archive: archive.into() }))
    }

    async fn keep(
        &mut self,
        tenant_id: TenantId,
        store_id: &StoreId,
        release: &ReleaseDigests,
    ) -> Result<(), StorageError> {
        let statement = sql("\
            insert into store_releases (store_id, tenant_id, origin_digest, chart_digest, values_digest, helm_digest)
            values ($1, $2, $3, $4, $5, $6)
            on conflict (store_id) do update
            set tenant_id = excluded.tenant_id, origin_digest = excluded.origin_digest,
                chart_digest = excluded.chart_digest, values_digest = excluded.values_digest,
                helm_digest = excluded.helm_digest")
        .bind(store_id.as_str())
        .bind(tenant_id.as_uuid())
        .bind(release.origin.as_deref())
        .bind(&release.chart)
        .bind(&release.values)
        .bind(&release.helm);
        self.execute("keep a store's release", statement).await.map(|_| ())
    }

    async fn kept(&mut self, store_id: &StoreId) -> Result<Option<ReleaseDigests>, StorageError> {
        let statement = sql("\
            select store_id, origin_digest, chart_digest, values_digest, helm_digest from store_releases
            where store_id = $1")
        .bind(store_id.as_str());
        let Some(row) = self.row("read a store's release", statement).await? else { return Ok(None) };
        let row = Row::new(&row, "store_releases", "store_id");
        Ok(Some(ReleaseDigests {
            chart: row.get("chart_digest")?,
            values: row.get("values_digest")?,
            helm: row.get("helm_digest")?,
            origin: Some(row.get("origin_digest")?),
        }))
    }

    async fn forget(&mut self, store_id: &StoreId) -> Result<(), StorageError> {
        let statement = sql("delete from store_releases where store_id = $1").bind(store_id.as_str());
        self.execute("forget a store's release", statement).await.map(|_| ())
    }
}
