//! The saga executor: does what the plan says and writes down what happened.
//!
//! It decides nothing ([`shopwright_domain::saga::plan`] does) and keeps nothing in memory that a crash could lose: every step's begin
//! and end is a transaction, conditioned on the claim's epoch. A step's effect and its record are two things; between them a crash
//! repeats the step, so every step is idempotent.

mod aftermath;
mod apply;
mod audit;
mod await_ready;
mod calls;
mod change;
mod effects;
mod epoch;
mod executor;
mod observe;
mod provision;
mod record;
mod run;
mod teardown;
mod waiting;

pub use calls::{ClusterGuard, FenceState, Verdict};
pub use executor::Executor;
pub use run::RunEnd;
