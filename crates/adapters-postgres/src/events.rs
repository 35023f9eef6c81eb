//! Events: written at the end of a transaction, in one statement, about what it has touched.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use shopwright_domain::saga::Step;
use shopwright_domain::{OperationId, StoreId, TenantId};
use shopwright_ports::storage::{Event, EventRepository, Mark, News, StorageError, StreamBounds};
use sqlx::postgres::PgRow;

use crate::error::internal;
use crate::row::Row;
use crate::transaction::{PgTransaction, sql};
use crate::unreadable::readable;

/// What a transaction has touched, in this order.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    operations: Vec<(OperationId, Option<Step>)>,
    stores: Vec<StoreId>,
    entries: Vec<(TenantId, i64)>,
}

impl Touched {
    /// An operation; with the step that began or ended.
    pub(crate) fn operation(&mut self, id: OperationId, step: Option<Step>) {
        match self.operations.iter_mut().find(|(known, _)| *known == id) {
            Some((_, known)) => *known = step.or(*known),
            None => self.operations.push((id, step)),
        }
    }

    pub(crate) fn store(&mut self, id: &StoreId) {
        if !self.stores.contains(id) {
            self.stores.push(id.clone());
        }
    }

    /// An entry of the audit trail, about a store.
    pub(crate) fn entry(&mut self, tenant_id: TenantId, sequence: i64) {
        self.entries.push((tenant_id, sequence));
    }

    fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.stores.is_empty() && self.entries.is_empty()
    }
}

macro_rules! select_events {
    ($tail:literal) => {
        concat!(
            "select e.tenant_id, e.sequence, e.topic, e.store_id, e.operation_id, e.kind, e.status, e.step, e.step_status, \
             e.attempt, e.failure_code, e.failure_detail, e.audit_sequence, e.message, e.at, \
             e.transaction::text as transaction from ",
            $tail
        )
    };
}

fn number(row: &Row<'_>, column: &'static str) -> Result<u64, StorageError> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|error| row.corrupt(column, error))
}

fn event(row: &PgRow) -> Result<Event, StorageError> {
    let row = Row::new(row, "events", "tenant_id");
    let topic: &str = row.get("topic")?;
    let news = match topic {
        "store" => News::Store { state: row.parse("status")?, failure: row.failure()? },
        "operation" => News::Operation {
            kind: row.parse("kind")?,
            status: row.parse("status")?,
            step: row.parse_optional("step")?,
            step_status: row.parse_optional("step_status")?,
            attempt: row.count("attempt")?,
            failure: row.failure()?,
        },
        "audit" => News::Audit {
            number: number(&row, "audit_sequence")?,
            event_type: row.parse("kind")?,
            state: row.parse_optional("status")?,
            message: row.get("message")?,
        },
        other => return Err(row.corrupt("topic", format!("{other} is no topic"))),
    };
    Ok(Event {
        tenant_id: TenantId::from_uuid(row.get("tenant_id")?),
        sequence: number(&row, "sequence")?,
        at: row.time("at")?,
        store_id: row.parse("store_id")?,
        operation_id: row.get::<Option<_>>("operation_id")?.map(OperationId::from_uuid),
        news,
        transaction: row.parse("transaction")?,
    })
}

// Writes an event for each row of `$operations`, then for each store in $3, then for each audit entry in $4 and $5, under the next numbers
// of their tenants' streams.
macro_rules! tell {
    ($operations:literal) => {
        concat!(
            "with asked as (select $1::uuid[], $2::text[]),
            told as (",
            $operations,
            "select s.tenant_id, 2 as part, w.place, 'store' as topic, s.id as store_id, null::uuid as operation_id, null::text as kind,
                    s.state as status, null::text as step, null::text as step_status, null::integer as attempt, s.failure_code,
                    s.failure_detail, null::bigint as audit_sequence, null::text as message
                from unnest($3::text[]) with ordinality as w (id, place)
                join stores s on s.id = w.id
                union all
                select e.tenant_id, 3, w.place, 'audit', e.store_id, e.operation_id, e.event_type, e.new_state, null, null, null,
                       null, null, e.sequence, e.message
                from unnest($4::uuid[], $5::bigint[]) with ordinality as w (tenant_id, sequence, place)
                join audit_events e on e.tenant_id = w.tenant_id and e.sequence = w.sequence
            ),
            heads as (
                update tenants t
                set event_head = t.event_head + n.count
                from (select tenant_id, count(*) as count from told group by tenant_id) n
                where t.id = n.tenant_id
                returning t.id, t.event_head - n.count as base
            )
            insert into events (tenant_id, sequence, topic, store_id, operation_id, kind, status, step, step_status, attempt,
                                failure_code, failure_detail, audit_sequence, message)
            select t.tenant_id, h.base + row_number() over (partition by t.tenant_id order by t.part, t.place), t.topic, t.store_id,
                   t.operation_id, t.kind, t.status, t.step, t.step_status, t.attempt, t.failure_code, t.failure_detail,
                   t.audit_sequence, t.message
            from told t
            join heads h on h.id = t.tenant_id"
        )
    };
}

impl PgTransaction {
    /// Writes the events of the transaction, as its rows are now. Whether there were any.
    pub(crate) async fn tell(&mut self) -> Result<bool, StorageError> {
        let touched = std::mem::take(&mut self.touched);
        if touched.is_empty() {
            return Ok(false);
        }
        let steps = touched.operations.iter().map(|(_, step)| step.map(Step::as_str));
        // What was not touched is not looked at: somebody may just hold its table (RELIABILITY F27).
        let statement = if touched.operations.is_empty() {
            tell!("")
        } else {
            tell!(
                "select o.tenant_id, 1 as part, w.place, 'operation' as topic, o.store_id, o.id as operation_id, o.kind, o.status,
                    coalesce(w.step, o.step) as step, s.status as step_status, coalesce(s.attempts, o.attempt) as attempt,
                    o.failure_code, o.failure_detail, null::bigint as audit_sequence, null::text as message
                from unnest($1::uuid[], $2::text[]) with ordinality as w (id, step, place)
                join operations o on o.id = w.id
                left join operation_steps s on s.operation_id = o.id and s.step = coalesce(w.step, o.step)
                union all "
            )
        };
        let statement = sql(statement)
            .bind(touched.operations.iter().map(|(id, _)| id.as_uuid()).collect::<Vec<_>>())
            .bind(steps.collect::<Vec<_>>())
            .bind(touched.stores.iter().map(ToString::to_string).collect::<Vec<_>>())
            .bind(touched.entries.iter().map(|(tenant, _)| tenant.as_uuid()).collect::<Vec<_>>())
            .bind(touched.entries.iter().map(|(_, sequence)| *sequence).collect::<Vec<_>>());
        self.execute("write events", statement).await.map(|written| written > 0)
    }
}

#[async_trait]
impl EventRepository for PgTransaction {
    async fn bounds(&mut self, tenant_id: TenantId) -> Result<Option<StreamBounds>, StorageError> {
        let statement = sql("select id, event_floor, event_head from tenants where id = $1").bind(tenant_id.as_uuid());
        let Some(row) = self.row("read the bounds of a stream", statement).await? else { return Ok(None) };
        let row = Row::new(&row, "tenants", "id");
        Ok(Some(StreamBounds { floor: number(&row, "event_floor")?, head: number(&row, "event_head")? }))
    }

    async fn behind(&mut self, places: &[(TenantId, u64)], limit: u32) -> Result<Vec<Event>, StorageError> {
        // Each tenant's by the index, however many events others have.
        let statement = sql(select_events!(
            "unnest($1::uuid[], $2::bigint[]) as w (tenant_id, number) \
             cross join lateral ( \
                 select * from events e where e.tenant_id = w.tenant_id and e.sequence > w.number order by e.sequence limit $3 \
             ) e \
             order by e.tenant_id, e.sequence limit $3"
        ))
        .bind(places.iter().map(|(tenant, _)| tenant.as_uuid()).collect::<Vec<_>>())
        .bind(places.iter().map(|(_, number)| i64::try_from(*number).unwrap_or(i64::MAX)).collect::<Vec<_>>())
        .bind(i64::from(limit));
        readable(&self.rows("read events", statement).await?, event)
    }

    async fn mark(&mut self) -> Result<Mark, StorageError> {
        let statement = sql("select 'now' as moment, clock_timestamp() as at, pg_current_snapshot()::text as snapshot");
        let row = self.row("take a mark", statement).await?.ok_or_else(|| internal("there is no present"))?;
        let row = Row::new(&row, "snapshot", "moment");
        let snapshot: &str = row.get("snapshot")?;
        Mark::of_snapshot(row.time("at")?, snapshot).map_err(|error| row.corrupt("snapshot", error))
    }

    async fn between(&mut self, from: &Mark, to: &Mark, limit: u32) -> Result<Vec<Event>, StorageError> {
        let statement = sql(select_events!(
            "events e where e.transaction >= pg_snapshot_xmin($1::text::pg_snapshot) \
                and e.transaction < pg_snapshot_xmax($2::text::pg_snapshot) \
                and not pg_visible_in_snapshot(e.transaction, $1::text::pg_snapshot) \
                and pg_visible_in_snapshot(e.transaction, $2::text::pg_snapshot) \
             order by e.transaction, e.tenant_id, e.sequence limit $3"
        ))
        .bind(from.snapshot())
        .bind(to.snapshot())
        .bind(i64::from(limit));
        readable(&self.rows("read events of all tenants", statement).await?, event)
    }

    async fn purge(&mut self, before: Timestamp, limit: u32) -> Result<u64, StorageError> {
        let statement = sql("\
            with old as (
                select tenant_id, sequence from events where at < $1 order by at limit $2
            ),
            owners as (
                select t.id from tenants t where t.id in (select tenant_id from old) order by t.id for no key update
            ),
            gone as (
                delete from events e using old, owners
                where e.tenant_id = old.tenant_id and e.sequence = old.sequence and owners.id = e.tenant_id
                returning e.tenant_id, e.sequence
            ),
            floors as (
                update tenants t
                set event_floor = greatest(t.event_floor, g.last)
                from (select tenant_id, max(sequence) as last from gone group by tenant_id) g
                where t.id = g.tenant_id
            )
            select count(*) as total from gone")
        .bind(before.to_sqlx())
        .bind(i64::from(limit));
        self.total("forget events", statement).await
    }
}
