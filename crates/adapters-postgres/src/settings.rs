//! How many connections there are, and how long anything may take.

use std::time::Duration;

use shopwright_ports::storage::Reach;

use crate::roles::role;

/// The first server that ends a transaction for its length by itself; for older ones we look at the time before each statement.
const HAS_TRANSACTION_TIMEOUT: u32 = 170_000;

/// What stands between us and the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Nothing that lends out sessions: statements are prepared once per connection and known by a name, which saves a round trip each.
    Direct,
    /// Perhaps a pooler in transaction mode, which would give the next transaction a session that has another statement of the same name,
    /// or none: statements have no names.
    Pooled,
}

/// Limits of the pool and of every transaction.
#[derive(Debug, Clone)]
pub struct PgSettings {
    /// Connections for transactions; one more renews leases, and one more listens for events where somebody follows them.
    pub max_connections: u32,
    /// How long a transaction may wait until others are done with their connections. It does not wait for a database that is down.
    pub queue_timeout: Duration,
    /// How long it may take to get a connection in one's turn: to see that one lives, or to make a new one.
    pub acquire_timeout: Duration,
    /// How long one statement may take.
    pub statement_timeout: Duration,
    /// How long one statement may wait for a lock.
    pub lock_timeout: Duration,
    /// How long a transaction may do nothing before the server ends it.
    pub idle_in_transaction_timeout: Duration,
    /// How long a transaction may take in all: no longer does it hold back the server's clean-up (RELIABILITY F22).
    pub transaction_timeout: Duration,
    /// How long beyond its own limit the answer to a statement may take. A network that swallows packets is noticed by this, because
    /// the driver lets nobody set a socket's options (F25).
    pub answer_margin: Duration,
    /// How long the server keeps a connection whose client's network swallows packets.
    pub tcp_user_timeout: Duration,
    /// How long a renewal of leases may take, from the wait for its connection to the answer.
    pub renew_timeout: Duration,
    /// How long one statement of a migration may wait for a lock. Everybody who comes after it waits as well: much less than their own
    /// `lock_timeout` (F27).
    pub migration_lock_timeout: Duration,
    /// How often a migration that got no lock is tried again, with a pause as long as the wait.
    pub migration_retries: u32,
    /// What stands between us and the server.
    pub route: Route,
    /// What `pg_stat_activity` shows.
    pub application_name: String,
}

impl Default for PgSettings {
    /// Each limit is below the one around it: a wait for a lock ends before its statement, a statement before its transaction; a
    /// renewal, and whatever may hold one up, before a lease of 10 s.
    fn default() -> Self {
        Self {
            max_connections: 10,
            queue_timeout: Duration::from_secs(20),
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_secs(5),
            idle_in_transaction_timeout: Duration::from_secs(5),
            transaction_timeout: Duration::from_secs(30),
            answer_margin: Duration::from_secs(2),
            tcp_user_timeout: Duration::from_secs(10),
            renew_timeout: Duration::from_millis(1_900),
            migration_lock_timeout: Duration::from_secs(2),
            migration_retries: 10,
            route: Route::Pooled,
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
    /// outlive it (S16). The one row it gives says whether the session may write: a server that was demoted, or a replica, may not
    /// (F18, F29).
    ///
    /// - A commit is acknowledged only when it is on disk, whatever the server's default (F17).
    /// - The server looks for a caller who went away while it works or waits for a lock, and gives a network that swallows packets up
    ///   (F25). On a unix socket the TCP settings mean nothing and are accepted.
    /// - It runs as the role of its reach, for this one tenant or for none. Without a reach it runs as whoever signed in, to look at the
    ///   schema alone.
    pub(crate) fn begin(&self, server_version: Option<u32>, reach: Option<Reach>) -> String {
        let role = reach.map(|reach| format!("set local role {}; ", role(reach))).unwrap_or_default();
        let tenant = match reach {
            Some(Reach::Tenant(id)) => id.to_string(),
            _ => String::new(),
        };
        let in_all = match server_version {
            Some(HAS_TRANSACTION_TIMEOUT..) => {
                format!("set local transaction_timeout = {}; ", millis(self.transaction_timeout))
            }
            _ => String::new(),
        };
        format!(
            "begin isolation level read committed; {role}set local synchronous_commit = on; set local statement_timeout = {}; \
             set local lock_timeout = {}; set local idle_in_transaction_session_timeout = {}; {in_all}\
             set local client_connection_check_interval = 500; set local tcp_user_timeout = {}; \
             set local tcp_keepalives_idle = 5; set local tcp_keepalives_interval = 2; set local tcp_keepalives_count = 3; \
             select current_setting('transaction_read_only') as read_only, set_config('shopwright.tenant_id', '{tenant}', true)",
            millis(self.statement_timeout),
            millis(self.lock_timeout),
            millis(self.idle_in_transaction_timeout),
            millis(self.tcp_user_timeout),
        )
    }

    /// What a migration's session starts with. It may take long once it has its locks; it may not wait long for them.
    pub(crate) fn migration(&self) -> String {
        format!(
            "set synchronous_commit = on; set lock_timeout = {}; set idle_in_transaction_session_timeout = {}",
            millis(self.migration_lock_timeout),
            millis(self.idle_in_transaction_timeout),
        )
    }
}

/// Whole milliseconds, at least one: to PostgreSQL, 0 is no limit.
fn millis(duration: Duration) -> u128 {
    duration.as_millis().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_servers_that_know_it_are_told_how_long_a_transaction_may_take() {
        let settings = PgSettings::default();
        let told = |version| settings.begin(version, None).contains("set local transaction_timeout = 30000;");

        assert_eq!([None, Some(150_018), Some(169_999)].map(told), [false; 3]);
        assert_eq!([Some(170_000), Some(180_001)].map(told), [true; 2]);
    }

    #[test]
    fn each_limit_is_below_the_one_around_it() {
        const LEASE: Duration = Duration::from_secs(10);
        let limits = PgSettings::default();

        assert!(limits.lock_timeout < limits.statement_timeout);
        assert!(limits.statement_timeout + limits.answer_margin < limits.transaction_timeout);
        assert!(limits.migration_lock_timeout < limits.lock_timeout);
        // Whoever waits for it gives up after a fifth, and has time for another.
        assert!(limits.renew_timeout < LEASE / 5);
        assert!(limits.idle_in_transaction_timeout < LEASE && limits.tcp_user_timeout <= LEASE);
    }
}
