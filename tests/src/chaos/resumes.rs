//! How long an operation is nobody's: from the death of its owner to the claim by another worker (RELIABILITY F1, P3).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::PgConnection;
use uuid::Uuid;

/// What became of an operation whose owner was struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Another worker claimed it.
    Resumed(Duration),
    /// Its owner's merchant cancelled or deleted it first, or its owner had just finished with it.
    Moot,
}

#[derive(Debug)]
struct Orphan {
    operation: Uuid,
    epoch: i64,
    struck_at: Instant,
    end: Option<End>,
}

/// All operations whose owners were struck.
#[derive(Debug, Default)]
pub(super) struct Resumes(Mutex<Vec<Orphan>>);

impl Resumes {
    fn lock(&self) -> MutexGuard<'_, Vec<Orphan>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The worker was struck at this moment: everything that it holds by the database's word waits for somebody else.
    ///
    /// # Errors
    /// The database's own.
    pub(super) async fn struck(
        &self,
        worker: Uuid,
        struck_at: Instant,
        connection: &mut PgConnection,
    ) -> anyhow::Result<usize> {
        let held: Vec<(Uuid, i64)> =
            sqlx::query_as("select id, epoch from operations where status = 'running' and worker = $1")
                .bind(worker)
                .fetch_all(connection)
                .await?;
        let orphan =
            |(operation, epoch): &(Uuid, i64)| Orphan { operation: *operation, epoch: *epoch, struck_at, end: None };
        self.lock().extend(held.iter().map(orphan));
        Ok(held.len())
    }

    /// Looks once at all that still wait.
    ///
    /// # Errors
    /// The database's own.
    pub(super) async fn look(&self, connection: &mut PgConnection) -> anyhow::Result<()> {
        let waiting: Vec<Uuid> =
            self.lock().iter().filter(|orphan| orphan.end.is_none()).map(|orphan| orphan.operation).collect();
        if waiting.is_empty() {
            return Ok(());
        }
        let rows: Vec<(Uuid, i64, String)> =
            sqlx::query_as("select id, epoch, status from operations where id = any($1)")
                .bind(&waiting)
                .fetch_all(connection)
                .await?;
        let now = Instant::now();
        for orphan in self.lock().iter_mut().filter(|orphan| orphan.end.is_none()) {
            let Some((_, epoch, status)) = rows.iter().find(|(id, ..)| *id == orphan.operation) else { continue };
            // A later epoch is a later claim, whatever has come of it since.
            orphan.end = if *epoch > orphan.epoch {
                Some(End::Resumed(now.duration_since(orphan.struck_at)))
            } else {
                // The last record of its owner arrived after all, or its merchant has taken over.
                (status != "running").then_some(End::Moot)
            };
        }
        Ok(())
    }

    /// How many still wait.
    pub(super) fn waiting(&self) -> usize {
        self.lock().iter().filter(|orphan| orphan.end.is_none()).count()
    }

    /// All that were resumed, in order of time.
    pub(super) fn times(&self) -> Vec<Duration> {
        let mut times: Vec<Duration> = self
            .lock()
            .iter()
            .filter_map(|orphan| match orphan.end {
                Some(End::Resumed(after)) => Some(after),
                Some(End::Moot) | None => None,
            })
            .collect();
        times.sort_unstable();
        times
    }

    /// How many needed nobody any more.
    pub(super) fn moot(&self) -> usize {
        self.lock().iter().filter(|orphan| orphan.end == Some(End::Moot)).count()
    }
}
