//! Stateful fakes of the driven ports, and the contract suites that a fake and its real adapter both pass.
//!
//! The fakes keep real state: a namespace that was made is there until it is deleted. Every call can be made to fail before its effect,
//! after it, or never to return ([`Fault`]); that is how crash and outage tests are written. A contract suite is a plain async function
//! over `&dyn Port`; a test on the fake and a test on the adapter call the same one.

mod clock;
mod cluster;
pub mod cluster_contract;
pub mod engines;
mod faults;
mod gate;
mod releases;
pub mod releases_contract;
mod secrets;
mod storage;
pub mod storage_contract;
mod storefront;

pub use clock::{ManualClock, SeededEntropy};
pub use cluster::FakeCluster;
pub use faults::{Fault, Faults};
pub use gate::{FAKE_METER, FakeGate};
pub use releases::{FakeRelease, FakeReleases};
pub use secrets::{FakeDigester, FakeHasher, FakeSealer, FakeTokens};
pub use storage::{FakeStorage, MembershipRow, Rows, Snapshot, Table};
pub use storefront::FakeStorefront;
