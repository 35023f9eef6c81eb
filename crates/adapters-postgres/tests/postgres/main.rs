//! PostgreSQL as storage. Every test gets a database of its own on the server at `DATABASE_URL`; `tests/postgres.sh` starts one.

#![expect(clippy::expect_used, reason = "a step of a test that fails is a failed test")]

mod cancel;
mod catalog;
mod contract;
mod races;
mod schema;
mod shop;
