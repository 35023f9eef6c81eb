//! The World: the whole product in one hand, for tests of this project and of programs that embed it.
//!
//! [`World::mocked`] runs the real HTTP API, use cases and worker in this process over the fakes, with a clock that moves when everybody
//! waits. [`World::real`] runs the program `shopwright` itself against a real PostgreSQL, kube-apiserver and helm, under the product's own
//! service account. Both speak HTTP, so a test written against one runs against the other.

pub mod chaos;
pub mod client;
pub mod collector;
pub mod fuzz;
pub mod mocked;
pub mod real;
pub mod shop;
mod world;

pub use client::{Answer, Merchant};
pub use mocked::Mocked;
pub use world::World;
