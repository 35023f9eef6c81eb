//! Hints that there are new events: within this process at once, to other processes by `NOTIFY`.
//!
//! Nothing rests on a hint: whoever waits looks now and then anyway, and behind a pooler that lends a connection for one transaction no hint
//! of another process arrives. `NOTIFY` takes a lock of the whole server at its commit, so that it never stands in a transaction that
//! changes something, and however much is committed, a process tells others twenty times a second at most.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool};
use sqlx::{AssertSqlSafe, Executor as _};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::connections::Connections;

const CHANNEL: &str = "shopwright_events";
/// What is committed in so short a time is told once.
const GATHERED: Duration = Duration::from_millis(50);
/// After so much silence the connection is made anew: a network that swallows packets looks just like nothing to tell (F25).
const SILENCE: Duration = Duration::from_mins(1);
/// The pause after a connection that was lost.
const AGAIN: Duration = Duration::from_secs(5);

/// Told at every commit that has written events. Storages of one process share it.
#[derive(Debug, Clone)]
pub(crate) struct Stirs(Arc<Process>);

#[derive(Debug)]
struct Process {
    /// Tells our own words from those of others.
    id: Uuid,
    here: Notify,
    connections: Connections,
    /// The one connection that listens.
    ears: PgPool,
    /// Others will be told in a moment.
    telling: AtomicBool,
    listener: OnceLock<AbortHandle>,
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(listener) = self.listener.get() {
            listener.abort();
        }
    }
}

impl Stirs {
    /// Others are told on these connections, and heard on the one of `ears`, which is opened when somebody waits.
    pub(crate) fn new(connections: Connections, ears: PgPool) -> Self {
        Self(Arc::new(Process {
            id: Uuid::new_v4(),
            here: Notify::new(),
            connections,
            ears,
            telling: AtomicBool::new(false),
            listener: OnceLock::new(),
        }))
    }

    /// There may be new events.
    pub(crate) fn stir(&self) {
        // One that nobody waits for is kept for whoever waits next.
        self.0.here.notify_one();
        if !self.0.telling.swap(true, Ordering::AcqRel) {
            tokio::spawn(tell_others(Arc::downgrade(&self.0)));
        }
    }

    /// Returns after the next [`Stirs::stir`], of this process or of another.
    pub(crate) async fn wait(&self) {
        self.0
            .listener
            .get_or_init(|| tokio::spawn(listen(self.0.ears.clone(), Arc::downgrade(&self.0))).abort_handle());
        self.0.here.notified().await;
    }

    /// Listens no more.
    pub(crate) async fn close(&self) {
        self.0.ears.close().await;
    }
}

async fn tell_others(process: Weak<Process>) {
    sleep(GATHERED).await;
    let Some(process) = process.upgrade() else { return };
    // From here on, what is committed is not in these words.
    process.telling.store(false, Ordering::Release);
    let Ok(mut connection) = process.connections.borrow().await else { return };
    let words = format!("notify {CHANNEL}, '{}'", process.id);
    match timeout(Duration::from_secs(2), connection.execute(sqlx::raw_sql(AssertSqlSafe(words)))).await {
        Ok(Ok(_)) => connection.give_back(),
        // Perhaps in the middle of it.
        _ => connection.close(),
    }
}

async fn listen(ears: PgPool, process: Weak<Process>) {
    while !ears.is_closed() {
        if let Err(error) = hear(&ears, &process).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "no hints of other processes arrive");
            sleep(AGAIN).await;
        }
    }
}

/// Passes on what others say, until there was silence for long.
async fn hear(ears: &PgPool, process: &Weak<Process>) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(ears).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    while let Ok(heard) = timeout(SILENCE, listener.try_recv()).await {
        // A connection that was lost comes back as nothing, and may have lost a hint.
        let heard = heard?;
        let Some(process) = process.upgrade() else { return Ok(()) };
        if heard.as_ref().is_none_or(|heard| heard.payload() != process.id.to_string()) {
            process.here.notify_one();
        }
        if heard.is_none() {
            return Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into());
        }
    }
    Ok(())
}
