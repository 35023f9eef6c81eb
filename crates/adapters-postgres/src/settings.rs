//! How many connections there are, and how long anything may take.

use std::time::Duration;

/// Limits of the pool and of every transaction.
#[derive(Debug, Clone)]
pub struct PgSettings {
    /// Connections for transactions; one more renews leases.
    pub max_connections: u32,
    /// How long a transaction may wait for a connection.
    pub acquire_timeout: Duration,
    /// How long one statement may take.
    pub statement_timeout: Duration,
    /// How long one statement may wait for a lock.
    pub lock_timeout: Duration,
    /// How long a transaction may do nothing before the server ends it.
    pub idle_in_transaction_timeout: Duration,
    /// How long a renewal of leases may take, from the wait for its connection to the answer.
    pub renew_timeout: Duration,
    /// What `pg_stat_activity` shows.
    pub application_name: String,
}

impl Default for PgSettings {
    /// Each limit is below the one around it: a wait for a lock ends before its statement; a renewal, and whatever may
    /// hold one up, before a lease of 10 s.
    fn default() -> Self {
        Self {
            max_connections: 10,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_secs(5),
            idle_in_transaction_timeout: Duration::from_secs(5),
            renew_timeout: Duration::from_secs(3),
            application_name: "shopwright".to_owned(),
        }
    }
}

impl PgSettings {
    /// The same for renewals of leases, which have less time than anything else.
    pub(crate) fn of_renewal(&self) -> Self {
        Self { statement_timeout: self.renew_timeout, lock_timeout: self.renew_timeout, ..self.clone() }
    }

    /// What opens a transaction: one round trip, and settings that end with it, so that they hold behind a pooler too and never
    /// outlive it (RELIABILITY S16). The last one lets the server notice a caller who went away while it waits for a lock.
    pub(crate) fn begin(&self) -> String {
        format!(
            "begin isolation level read committed; set local statement_timeout = {}; set local lock_timeout = {}; \
             set local idle_in_transaction_session_timeout = {}; set local client_connection_check_interval = 500",
            millis(self.statement_timeout),
            millis(self.lock_timeout),
            millis(self.idle_in_transaction_timeout),
        )
    }
}

/// Whole milliseconds, at least one: to PostgreSQL, 0 is no limit.
fn millis(duration: Duration) -> u128 {
    duration.as_millis().max(1)
}
