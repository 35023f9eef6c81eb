//! The Storage port on PostgreSQL.
//!
//! [`PgStorage`] hands out transactions that implement every repository on themselves; one file per repository holds its SQL and its
//! explicit mapping between rows and values of the domain. What always holds: a connection goes back to the pool only outside any
//! transaction, however its user was cancelled; leases and wake times are measured by the database's clock; locks are taken in the
//! order tenant, store, operation; a row that this version cannot read stops neither the queue nor a list; statements have
//! names only on a [`Route`] without a pooler; and every transaction runs as the role of its reach, for which row-level security shows
//! what it may see.

mod api_tokens;
mod audit;
mod census;
mod claim;
mod clusters;
mod connections;
mod credentials;
mod error;
mod events;
mod idempotency;
mod invitations;
mod keys;
mod lease;
mod memberships;
mod operations;
mod releases;
mod roles;
mod row;
mod schema;
mod server;
mod sessions;
mod settings;
mod steps;
mod stirs;
mod storage;
mod stores;
mod tenants;
mod throttles;
mod transaction;
mod unreadable;
mod users;

pub use schema::MIGRATOR;
pub use settings::{PgSettings, Route};
pub use storage::PgStorage;
