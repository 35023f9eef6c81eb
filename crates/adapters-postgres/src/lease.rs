//! Leases: renewing them, and the fence that every write under one passes.

use std::time::Duration;

use jiff::SignedDuration;
use shopwright_ports::storage::{Lease, Reach, StorageError, Transaction as _};
use uuid::Uuid;

use crate::connections::Connections;
use crate::error::unavailable;
use crate::row::{Row, micros};
use crate::settings::PgSettings;
use crate::tenants::turn;
use crate::transaction::{PgTransaction, sql};
use crate::unreadable::Unreadable;

/// The length of a lease for SQL, in microseconds.
pub(crate) fn lease_micros(lease: Duration) -> i64 {
    // A century is as good as forever, and fits any timestamp.
    const CENTURY: Duration = Duration::from_hours(876_000);
    micros(SignedDuration::try_from(lease.min(CENTURY)).unwrap_or(SignedDuration::ZERO))
}

/// Renews what is still its worker's. One that has run out and that nobody has taken can be renewed.
///
/// It takes as long as `limit`, not longer: a renewal that hangs must not keep the next one from trying.
pub(crate) async fn renew(
    connections: &Connections,
    settings: &PgSettings,
    held: &[Lease],
    lease: Duration,
) -> Result<Vec<Lease>, StorageError> {
    let renewed = tokio::time::timeout(settings.statement_timeout, renew_all(connections, settings, held, lease))
        .await
        .map_err(|late| unavailable("renew leases", late))??;
    // Whoever lifted an epoch may still hold the lease from before: only the one with the row's epoch is renewed.
    Ok(held.iter().filter(|lease| renewed.contains(&key(lease))).cloned().collect())
}

/// What makes a lease the one of an operation's row.
fn key(lease: &Lease) -> (Uuid, i64, Uuid) {
    (lease.operation_id.as_uuid(), lease.epoch.0, lease.worker.as_uuid())
}

async fn renew_all(
    connections: &Connections,
    settings: &PgSettings,
    held: &[Lease],
    lease: Duration,
) -> Result<Vec<(Uuid, i64, Uuid)>, StorageError> {
    // Rows are locked in the order of their ids: two renewals never wait for each other in a circle. No other transaction waits for
    // one operation's lock while it holds another's.
    let statement = sql("\
        with mine as (
            select o.id
            from unnest($1::uuid[], $2::bigint[], $3::uuid[]) as held (id, epoch, worker)
            join operations o on o.id = held.id and o.epoch = held.epoch and o.worker = held.worker
            join stores s on s.id = o.store_id and s.epoch = o.epoch
            where o.status = 'running'
            order by o.id
            for no key update of o
        )
        update operations o
        set lease_expires_at = clock_timestamp() + $4 * interval '1 microsecond'
        from mine
        where o.id = mine.id
        returning o.id, o.epoch, o.worker")
    .bind(held.iter().map(|lease| lease.operation_id.as_uuid()).collect::<Vec<_>>())
    .bind(held.iter().map(|lease| lease.epoch.0).collect::<Vec<_>>())
    .bind(held.iter().map(|lease| lease.worker.as_uuid()).collect::<Vec<_>>())
    .bind(lease_micros(lease));
    let mut transaction =
        PgTransaction::begin(connections, Some(Reach::Worker), settings, &Unreadable::default(), None).await?;
    let rows = transaction.rows("renew leases", statement).await?;
    let key = |row| {
        let row = Row::new(row, "operations", "id");
        Ok((row.get("id")?, row.get("epoch")?, row.get("worker")?))
    };
    let renewed = rows.iter().map(key).collect::<Result<_, StorageError>>()?;
    Box::new(transaction).commit().await?;
    Ok(renewed)
}

impl PgTransaction {
    /// Lets only the holder of `lease` pass. It locks tenant, store and operation in this order, so that nobody takes over before the
    /// transaction ends; what it changes will be an event of the tenant's stream.
    pub(crate) async fn fence(&mut self, lease: &Lease) -> Result<(), StorageError> {
        if self.fenced.as_ref() == Some(lease) {
            return Ok(());
        }
        let statement = sql(concat!(
            "select 1
            from ",
            turn!("$5"),
            " cross join tenants t
            join stores s on s.tenant_id = t.id
            join operations o on o.store_id = s.id
            where s.id = $1 and s.epoch = $2
                and o.id = $3 and o.epoch = $2 and o.worker = $4 and o.status = 'running'
            for no key update of t, s, o"
        ))
        .bind(lease.store_id.as_str())
        .bind(lease.epoch.0)
        .bind(lease.operation_id.as_uuid())
        .bind(lease.worker.as_uuid())
        .bind(lease.tenant_id.as_uuid());
        if self.row("check a lease", statement).await?.is_none() {
            return Err(StorageError::LeaseLost);
        }
        self.fenced = Some(lease.clone());
        Ok(())
    }
}
