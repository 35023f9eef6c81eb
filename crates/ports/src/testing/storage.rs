//! [`FakeStorage`]: the database in memory, serialisable, with failure injection.
//!
//! A transaction holds the one lock and works on a copy of everything, which costs little ([`Table`]); commit puts the copy in the place of the original, dropping the
//! transaction forgets it. Two transactions can therefore not be open at once: a second `begin` waits for the first to end.
//! What PostgreSQL refuses is refused here too: broken uniqueness, references to rows that are not there, what lies out of the
//! transaction's reach, any call after such a refusal.
//! It passes [`super::storage_contract`] like the real one.

mod api_tokens;
mod audit;
mod claim;
mod clusters;
mod credentials;
mod idempotency;
mod invitations;
mod keys;
mod memberships;
mod operations;
mod sessions;
mod snapshot;
mod stores;
mod table;
mod tenants;
mod throttles;
mod transaction;
mod users;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::lock::Mutex;
use jiff::{SignedDuration, Timestamp};

pub use memberships::MembershipRow;
pub use snapshot::Snapshot;
pub use table::{Rows, Table};
use transaction::FakeTransaction;

use super::Faults;
use crate::clock::Clock;
use crate::storage::{Lease, Reach, Storage, StorageError, Transaction};

/// The database in memory. A clone is another connection to the same one: what a restarted process finds.
#[derive(Clone)]
pub struct FakeStorage {
    /// Faults of `begin`, `commit`, `renew`, `claim` and `check`. `commit` with [`super::Fault::After`] is durable but not acknowledged.
    pub faults: Arc<Faults<StorageError>>,
    committed: Arc<Mutex<Snapshot>>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for FakeStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("FakeStorage");
        match self.committed.try_lock() {
            Some(committed) => out.field("committed", &*committed),
            None => out.field("committed", &"<in a transaction>"),
        };
        out.field("faults", &self.faults).finish_non_exhaustive()
    }
}

impl FakeStorage {
    /// An empty database whose leases and wake times are measured by `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { faults: Arc::default(), committed: Arc::default(), clock }
    }

    /// Puts everything back to what it was when `snapshot` was taken.
    pub async fn restore(&self, snapshot: &Snapshot) {
        self.committed.lock().await.clone_from(snapshot);
    }

    /// A copy of everything that is committed.
    pub async fn snapshot(&self) -> Snapshot {
        self.committed.lock().await.clone()
    }
}

/// When a lease taken now runs out.
fn lease_end(now: Timestamp, lease: Duration) -> Timestamp {
    SignedDuration::try_from(lease).ok().and_then(|lease| now.checked_add(lease).ok()).unwrap_or(Timestamp::MAX)
}

#[async_trait]
impl Storage for FakeStorage {
    async fn begin(&self, reach: Reach) -> Result<Box<dyn Transaction>, StorageError> {
        self.faults.around("begin", || Ok(())).await?;
        let committed = Arc::clone(&self.committed).lock_owned().await;
        Ok(Box::new(FakeTransaction::new(committed, reach, Arc::clone(&self.clock), Arc::clone(&self.faults))))
    }

    async fn check(&self) -> Result<(), StorageError> {
        self.faults.around("check", || Ok(())).await
    }

    async fn renew(&self, held: &[Lease], lease: Duration) -> Result<Vec<Lease>, StorageError> {
        let mut committed = self.committed.lock().await;
        let until = lease_end(self.clock.now(), lease);
        let renew = || {
            let mut renewed = Vec::new();
            for lease in held {
                if let Some(operation) = committed.leased_mut(lease) {
                    operation.lease_expires_at = Some(until);
                    renewed.push(lease.clone());
                }
            }
            Ok(renewed)
        };
        self.faults.around("renew", renew).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::for_each_storage_fact;
    use crate::testing::{Fault, ManualClock, storage_contract};

    fn storage() -> FakeStorage {
        FakeStorage::new(Arc::new(ManualClock::default()))
    }

    macro_rules! test_fact {
        ($fact:ident) => {
            #[test]
            fn $fact() {
                futures::executor::block_on(storage_contract::$fact(&storage()));
            }
        };
    }

    for_each_storage_fact!(test_fact);

    #[test]
    fn all_facts_hold_one_after_the_other_in_one_database() {
        futures::executor::block_on(storage_contract::all(&storage()));
    }

    #[test]
    fn a_commit_that_is_not_acknowledged_is_durable() {
        futures::executor::block_on(async {
            let storage = storage();
            let lost = StorageError::Unavailable { detail: "the answer was lost".into(), source: None };
            storage.faults.push("commit", Fault::After(lost));
            let mut tx = storage.begin(Reach::Identity).await.unwrap();
            tx.tenants().insert(&storage_contract::example_tenant()).await.unwrap();

            let answer = tx.commit().await;

            assert!(matches!(answer, Err(StorageError::Unavailable { .. })));
            assert_eq!(storage.snapshot().await.tenants.len(), 1);
        });
    }
}
