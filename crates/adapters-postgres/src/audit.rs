//! The audit trail.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff_sqlx::ToSqlx as _;
use serde_json::{Map, Value};
use shopwright_domain::audit::{AuditEvent, ChainDigest, ChainHead, MetadataValue};
use shopwright_domain::identity::Credential;
use shopwright_domain::{ApiTokenId, Epoch, OperationId, SessionId, TenantId, UserId};
use shopwright_ports::storage::{AuditEntry, AuditFilter, AuditRepository, Page, StorageError};
use sqlx::postgres::PgRow;

use crate::error::internal;
use crate::row::Row;
use crate::tenants::turn;
use crate::transaction::{PgTransaction, Sql, sql};
use crate::unreadable::readable;

// The same conditions for the page and for the count.
macro_rules! filtered {
    ($head:expr, $tail:expr) => {
        concat!(
            $head,
            " where ($1::uuid is null or e.tenant_id = $1)
                and ($2::text is null or e.store_id = $2)
                and (not $3 or e.store_id is not null)
                and ($4::text is null or e.event_type = $4)
                and ($5::uuid is null or e.actor_id = $5)
                and ($6::uuid is null or e.operation_id = $6)
                and ($7::timestamptz is null or e.at >= $7)
                and ($8::timestamptz is null or e.at < $8) ",
            $tail
        )
    };
}

macro_rules! with_entries {
    () => {
        "select e.tenant_id, e.sequence, e.store_id, e.operation_id, e.event_type, e.previous_state, e.new_state, \
         e.message, e.metadata, e.before, e.after, e.actor_id, e.actor_email, e.session_id, e.api_token_id, e.ip_address, \
         e.request_id, e.epoch, e.at, e.digest, s.name as store_name \
         from audit_events e left join stores s on s.id = e.store_id"
    };
}

macro_rules! select_entries {
    ($behind:literal, $order:literal) => {
        filtered!(
            with_entries!(),
            concat!("and ($9::bigint is null or ", $behind, ") order by ", $order, " limit $12 offset $13")
        )
    };
}

fn bind_filter(statement: Sql<'static>, filter: &AuditFilter) -> Sql<'static> {
    statement
        .bind(filter.tenant_id.map(|id| id.as_uuid()))
        .bind(filter.store_id.as_ref().map(ToString::to_string))
        .bind(filter.of_stores)
        .bind(filter.event_type.clone())
        .bind(filter.actor.map(|id| id.as_uuid()))
        .bind(filter.operation_id.map(|id| id.as_uuid()))
        .bind(filter.from.map(jiff_sqlx::ToSqlx::to_sqlx))
        .bind(filter.until.map(jiff_sqlx::ToSqlx::to_sqlx))
}

fn entry(row: &PgRow) -> Result<AuditEntry, StorageError> {
    let row = Row::new(row, "audit_events", "tenant_id");
    let sequence: i64 = row.get("sequence")?;
    let session = row.get::<Option<_>>("session_id")?.map(|id| Credential::Session(SessionId::from_uuid(id)));
    let token = row.get::<Option<_>>("api_token_id")?.map(|id| Credential::ApiToken(ApiTokenId::from_uuid(id)));
    let event = AuditEvent {
        tenant_id: TenantId::from_uuid(row.get("tenant_id")?),
        store_id: row.parse_optional("store_id")?,
        operation_id: row.get::<Option<_>>("operation_id")?.map(OperationId::from_uuid),
        event_type: row.parse("event_type")?,
        previous: row.parse_optional("previous_state")?,
        new: row.parse_optional("new_state")?,
        message: row.get("message")?,
        metadata: values(&row, "metadata")?,
        before: values(&row, "before")?,
        after: values(&row, "after")?,
        actor: row.get::<Option<_>>("actor_id")?.map(UserId::from_uuid),
        actor_email: row.get("actor_email")?,
        credential: session.or(token),
        ip_address: row.get("ip_address")?,
        request_id: row.parse_optional("request_id")?,
        epoch: row.get::<Option<_>>("epoch")?.map(Epoch),
        at: row.time("at")?,
    };
    Ok(AuditEntry {
        sequence: u64::try_from(sequence).map_err(|error| row.corrupt("sequence", error))?,
        event,
        digest: digest(&row, "digest")?,
        store_name: row.parse_optional("store_name")?,
    })
}

fn digest(row: &Row<'_>, column: &'static str) -> Result<ChainDigest, StorageError> {
    let bytes: Vec<u8> = row.get(column)?;
    bytes.try_into().map(ChainDigest).map_err(|_| row.corrupt(column, "it has not 32 bytes"))
}

fn head(row: &PgRow) -> Result<ChainHead, StorageError> {
    let row = Row::new(row, "tenants", "id");
    let sequence: i64 = row.get("audit_head")?;
    Ok(ChainHead {
        tenant_id: TenantId::from_uuid(row.get("id")?),
        sequence: u64::try_from(sequence).map_err(|error| row.corrupt("audit_head", error))?,
        digest: digest(&row, "audit_digest")?,
    })
}

fn values(row: &Row<'_>, column: &'static str) -> Result<BTreeMap<String, MetadataValue>, StorageError> {
    let unreadable = |found: &Value| row.corrupt(column, format!("{found} is no text, whole number or truth value"));
    let value: Value = row.get(column)?;
    let Value::Object(entries) = value else { return Err(unreadable(&value)) };
    let read = |(key, value): (String, Value)| {
        let value = match value {
            Value::String(text) => MetadataValue::Text(text),
            Value::Bool(flag) => MetadataValue::Flag(flag),
            other => MetadataValue::Number(other.as_i64().ok_or_else(|| unreadable(&other))?),
        };
        Ok((key, value))
    };
    entries.into_iter().map(read).collect()
}

fn json(metadata: &BTreeMap<String, MetadataValue>) -> Value {
    let value = |value: &MetadataValue| match value {
        MetadataValue::Text(text) => Value::from(text.as_str()),
        MetadataValue::Number(number) => Value::from(*number),
        MetadataValue::Flag(flag) => Value::from(*flag),
    };
    Value::Object(metadata.iter().map(|(key, entry)| (key.clone(), value(entry))).collect::<Map<_, _>>())
}

#[async_trait]
impl AuditRepository for PgTransaction {
    async fn append(&mut self, event: &AuditEvent) -> Result<(), StorageError> {
        // The chain's head is locked until the transaction ends: the next event cannot take its number before this one is visible. The
        // digest is the database's work, so that nobody can append without one.
        let statement = sql(concat!("\
            with head as (
                update tenants set audit_head = audit_head + 1 from ", turn!("$1"), " where id = $1 returning id, audit_head
            ),
            entry as (
                insert into audit_events (tenant_id, sequence, store_id, operation_id, event_type, previous_state,
                                          new_state, message, metadata, actor_id, actor_email, ip_address, request_id,
                                          epoch, at, before, after, session_id, api_token_id)
                select $1, audit_head, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18 from head
            )
            select id, audit_head from head"))
        .bind(event.tenant_id.as_uuid())
        .bind(event.store_id.as_ref().map(shopwright_domain::StoreId::as_str))
        .bind(event.operation_id.map(|id| id.as_uuid()))
        .bind(event.event_type.as_str())
        .bind(event.previous.map(shopwright_domain::store::StoreState::as_str))
        .bind(event.new.map(shopwright_domain::store::StoreState::as_str))
        .bind(&event.message)
        .bind(json(&event.metadata))
        .bind(event.actor.map(|id| id.as_uuid()))
        .bind(event.actor_email.as_deref())
        .bind(event.ip_address.as_deref())
        .bind(event.request_id.as_ref().map(shopwright_domain::RequestId::as_str))
        .bind(event.epoch.map(|epoch| epoch.0))
        .bind(event.at.to_sqlx())
        .bind(json(&event.before))
        .bind(json(&event.after))
        .bind(event.credential.and_then(Credential::session).map(|id| id.as_uuid()))
        .bind(event.credential.and_then(Credential::api_token).map(|id| id.as_uuid()));
        // Identity may not read what it has added: the number is the head's.
        let row = self.row("append an audit event", statement).await?;
        let row = row.ok_or_else(|| internal("the event's tenant is not in the database: add it first"))?;
        if event.store_id.is_some() {
            self.touched.entry(event.tenant_id, Row::new(&row, "tenants", "id").get("audit_head")?);
        }
        Ok(())
    }

    async fn list(&mut self, filter: &AuditFilter, page: Page) -> Result<(Vec<AuditEntry>, u64), StorageError> {
        let entries = self.entries(filter, page).await?;
        let count = bind_filter(sql(filtered!("select count(*) as total from audit_events e", "")), filter);
        Ok((entries, self.total("count audit events", count).await?))
    }

    async fn entries(&mut self, filter: &AuditFilter, page: Page) -> Result<Vec<AuditEntry>, StorageError> {
        // In a chain the number is the order; across chains there is none but the time. The parameters are typed where they are not used.
        let select = if filter.is_by_number() {
            select_entries!(
                "((e.sequence, e.tenant_id) < ($9, $10) and ($11::timestamptz is not null))",
                "e.sequence desc, e.tenant_id desc"
            )
        } else {
            select_entries!(
                "(e.at, e.sequence, e.tenant_id) < ($11, $9, $10)",
                "e.at desc, e.sequence desc, e.tenant_id desc"
            )
        };
        let place = filter.after;
        let sequence = place.map(|place| i64::try_from(place.sequence).unwrap_or(i64::MAX));
        let statement = bind_filter(sql(select), filter)
            .bind(sequence)
            .bind(place.map(|place| place.tenant_id.as_uuid()))
            .bind(place.map(|place| place.at.to_sqlx()))
            .bind(i64::from(page.limit))
            .bind(i64::from(page.offset));
        readable(&self.rows("list audit events", statement).await?, entry)
    }

    async fn heads(&mut self, after: Option<TenantId>, limit: u32) -> Result<Vec<ChainHead>, StorageError> {
        let statement = sql("\
            select id, audit_head, audit_digest from tenants where $1::uuid is null or id > $1 order by id limit $2")
        .bind(after.map(|id| id.as_uuid()))
        .bind(i64::from(limit));
        self.rows("read the ends of chains", statement).await?.iter().map(head).collect()
    }

    async fn head(&mut self, tenant_id: TenantId) -> Result<Option<ChainHead>, StorageError> {
        let statement = sql("select id, audit_head, audit_digest from tenants where id = $1").bind(tenant_id.as_uuid());
        self.row("read the end of a chain", statement).await?.as_ref().map(head).transpose()
    }

    async fn chain(&mut self, tenant_id: TenantId, after: u64, limit: u32) -> Result<Vec<AuditEntry>, StorageError> {
        let statement =
            sql(concat!(with_entries!(), " where e.tenant_id = $1 and e.sequence > $2 order by e.sequence limit $3"))
                .bind(tenant_id.as_uuid())
                .bind(i64::try_from(after).unwrap_or(i64::MAX))
                .bind(i64::from(limit));
        self.rows("read a chain", statement).await?.iter().map(entry).collect()
    }

    async fn beyond(&mut self, tenant_id: TenantId) -> Result<Option<u64>, StorageError> {
        let statement = sql("\
            select e.tenant_id, e.sequence
            from tenants t join audit_events e on e.tenant_id = t.id and e.sequence > t.audit_head
            where t.id = $1 order by e.sequence limit 1")
        .bind(tenant_id.as_uuid());
        let Some(row) = self.row("look behind the end of a chain", statement).await? else { return Ok(None) };
        let sequence: i64 = Row::new(&row, "audit_events", "tenant_id").get("sequence")?;
        Ok(u64::try_from(sequence).ok())
    }
}
