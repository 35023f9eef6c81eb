//! What every [`Storage`] does: one function per fact, on the fake and on PostgreSQL alike.
//!
//! A fact makes its own tenants, stores and cluster under random ids and leaves nothing behind that could be claimed, so facts can
//! follow each other in one database ([`all`]). They cannot run side by side in one, because a claim takes whatever is due: a test per
//! fact ([`crate::for_each_storage_fact`]) needs a database per test. No fact waits: a lease of no length has run out at once, and a
//! wake time lies far in the past or far in the future.

mod transactions;
mod world;

pub use transactions::*;
pub use world::{World, example_tenant};

use crate::storage::Storage;

/// Calls `$check!(fact)` for the name of every fact.
#[macro_export]
macro_rules! for_each_storage_fact {
    ($check:ident) => {
        $check!(dropping_a_transaction_rolls_it_back);
    };
}

/// Every fact, one after the other.
pub async fn all(storage: &dyn Storage) {
    macro_rules! run {
        ($fact:ident) => {
            $fact(storage).await;
        };
    }
    for_each_storage_fact!(run);
}
