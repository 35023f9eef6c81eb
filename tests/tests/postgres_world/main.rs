//! The use cases, the API and the worker of several replicas over one real PostgreSQL, without a cluster: what many of them at once, clients
//! that repeat themselves or go away, and lost hints must not break. `DATABASE_URL` names the server; `tests/postgres.sh` starts one.

#![expect(clippy::expect_used, reason = "a step of a test that fails is a failed test")]

mod disconnects;
mod queue;
mod replicas;
mod requests;
mod traces;
