//! A pool, and whose turn it is to borrow from it.
//!
//! Waiting for others to be done and waiting for a database that does not answer are different things: a burst of requests is worth some
//! patience (RELIABILITY F26), an outage is worth none. The pool alone cannot tell them apart. So callers queue here for a place, first come,
//! first served; only whoever has one asks the pool, for a short time; and when the pool has nothing for them, all who queue are told.

use std::sync::Arc;
use std::time::Duration;

use shopwright_ports::storage::StorageError;
use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, PgConnection, PgPool, Postgres};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::error::unavailable;

/// How long a connection may take to be given back: the pool pings it.
pub(crate) const RETURN_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a connection that was idle may take to say that it lives. One that does not is replaced: a network that swallows packets must not
/// cost one borrower after another the whole wait (RELIABILITY F25).
pub(crate) const LIFE_SIGN_TIMEOUT: Duration = Duration::from_secs(1);

const WHAT: &str = "get a connection";

/// Where connections are borrowed. A clone is the same.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    pool: PgPool,
    places: Arc<Semaphore>,
    /// The pool had nothing to give.
    down: Arc<Notify>,
    patience: Duration,
}

impl Connections {
    /// Over a pool; callers queue for so long.
    pub(crate) fn of(pool: PgPool, patience: Duration) -> Self {
        let places = Arc::new(Semaphore::new(pool.options().get_max_connections() as usize));
        Self { pool, places, down: Arc::new(Notify::new()), patience }
    }

    /// The same connections, for callers who queue for so long.
    pub(crate) fn for_callers_with(&self, patience: Duration) -> Self {
        Self { patience, ..self.clone() }
    }

    /// A connection that has just said that it lives, in one's turn.
    pub(crate) async fn borrow(&self) -> Result<Borrowed, StorageError> {
        let mut borrowed = self.borrow_unseen().await?;
        // Each that is dead once, and then a new one.
        for _ in 0..self.most() {
            if matches!(timeout(LIFE_SIGN_TIMEOUT, borrowed.ping()).await, Ok(Ok(()))) {
                return Ok(borrowed);
            }
            borrowed = self.instead_of(borrowed).await?;
        }
        Ok(borrowed)
    }

    /// A connection, in one's turn: what it is asked first must show that it lives.
    pub(crate) async fn borrow_unseen(&self) -> Result<Borrowed, StorageError> {
        let queue = async {
            tokio::select! {
                biased;
                place = Arc::clone(&self.places).acquire_owned() => place.map_err(|closed| unavailable(WHAT, closed)),
                () = self.down.notified() => Err(unavailable(WHAT, "nobody else gets one either")),
            }
        };
        let busy = |_| unavailable(WHAT, "all are in use: ask again, or raise the number of connections");
        let place = timeout(self.patience, queue).await.map_err(busy)??;
        self.lend(place).await
    }

    /// How many there are at most.
    pub(crate) fn most(&self) -> u32 {
        self.pool.options().get_max_connections()
    }

    /// Another connection in the place of one that is of no use.
    pub(crate) async fn instead_of(&self, lost: Borrowed) -> Result<Borrowed, StorageError> {
        let Borrowed { mut connection, place } = lost;
        connection.close_on_drop();
        drop(connection);
        self.lend(place).await
    }

    async fn lend(&self, place: OwnedSemaphorePermit) -> Result<Borrowed, StorageError> {
        match self.pool.acquire().await {
            Ok(connection) => Ok(Borrowed { connection, place }),
            Err(error) => {
                self.down.notify_waiters();
                Err(unavailable(WHAT, error))
            }
        }
    }

    pub(crate) const fn pool(&self) -> &PgPool {
        &self.pool
    }
}

/// A connection, with its place among those that are lent.
#[derive(Debug)]
pub(crate) struct Borrowed {
    connection: PoolConnection<Postgres>,
    place: OwnedSemaphorePermit,
}

impl Borrowed {
    /// Puts the connection back into its pool, or gives its place there to a new one.
    ///
    /// Left to itself the pool pings it first, for as long as that takes: a network that swallows packets just then would keep the
    /// connection's place for ever (F25), and renewals have only one.
    pub(crate) fn give_back(self) {
        let Self { mut connection, place } = self;
        tokio::spawn(async move {
            // Whether in time or not: the connection is the pool's again, or gone.
            let _ = timeout(RETURN_TIMEOUT, connection.return_to_pool()).await;
            drop(place);
        });
    }

    /// Ends the session instead of lending it again.
    pub(crate) fn close(self) {
        let Self { mut connection, place } = self;
        connection.close_on_drop();
        drop(connection);
        drop(place);
    }
}

impl std::ops::Deref for Borrowed {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl std::ops::DerefMut for Borrowed {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}
