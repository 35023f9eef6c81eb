//! The leases that this process holds, and their renewal.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shopwright_domain::operation::OperationStatus;
use shopwright_domain::{OperationId, WorkerId};
use shopwright_ports::clock::Clock;
use shopwright_ports::storage::{Lease, Reach, Storage};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

struct Held {
    lease: Lease,
    /// When it was last known to be ours, by the monotonic clock and from before the statement was sent.
    renewed_at: Duration,
    lost: CancellationToken,
    /// Its epoch is being changed: a renewal under the old one says nothing.
    changing: bool,
}

/// The registry of this process's leases.
pub(crate) struct Leases {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    length: Duration,
    held: Mutex<BTreeMap<OperationId, Held>>,
    added: Notify,
}

impl Leases {
    pub(super) fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>, length: Duration) -> Self {
        Self { storage, clock, length, held: Mutex::default(), added: Notify::new() }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<OperationId, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, lease: &Lease, renewed_at: Duration) {
        let held = Held { lease: lease.clone(), renewed_at, lost: CancellationToken::new(), changing: false };
        self.held().insert(lease.operation_id, held);
        self.added.notify_one();
    }

    /// A token that is cancelled when the lease is not ours any more.
    pub(super) fn lost(&self, lease: &Lease) -> CancellationToken {
        self.held().get(&lease.operation_id).map_or_else(
            || {
                let gone = CancellationToken::new();
                gone.cancel();
                gone
            },
            |held| held.lost.clone(),
        )
    }

    /// The lease as it is now: its epoch may have been lifted since the claim.
    pub(crate) fn current(&self, claimed: &Lease) -> Lease {
        self.held().get(&claimed.operation_id).map_or_else(|| claimed.clone(), |held| held.lease.clone())
    }

    /// The epoch of this lease is about to be changed in the database.
    pub(crate) fn begin_change(&self, lease: &Lease) {
        if let Some(held) = self.held().get_mut(&lease.operation_id) {
            held.changing = true;
        }
    }

    /// From now on the lease is this one: the changed one, or the old one when the change came to nothing.
    pub(crate) fn end_change(&self, lease: &Lease) {
        if let Some(held) = self.held().get_mut(&lease.operation_id) {
            held.lease = lease.clone();
            held.changing = false;
        }
    }

    pub(super) fn remove(&self, lease: &Lease) {
        self.held().remove(&lease.operation_id);
    }

    pub(super) fn count(&self) -> usize {
        self.held().len()
    }

    /// Keeps what is held, and stops whoever's time is up, until told to end.
    pub(super) async fn keep(self: Arc<Self>, end: CancellationToken) {
        tokio::select! {
            biased;
            () = end.cancelled() => {}
            // Beside the renewals, not between them: one that hangs must not keep us from noticing that our time is up.
            () = self.stop_in_time() => {}
            () = self.go_on_renewing() => {}
        }
    }

    /// Renews every third of a lease. One that does not come about leaves time for another before anybody has to stop.
    async fn go_on_renewing(&self) {
        loop {
            self.clock.sleep(self.length / 3).await;
            while !self.renewed().await {
                self.clock.sleep(self.length / 20).await;
            }
        }
    }

    async fn renewed(&self) -> bool {
        let late = self.clock.sleep(self.length / 5);
        tokio::select! {
            biased;
            renewed = self.renew() => renewed,
            () = late => {
                tracing::warn!("the renewal of leases takes too long");
                false
            }
        }
    }

    /// Whoever could not renew in time stops three tenths of a lease before the database would let somebody else in (DECISIONS 6).
    async fn stop_in_time(&self) {
        loop {
            let added = self.added.notified();
            let until = self.stop_expired();
            let up = async {
                match until {
                    Some(until) => self.clock.sleep(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = up => {}
                () = added => {}
            }
        }
    }

    /// Tells whose time is up, and how long it is until the next one's is.
    fn stop_expired(&self) -> Option<Duration> {
        let now = self.clock.monotonic();
        let limit = self.length * 7 / 10;
        let mut next = None;
        for held in self.held().values().filter(|held| !held.lost.is_cancelled()) {
            let left = limit.saturating_sub(now.saturating_sub(held.renewed_at));
            if left.is_zero() {
                tracing::warn!(operation_id = %held.lease.operation_id, "lease not renewed in time");
                held.lost.cancel();
            } else {
                next = Some(next.map_or(left, |next: Duration| next.min(left)));
            }
        }
        next
    }

    /// Whether the database answered.
    async fn renew(&self) -> bool {
        let leases: Vec<Lease> = self.held().values().map(|held| held.lease.clone()).collect();
        if leases.is_empty() {
            return true;
        }
        let sent_at = self.clock.monotonic();
        let ours = match self.storage.renew(&leases, self.length).await {
            Ok(ours) => ours,
            Err(error) => {
                tracing::warn!(%error, "leases could not be renewed");
                return false;
            }
        };
        let mut held = self.held();
        for lease in &leases {
            let Some(entry) = held.get_mut(&lease.operation_id).filter(|entry| entry.lease == *lease) else {
                continue;
            };
            if ours.contains(lease) {
                entry.renewed_at = sent_at;
            } else if !entry.changing {
                entry.lost.cancel();
            }
        }
        true
    }

    /// Gives back what is left at shutdown, so that nobody has to wait for the leases to run out. Best effort.
    pub(super) async fn release_all(&self, worker: WorkerId) {
        let leases: Vec<Lease> = std::mem::take(&mut *self.held())
            .into_values()
            .map(|held| held.lease)
            .filter(|lease| lease.worker == worker)
            .collect();
        for lease in leases {
            let parked = async {
                let mut tx = self.storage.begin(Reach::Worker).await?;
                tx.operations().park(&lease, OperationStatus::Queued, None, None).await?;
                tx.commit().await
            };
            if let Err(error) = parked.await {
                tracing::debug!(operation_id = %lease.operation_id, %error, "not given back");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use shopwright_domain::{Epoch, StoreId, TenantId};
    use shopwright_ports::testing::{FakeStorage, ManualClock};

    use super::*;

    fn leases() -> Leases {
        let clock = Arc::new(ManualClock::default());
        Leases::new(Arc::new(FakeStorage::new(clock.clone())), clock, Duration::from_secs(10))
    }

    /// One that the database knows nothing of.
    fn lease(number: u128) -> Lease {
        Lease {
            operation_id: OperationId::from_random(number),
            store_id: StoreId::from_random(1),
            tenant_id: TenantId::from_random(1),
            epoch: Epoch(1),
            worker: WorkerId::from_random(1),
        }
    }

    /// F6: in the moment in which a claim lifts its epoch, the database knows another one than the renewal that is on its way.
    #[tokio::test]
    async fn a_renewal_under_the_old_epoch_takes_no_lease_away_whose_epoch_is_being_changed() {
        let (leases, lease) = (leases(), lease(1));
        leases.add(&lease, Duration::ZERO);
        let lost = leases.lost(&lease);

        leases.begin_change(&lease);
        assert!(leases.renew().await);
        assert!(!lost.is_cancelled());

        leases.end_change(&lease);
        assert!(leases.renew().await);
        assert!(lost.is_cancelled());
    }

    #[test]
    fn what_was_given_up_is_held_no_more() {
        let leases = leases();
        assert_eq!(leases.count(), 0);
        for number in 1..=3 {
            leases.add(&lease(number), Duration::ZERO);
        }
        assert_eq!(leases.count(), 3);

        leases.remove(&lease(1));

        assert_eq!(leases.count(), 2);
        assert!(leases.lost(&lease(1)).is_cancelled());
        assert!(!leases.lost(&lease(2)).is_cancelled());
    }
}
