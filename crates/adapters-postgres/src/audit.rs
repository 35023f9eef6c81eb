//! The audit trail.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff_sqlx::ToSqlx as _;
use serde_json::{Map, Value};
use shopwright_domain::audit::{AuditEvent, MetadataValue};
use shopwright_domain::{Epoch, OperationId, TenantId, UserId};
use shopwright_ports::storage::{AuditEntry, AuditFilter, AuditRepository, Page, StorageError};
use sqlx::postgres::PgRow;

use crate::error::internal;
use crate::row::Row;
use crate::transaction::{PgTransaction, Sql, sql};
use crate::unreadable::readable;

macro_rules! select_events {
    ($order:literal) => {
        concat!(
            "select tenant_id, sequence, store_id, operation_id, event_type, previous_state, new_state, message, \
             metadata, actor_id, actor_email, ip_address, request_id, epoch, at \
             from audit_events where ($1::uuid is null or tenant_id = $1) and ($2::text is null or store_id = $2) \
             order by ",
            $order,
            " limit $3 offset $4"
        )
    };
}

fn entry(row: &PgRow) -> Result<AuditEntry, StorageError> {
    let row = Row::new(row, "audit_events", "tenant_id");
    let sequence: i64 = row.get("sequence")?;
    let event = AuditEvent {
        tenant_id: TenantId::from_uuid(row.get("tenant_id")?),
        store_id: row.parse_optional("store_id")?,
        operation_id: row.get::<Option<_>>("operation_id")?.map(OperationId::from_uuid),
        event_type: row.parse("event_type")?,
        previous: row.parse_optional("previous_state")?,
        new: row.parse_optional("new_state")?,
        message: row.get("message")?,
        metadata: metadata(&row)?,
        actor: row.get::<Option<_>>("actor_id")?.map(UserId::from_uuid),
        actor_email: row.get("actor_email")?,
        ip_address: row.get("ip_address")?,
        request_id: row.parse_optional("request_id")?,
        epoch: row.get::<Option<_>>("epoch")?.map(Epoch),
        at: row.time("at")?,
    };
    Ok(AuditEntry { sequence: u64::try_from(sequence).map_err(|error| row.corrupt("sequence", error))?, event })
}

fn metadata(row: &Row<'_>) -> Result<BTreeMap<String, MetadataValue>, StorageError> {
    let unreadable =
        |found: &Value| row.corrupt("metadata", format!("{found} is no text, whole number or truth value"));
    let value: Value = row.get("metadata")?;
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
        // The chain's head is locked until the transaction ends: the next event cannot take its number before this one is visible.
        let statement = sql("\
            with head as (update tenants set audit_head = audit_head + 1 where id = $1 returning audit_head)
            insert into audit_events (tenant_id, sequence, store_id, operation_id, event_type, previous_state,
                                      new_state, message, metadata, actor_id, actor_email, ip_address, request_id,
                                      epoch, at)
            select $1, audit_head, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14 from head")
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
        .bind(event.at.to_sqlx());
        match self.execute("append an audit event", statement).await? {
            0 => Err(internal("the event's tenant is not in the database: add it first")),
            _ => Ok(()),
        }
    }

    async fn list(&mut self, filter: &AuditFilter, page: Page) -> Result<(Vec<AuditEntry>, u64), StorageError> {
        let bind = |statement: Sql<'static>| {
            let store = filter.store_id.as_ref().map(ToString::to_string);
            statement.bind(filter.tenant_id.map(|id| id.as_uuid())).bind(store)
        };
        // In a chain the number is the order; across chains there is none but the time.
        let select = if filter.tenant_id.is_some() || filter.store_id.is_some() {
            select_events!("sequence desc")
        } else {
            select_events!("at desc, sequence desc, tenant_id desc")
        };
        let statement = bind(sql(select)).bind(i64::from(page.limit)).bind(i64::from(page.offset));
        let rows = self.rows("list audit events", statement).await?;
        let count = bind(sql("\
            select count(*) as total from audit_events
            where ($1::uuid is null or tenant_id = $1) and ($2::text is null or store_id = $2)"));
        let total = self.total("count audit events", count).await?;
        Ok((readable(&rows, entry)?, total))
    }
}
