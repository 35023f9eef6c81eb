//! Stores.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use shopwright_domain::store::{Failure, Store, StoreHost, StoreName, StoreUrls};
use shopwright_domain::{Epoch, RowVersion, StoreId, TenantId, UserId};
use shopwright_ports::storage::{Page, StorageError, StoreFilter, StorePlace, StoreRepository, StoreSort};
use sqlx::postgres::PgRow;

use crate::error::internal;
use crate::row::{Row, integer, micros};
use crate::transaction::{PgTransaction, Sql, sql};
use crate::unreadable::readable;

macro_rules! select_store {
    ($tail:literal) => {
        concat!("select ", $crate::stores::store_columns!(), " from stores ", $tail)
    };
}

macro_rules! store_columns {
    () => {
        "id, tenant_id, owner_id, cluster, name, host, engine, theme, state, epoch, row_version, retry_count, \
         failure_code, failure_detail, storefront_url, admin_url, engine_note, created_at, updated_at, \
         provisioning_started_at, provisioning_duration_us, ready_at, deleted_at"
    };
}
pub(crate) use store_columns;

// What a list holds. Without a state, deleted stores are left out.
macro_rules! matching {
    () => {
        "($1::uuid is null or tenant_id = $1)
            and ($2::uuid is null or owner_id = $2)
            and (case when $3::text is null then state <> 'deleted' else state = $3 end)
            and ($4::text is null or engine = $4)
            and ($5::text is null or position($5 in name) > 0)"
    };
}

// How many match in all, counted: for questions that no total is kept for.
macro_rules! counted {
    () => {
        concat!("(select count(*) from stores where ", matching!(), ")")
    };
}

// How many match in all, as it is kept per tenant, engine and state.
macro_rules! kept {
    () => {
        "(select coalesce(sum(stores), 0)::bigint from store_totals
          where ($1::uuid is null or tenant_id = $1)
              and (case when $3::text is null then state <> 'deleted' else state = $3 end)
              and ($4::text is null or engine = $4))"
    };
}

// A page behind a place, and how many match in all. The place is a time or name, as wide as the index goes, and within equals an id.
macro_rules! select_page {
    ($total:expr, $behind:literal, $order:literal) => {
        concat!(
            "select ",
            store_columns!(),
            ", ",
            $total,
            " as total from stores where ",
            matching!(),
            " and ($6::",
            $behind,
            ") order by ",
            $order,
            " limit $8 offset $9"
        )
    };
}

macro_rules! select_page_by {
    ($sort:expr, $total:expr) => {
        match $sort {
            StoreSort::Newest => select_page!(
                $total,
                "timestamptz is null or (created_at <= $6 and (created_at < $6 or id > $7))",
                "created_at desc, id"
            ),
            StoreSort::Oldest => select_page!(
                $total,
                "timestamptz is null or (created_at >= $6 and (created_at > $6 or id < $7))",
                "created_at, id desc"
            ),
            StoreSort::Name => select_page!(
                $total,
                "text is null or (name collate \"C\" >= $6 and (name collate \"C\" > $6 or id > $7))",
                "name collate \"C\", id"
            ),
            StoreSort::NameBackwards => select_page!(
                $total,
                "text is null or (name collate \"C\" <= $6 and (name collate \"C\" < $6 or id < $7))",
                "name collate \"C\" desc, id desc"
            ),
        }
    };
}

fn bind_filter(statement: Sql<'static>, filter: &StoreFilter) -> Sql<'static> {
    statement
        .bind(filter.tenant_id.map(|id| id.as_uuid()))
        .bind(filter.owner_id.map(|id| id.as_uuid()))
        .bind(filter.state.map(shopwright_domain::store::StoreState::as_str))
        .bind(filter.engine.as_ref().map(ToString::to_string))
        .bind(filter.search.clone())
}

pub(crate) fn store(row: &PgRow) -> Result<Store, StorageError> {
    let row = Row::new(row, "stores", "id");
    let storefront = row.get::<Option<String>>("storefront_url")?;
    let admin = row.get::<Option<String>>("admin_url")?;
    Ok(Store {
        id: row.parse("id")?,
        tenant_id: TenantId::from_uuid(row.get("tenant_id")?),
        owner_id: UserId::from_uuid(row.get("owner_id")?),
        cluster: row.parse("cluster")?,
        name: row.parse("name")?,
        host: row.parse("host")?,
        engine: row.parse("engine")?,
        theme: row.parse_optional("theme")?,
        state: row.parse("state")?,
        epoch: Epoch(row.get("epoch")?),
        row_version: RowVersion(row.get("row_version")?),
        retry_count: row.count("retry_count")?,
        failure: row.failure()?,
        urls: storefront.zip(admin).map(|(storefront, admin)| StoreUrls { storefront, admin }),
        engine_note: row.get("engine_note")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        provisioning_started_at: row.time_optional("provisioning_started_at")?,
        provisioning_duration: row.micros_optional("provisioning_duration_us")?,
        ready_at: row.time_optional("ready_at")?,
        deleted_at: row.time_optional("deleted_at")?,
    })
}

/// Binds, from the first place on, what a row holds besides epoch, version and the time it was made.
fn bind_store<'q>(statement: Sql<'q>, store: &'q Store) -> Result<Sql<'q>, StorageError> {
    let failure = store.failure.as_ref();
    let urls = store.urls.as_ref();
    Ok(statement
        .bind(store.id.as_str())
        .bind(store.tenant_id.as_uuid())
        .bind(store.owner_id.as_uuid())
        .bind(store.cluster.as_str())
        .bind(store.name.as_str())
        .bind(store.host.as_str())
        .bind(store.engine.as_str())
        .bind(store.theme.as_ref().map(shopwright_domain::store::ThemeName::as_str))
        .bind(store.state.as_str())
        .bind(integer(store.retry_count)?)
        .bind(failure.map(|failure| failure.code.as_str()))
        .bind(failure.map(|Failure { detail, .. }| detail.as_str()))
        .bind(urls.map(|urls| urls.storefront.as_str()))
        .bind(urls.map(|urls| urls.admin.as_str()))
        .bind(store.engine_note.as_deref())
        .bind(store.updated_at.to_sqlx())
        .bind(store.provisioning_started_at.map(jiff_sqlx::ToSqlx::to_sqlx))
        .bind(store.provisioning_duration.map(micros))
        .bind(store.ready_at.map(jiff_sqlx::ToSqlx::to_sqlx))
        .bind(store.deleted_at.map(jiff_sqlx::ToSqlx::to_sqlx))
        .bind(store.row_version.0))
}

#[async_trait]
impl StoreRepository for PgTransaction {
    async fn insert(&mut self, store: &Store) -> Result<(), StorageError> {
        let statement = sql("\
            insert into stores (id, tenant_id, owner_id, cluster, name, host, engine, theme, state, retry_count,
                                failure_code, failure_detail, storefront_url, admin_url, engine_note, updated_at,
                                provisioning_started_at, provisioning_duration_us, ready_at, deleted_at, row_version,
                                epoch, created_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                    $22, $23)");
        let statement = bind_store(statement, store)?.bind(store.epoch.0).bind(store.created_at.to_sqlx());
        self.execute("insert a store", statement).await?;
        self.touched.store(&store.id);
        Ok(())
    }

    async fn get(&mut self, id: &StoreId) -> Result<Option<Store>, StorageError> {
        let statement = sql(select_store!("where id = $1")).bind(id.as_str());
        self.row("read a store", statement).await?.as_ref().map(store).transpose()
    }

    async fn lock(&mut self, id: &StoreId) -> Result<Option<Store>, StorageError> {
        let statement = sql(select_store!("where id = $1 for no key update")).bind(id.as_str());
        self.row("lock a store", statement).await?.as_ref().map(store).transpose()
    }

    async fn live_by_name(&mut self, tenant_id: TenantId, name: &StoreName) -> Result<Option<Store>, StorageError> {
        let statement = sql(select_store!("where tenant_id = $1 and name = $2 and state <> 'deleted'"))
            .bind(tenant_id.as_uuid())
            .bind(name.as_str());
        self.row("read a store by name", statement).await?.as_ref().map(store).transpose()
    }

    async fn host_is_free(&mut self, host: &StoreHost, released_before: Timestamp) -> Result<bool, StorageError> {
        let statement = sql("select host_is_free($1, $2) as free").bind(host.as_str()).bind(released_before.to_sqlx());
        let row = self.row("look whether a host is free", statement).await?;
        let row = row.ok_or_else(|| internal("looking whether a host is free has no answer"))?;
        Row::new(&row, "stores", "host").get("free")
    }

    async fn count_live(&mut self, tenant_id: TenantId) -> Result<u32, StorageError> {
        let statement = sql("select count(*) as total from stores where tenant_id = $1 and state <> 'deleted'")
            .bind(tenant_id.as_uuid());
        let total = self.total("count a tenant's stores", statement).await?;
        Ok(u32::try_from(total).unwrap_or(u32::MAX))
    }

    async fn save(&mut self, store: &mut Store) -> Result<(), StorageError> {
        let statement = sql("\
            update stores
            set owner_id = $3, cluster = $4, name = $5, host = $6, engine = $7, theme = $8, state = $9,
                retry_count = $10, failure_code = $11, failure_detail = $12, storefront_url = $13, admin_url = $14,
                engine_note = $15, updated_at = $16, provisioning_started_at = $17, provisioning_duration_us = $18,
                ready_at = $19, deleted_at = $20, row_version = row_version + 1
            where id = $1 and tenant_id = $2 and row_version = $21");
        let statement = bind_store(statement, store)?;
        if self.execute("save a store", statement).await? == 0 {
            Err(StorageError::Stale)
        } else {
            store.row_version = store.row_version.next();
            self.touched.store(&store.id);
            Ok(())
        }
    }

    async fn raise_epoch(&mut self, id: &StoreId) -> Result<Epoch, StorageError> {
        let statement = sql("update stores set epoch = epoch + 1 where id = $1 returning id, epoch").bind(id.as_str());
        // Whoever held a lease is out.
        self.fenced = None;
        let row = self.row("raise a store's epoch", statement).await?.ok_or(StorageError::Stale)?;
        Row::new(&row, "stores", "id").get("epoch").map(Epoch)
    }

    async fn list(&mut self, filter: &StoreFilter, page: Page) -> Result<(Vec<Store>, u64), StorageError> {
        // Two answers in one: a list is the most frequent question there is.
        let statement = if filter.owner_id.is_none() && filter.search.is_none() {
            select_page_by!(filter.sort, kept!())
        } else {
            select_page_by!(filter.sort, counted!())
        };
        let statement = bind_place(bind_filter(sql(statement), filter), filter)?;
        let statement = statement.bind(i64::from(page.limit)).bind(i64::from(page.offset));
        let rows = self.rows("list stores", statement).await?;
        let total = match rows.first() {
            Some(row) => total_of(row)?,
            // An empty page has no row to say it.
            None => {
                self.total("count stores", bind_filter(sql(concat!("select ", counted!(), " as total")), filter))
                    .await?
            }
        };
        Ok((readable(&rows, store)?, total))
    }
}

fn total_of(row: &PgRow) -> Result<u64, StorageError> {
    let total: i64 = Row::new(row, "count", "total").get("total")?;
    Ok(u64::try_from(total).unwrap_or(0))
}

/// Binds the place behind which the page begins: its time or name, and its id.
fn bind_place(statement: Sql<'static>, filter: &StoreFilter) -> Result<Sql<'static>, StorageError> {
    let by_time = matches!(filter.sort, StoreSort::Newest | StoreSort::Oldest);
    match &filter.after {
        None if by_time => Ok(statement.bind(None::<jiff_sqlx::Timestamp>).bind(None::<String>)),
        None => Ok(statement.bind(None::<String>).bind(None::<String>)),
        Some(StorePlace::Time(at, id)) if by_time => Ok(statement.bind(at.to_sqlx()).bind(id.to_string())),
        Some(StorePlace::Name(name, id)) if !by_time => {
            Ok(statement.bind(name.as_str().to_owned()).bind(id.to_string()))
        }
        Some(_) => Err(internal("a page begins at a place of another order")),
    }
}

impl PgTransaction {
    /// The number in the column `total`.
    pub(crate) async fn total(&mut self, what: &str, statement: Sql<'_>) -> Result<u64, StorageError> {
        let row = self.row(what, statement).await?.ok_or_else(|| internal("a count has no answer"))?;
        total_of(&row)
    }
}
