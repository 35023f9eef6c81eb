//! Who gets which operation, and when the next one is due.
//!
//! A claim locks, in this order: the store, without waiting; the row of its cluster, for as long as it counts the permits in use; the
//! operation. Between the choice and the locks another worker may have been faster, so everything is looked at again under them; a
//! candidate that is lost is given back by a savepoint, with its locks, and the next one is tried. So is one that this version cannot
//! read: it is left to others, and nobody waits for it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shopwright_domain::operation::SAGA_VERSION;
use shopwright_domain::saga::StepRecord;
use shopwright_domain::{Epoch, WorkerId};
use shopwright_ports::storage::{Claim, Lease, StorageError, TakeOver};
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::error::internal;
use crate::lease::lease_micros;
use crate::operations::{operation, operation_columns};
use crate::row::{Row, integer};
use crate::stores::{store, store_columns};
use crate::transaction::{PgTransaction, sql};

/// How many candidates a claim tries. Each one it loses is one that another worker won, so giving up costs nothing but a poll.
const TRIES: u32 = 32;

// Whether the operation `o` may be taken by the time that it is.
macro_rules! is_due {
    () => {
        "case o.status
            when 'queued' then true
            when 'waiting' then coalesce(o.wake_at <= clock_timestamp(), true)
            when 'stuck' then coalesce(o.wake_at <= clock_timestamp(), true)
            when 'running' then o.lease_expires_at <= clock_timestamp()
            else false
        end"
    };
}

// The operations that somebody works on, counted per tenant and per cluster.
macro_rules! with_running {
    ($query:expr) => {
        concat!(
            "with running as materialized (
                select r.tenant_id, rs.cluster
                from operations r
                join stores rs on rs.id = r.store_id
                where r.status = 'running' and r.lease_expires_at > clock_timestamp()
            ),
            per_tenant as (select tenant_id, count(*) as running from running group by tenant_id),
            per_cluster as (select cluster, count(*) as running from running group by cluster) ",
            $query
        )
    };
}

struct Candidate {
    operation_id: Uuid,
    store_id: String,
    cluster: String,
}

impl PgTransaction {
    pub(crate) async fn claim_next(
        &mut self,
        worker: WorkerId,
        lease: Duration,
    ) -> Result<Option<Claim>, StorageError> {
        let mut full = Vec::new();
        self.command("claim an operation", "savepoint claim").await?;
        for _ in 0..TRIES {
            let Some(candidate) = self.lock_candidate(&full).await? else { break };
            if self.has_permit(&candidate.cluster).await? {
                if let Some(before) = self.lock_if_due(candidate.operation_id).await? {
                    match self.take(&candidate, &before, worker, lease).await {
                        Err(error @ StorageError::Corrupt { .. }) => {
                            self.unreadable.leave(candidate.operation_id, &error);
                        }
                        claim => return claim.map(Some),
                    }
                }
            } else {
                full.push(candidate.cluster);
            }
            self.command("claim an operation", "rollback to savepoint claim").await?;
        }
        Ok(None)
    }

    /// The operation whose turn it is, with its store locked. Operations are put in order before their stores are looked up, so that only
    /// the stores of the first few are: there are many more of them than there is work.
    async fn lock_candidate(&mut self, full: &[String]) -> Result<Option<Candidate>, StorageError> {
        let statement = sql(with_running!(concat!(
            "select o.id as operation_id, s.id as store_id, s.cluster
            from (
                select o.id, o.store_id, o.created_at, o.ordinal, coalesce(t.running, 0) as running
                from operations o
                left join per_tenant t on t.tenant_id = o.tenant_id
                where o.status in ('queued', 'running', 'waiting', 'stuck')
                    and o.saga_version <= $2
                    and o.id <> all ($3)
                    and ",
            is_due!(),
            " order by running, o.created_at, o.ordinal
            ) o
            join stores s on s.id = o.store_id
            join clusters c on c.name = s.cluster
            left join per_cluster k on k.cluster = s.cluster
            where c.permits > coalesce(k.running, 0) and s.cluster <> all ($1)
            order by o.running, o.created_at, o.ordinal
            limit 1
            for no key update of s skip locked"
        )))
        .bind(full)
        .bind(integer(SAGA_VERSION)?)
        .bind(self.unreadable.left());
        let Some(row) = self.row("look for an operation", statement).await? else { return Ok(None) };
        let row = Row::new(&row, "operations", "operation_id");
        Ok(Some(Candidate {
            operation_id: row.get("operation_id")?,
            store_id: row.get("store_id")?,
            cluster: row.get("cluster")?,
        }))
    }

    /// Counts under the lock on the cluster's row: of two claims, the second counts what the first has taken.
    async fn has_permit(&mut self, cluster: &str) -> Result<bool, StorageError> {
        let lock = sql("select name from clusters where name = $1 for no key update").bind(cluster);
        self.row("lock a cluster", lock).await?;
        let count = sql("\
            select 1
            from clusters c
            where c.name = $1 and c.permits > (
                select count(*)
                from operations r
                join stores rs on rs.id = r.store_id
                where r.status = 'running' and r.lease_expires_at > clock_timestamp() and rs.cluster = $1
            )")
        .bind(cluster);
        Ok(self.row("count the permits in use", count).await?.is_some())
    }

    /// Locks the operation and says who had it, unless it is not due any more.
    async fn lock_if_due(&mut self, id: Uuid) -> Result<Option<PgRow>, StorageError> {
        let statement = sql(concat!(
            "select o.id, o.worker, o.epoch,
                (extract(epoch from clock_timestamp() - o.lease_expires_at) * 1000000)::bigint as idle_us
            from operations o
            where o.id = $1 and ",
            is_due!(),
            " for no key update"
        ))
        .bind(id);
        self.row("lock an operation", statement).await
    }

    async fn take(
        &mut self,
        candidate: &Candidate,
        before: &PgRow,
        worker: WorkerId,
        lease: Duration,
    ) -> Result<Claim, StorageError> {
        let before = Row::new(before, "operations", "id");
        let taken_from: Option<Uuid> = before.get("worker")?;
        let taken_over = match taken_from.zip(before.micros_optional("idle_us")?) {
            Some((worker, idle)) => Some(TakeOver {
                worker: WorkerId::from_uuid(worker),
                epoch: Epoch(before.get("epoch")?),
                idle: idle.max(SignedDuration::ZERO),
            }),
            None => None,
        };

        let raise = sql(concat!("update stores set epoch = epoch + 1 where id = $1 returning ", store_columns!()))
            .bind(candidate.store_id.as_str());
        let store = store(&self.one("raise a store's epoch", raise).await?)?;

        let take = sql(concat!(
            "update operations
            set status = 'running', epoch = $2, worker = $3,
                lease_expires_at = clock_timestamp() + $4 * interval '1 microsecond',
                wake_at = null, failure_code = null, failure_detail = null,
                started_at = coalesce(started_at, clock_timestamp())
            where id = $1
            returning ",
            operation_columns!()
        ))
        .bind(candidate.operation_id)
        .bind(store.epoch.0)
        .bind(worker.as_uuid())
        .bind(lease_micros(lease));
        let operation = operation(&self.one("take an operation", take).await?)?;
        let claimed_at = operation.lease_expires_at.and_then(|end| end.checked_sub(lease).ok());
        let claimed_at = claimed_at.ok_or_else(|| internal("a claim has no lease"))?;
        let steps: Vec<StepRecord> = self.read_steps(operation.id).await?;

        let lease = Lease {
            operation_id: operation.id,
            store_id: store.id.clone(),
            tenant_id: store.tenant_id,
            epoch: store.epoch,
            worker,
        };
        Ok(Claim { lease, operation, store, steps, taken_over, claimed_at })
    }

    async fn one(&mut self, what: &str, statement: crate::transaction::Sql<'_>) -> Result<PgRow, StorageError> {
        self.row(what, statement).await?.ok_or_else(|| internal(format!("{what}: the locked row is gone")))
    }

    /// A time that has passed counts only where there is a free permit: on a full cluster it is not time that is waited for.
    pub(crate) async fn read_next_due(&mut self) -> Result<Option<Timestamp>, StorageError> {
        let statement = sql(with_running!(
            "select o.due_at as at
            from (
                -- No wake time at all is one that has passed.
                select o.store_id,
                    coalesce(case o.status when 'running' then o.lease_expires_at else o.wake_at end,
                             'epoch'::timestamptz) as due_at
                from operations o
                where o.status in ('running', 'waiting', 'stuck') and o.saga_version <= $1 and o.id <> all ($2)
                order by due_at
            ) o
            join stores s on s.id = o.store_id
            join clusters c on c.name = s.cluster
            left join per_cluster k on k.cluster = s.cluster
            where o.due_at > clock_timestamp() or c.permits > coalesce(k.running, 0)
            order by o.due_at
            limit 1"
        ))
        .bind(integer(SAGA_VERSION)?)
        .bind(self.unreadable.left());
        let row = self.row("look when the next operation is due", statement).await?;
        row.map(|row| Row::new(&row, "operations", "at").time("at")).transpose()
    }
}
