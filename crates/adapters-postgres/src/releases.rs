//! What stores' releases were made of.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use shopwright_domain::operation::ReleaseDigests;
use shopwright_domain::plans::SizeName;
use shopwright_domain::{StoreId, TenantId};
use shopwright_ports::releases::ReleaseOrigin;
use shopwright_ports::storage::{ReleaseRepository, StorageError};

use crate::row::Row;
use crate::transaction::{PgTransaction, sql};

#[async_trait]
impl ReleaseRepository for PgTransaction {
    async fn use_origin(&mut self, digest: &str, at: Timestamp) -> Result<bool, StorageError> {
        // Once an hour is enough: everybody who installs comes by here, and would queue for the row.
        let note = sql("\
            update release_origins set used_at = $2
            where digest = $1 and used_at < $2::timestamptz - interval '1 hour'")
        .bind(digest)
        .bind(at.to_sqlx());
        self.execute("note the use of a release's origin", note).await?;
        // Looked for after that: whoever was just forgetting it has done so, or has found it in use.
        let statement = sql("select digest from release_origins where digest = $1").bind(digest);
        Ok(self.row("look for a release's origin", statement).await?.is_some())
    }

    async fn put_origin(&mut self, origin: &ReleaseOrigin, at: Timestamp) -> Result<(), StorageError> {
        let statement = sql("\
            insert into release_origins (digest, archive, used_at) values ($1, $2, $3) on conflict (digest) do nothing")
        .bind(&origin.digest)
        .bind(&*origin.archive)
        .bind(at.to_sqlx());
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
            insert into store_releases (store_id, tenant_id, origin_digest, chart_digest, values_digest, helm_digest, size)
            values ($1, $2, $3, $4, $5, $6, $7)
            on conflict (store_id) do update
            set tenant_id = excluded.tenant_id, origin_digest = excluded.origin_digest,
                chart_digest = excluded.chart_digest, values_digest = excluded.values_digest,
                helm_digest = excluded.helm_digest, size = excluded.size")
        .bind(store_id.as_str())
        .bind(tenant_id.as_uuid())
        .bind(release.origin.as_deref())
        .bind(&release.chart)
        .bind(&release.values)
        .bind(&release.helm)
        .bind(release.size.as_ref().map(SizeName::as_str));
        self.execute("keep a store's release", statement).await.map(|_| ())
    }

    async fn kept(&mut self, store_id: &StoreId) -> Result<Option<ReleaseDigests>, StorageError> {
        let statement = sql("\
            select store_id, origin_digest, chart_digest, values_digest, helm_digest, size from store_releases
            where store_id = $1")
        .bind(store_id.as_str());
        let Some(row) = self.row("read a store's release", statement).await? else { return Ok(None) };
        let row = Row::new(&row, "store_releases", "store_id");
        Ok(Some(ReleaseDigests {
            chart: row.get("chart_digest")?,
            values: row.get("values_digest")?,
            helm: row.get("helm_digest")?,
            origin: Some(row.get("origin_digest")?),
            size: row.parse_optional("size")?,
        }))
    }

    async fn purge_origins(&mut self, before: Timestamp, limit: u32) -> Result<u64, StorageError> {
        self.as_worker()?;
        // A row that somebody refers to at this very moment is locked, and is passed over.
        let statement = sql("\
            delete from release_origins
            where digest in (
                select o.digest
                from release_origins o
                where o.used_at < $1
                    and not exists (select from store_releases r where r.origin_digest = o.digest)
                    and not exists (
                        select from operations p
                        where p.origin_digest = o.digest and p.status in ('queued', 'running', 'waiting', 'stuck'))
                order by o.used_at
                limit $2
                for update of o skip locked)")
        .bind(before.to_sqlx())
        .bind(i64::from(limit));
        self.execute("forget unused origins of releases", statement).await
    }

    async fn forget(&mut self, store_id: &StoreId) -> Result<(), StorageError> {
        let statement = sql("delete from store_releases where store_id = $1").bind(store_id.as_str());
        self.execute("forget a store's release", statement).await.map(|_| ())
    }
}
