//! Deterministic simulation: the real use cases, workers and sagas over the fakes of `shopwright-ports`, with one seed that decides time,
//! order, faults and what people do.
//!
//! A run is one thread and no real time. Two runs of a seed are the same to the last step. What must hold is checked at every commit and
//! after every change of the cluster ([`watch`]), and at the end: everything has come to rest, nothing is left of what was deleted, and
//! the answers that clients got are ones that a store which does one thing at a time could have given ([`history`]).
//!
//! `make sim SEED=n` replays a seed with its trace; `make sim SEEDS=n` runs many.

pub mod book;
pub mod client;
pub mod clocks;
pub mod exhaustive;
pub mod fault;
pub mod gate;
pub mod history;
pub mod many;
pub mod nemesis;
pub mod plan;
pub mod platform;
pub mod replica;
pub mod rng;
pub mod run;
pub mod stage;
pub mod storage;
pub mod storm;
pub mod tally;
pub mod time;
pub mod trace;
pub mod watch;
pub mod wire;
pub mod world;
