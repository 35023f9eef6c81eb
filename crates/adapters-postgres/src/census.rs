//! How many there are of everything: one statement for stores, one for operations.

use shopwright_domain::operation::OperationStatus;
use shopwright_ports::storage::{Census, StorageError};

use crate::row::Row;
use crate::transaction::{PgTransaction, sql};

/// PostgreSQL counts in signed numbers, from zero.
fn count(row: &Row<'_>) -> Result<u64, StorageError> {
    Ok(row.get::<i64>("count")?.unsigned_abs())
}

impl PgTransaction {
    pub(crate) async fn read_census(&mut self) -> Result<Census, StorageError> {
        let mut census = Census::default();
        let stores = sql("\
            select state, engine, count(*) as count
            from stores
            group by state, engine");
        for row in self.rows("count stores", stores).await? {
            let row = Row::new(&row, "stores", "state");
            census.stores.push(((row.parse("state")?, row.parse("engine")?), count(&row)?));
        }
        let operations = sql("\
            select kind, status, count(*) as count, min(created_at) as oldest
            from operations
            where status in ('queued', 'running', 'waiting', 'stuck')
            group by kind, status");
        for row in self.rows("count operations", operations).await? {
            let row = Row::new(&row, "operations", "kind");
            let status = row.parse("status")?;
            census.operations.push(((row.parse("kind")?, status), count(&row)?));
            if status == OperationStatus::Queued {
                let oldest = row.time("oldest")?;
                census.oldest_queued = Some(census.oldest_queued.map_or(oldest, |known| known.min(oldest)));
            }
        }
        Ok(census)
    }
}
