//! PostgreSQL as storage. Every test gets a database of its own on the server at `DATABASE_URL`; `tests/postgres.sh` starts one. Tests of
//! crashes and standbys start servers of their own.

#![expect(clippy::expect_used, reason = "a step of a test that fails is a failed test")]

mod accounts;
mod cancel;
mod catalog;
mod commits;
mod contract;
mod events;
mod expiry;
mod failover;
mod isolation;
mod locks;
mod logins;
mod migrating;
mod network;
mod own_server;
mod plans;
mod pooler;
mod proxy;
mod races;
mod rights;
mod schema;
mod sessions;
mod shop;
mod sign_ins;
mod storms;
mod tampering;
mod versions;
