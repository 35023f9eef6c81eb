//! What must hold between two commits.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use shopwright_domain::operation::{Operation, OperationEvent, OperationStatus};
use shopwright_domain::store::{Store, StoreEvent, StoreState};
use shopwright_domain::{ErrorCode, StoreId, TenantId};
use shopwright_ports::secrets::StoreCredentials;
use shopwright_ports::testing::Snapshot;

use super::{Platform, Watch};

const EVENTS: [StoreEvent; 7] = [
    StoreEvent::ProvisioningStarted,
    StoreEvent::Provisioned,
    StoreEvent::ProvisioningFailed,
    StoreEvent::Retried,
    StoreEvent::DeletionRequested,
    StoreEvent::Deleted,
    StoreEvent::DeletionFailed,
];

const OPERATION_EVENTS: [OperationEvent; 6] = [
    OperationEvent::Claimed,
    OperationEvent::Parked,
    OperationEvent::GotStuck,
    OperationEvent::Completed,
    OperationEvent::GaveUp,
    OperationEvent::Superseded,
];

/// How many counted errors a provision survives.
const ATTEMPTS: u32 = 3;

fn is_edge(before: StoreState, after: StoreState) -> bool {
    before == after || EVENTS.into_iter().any(|event| before.apply(event) == Ok(after))
}

impl Watch {
    /// Looks at a commit.
    pub fn committed(&mut self, now: u64, rows: Snapshot, platform: &Platform<'_>) {
        let before = std::mem::take(&mut self.rows);
        for (old, store) in rows.stores.changes(&before.stores) {
            self.store_changed(now, old, store, &rows, platform);
        }
        for (old, operation) in rows.operations.changes(&before.operations) {
            self.operation_changed(now, old, operation);
        }
        if before.stores.len() > rows.stores.len() || before.operations.len() > rows.operations.len() {
            self.violate(|| "rows vanished".to_owned());
        }
        self.audit(&before, &rows);
        self.counts(&rows);
        self.rows = rows;
    }

    fn store_changed(&mut self, now: u64, old: Option<&Store>, new: &Store, rows: &Snapshot, platform: &Platform<'_>) {
        let id = &new.id;
        match old {
            None if new.state != StoreState::Requested => self.violate(|| format!("{id} begins as {}", new.state)),
            None => {}
            Some(old) => {
                if !is_edge(old.state, new.state) {
                    self.violate(|| format!("{id} went from {} to {}", old.state, new.state));
                }
                if new.epoch < old.epoch {
                    self.violate(|| format!("{id} went back from epoch {} to {}", old.epoch, new.epoch));
                }
            }
        }
        if old.is_some_and(|old| old.state == new.state) {
            return;
        }
        match new.state {
            StoreState::Ready => self.became_ready(new, rows, platform),
            StoreState::Deleted => self.became_deleted(new, rows, platform),
            StoreState::Failed => self.became_failed(new),
            StoreState::Deleting => {
                self.deleting_since.insert(id.clone(), now);
            }
            StoreState::Requested | StoreState::Provisioning => {}
        }
    }

    /// A ready store has its one namespace, its one release, and the credentials that were minted with it, byte for byte.
    fn became_ready(&mut self, store: &Store, rows: &Snapshot, platform: &Platform<'_>) {
        let id = &store.id;
        if self.robbed.contains(id) {
            return;
        }
        if !platform.namespaces.contains_key(id) {
            self.violate(|| format!("{id} is ready without a namespace"));
        }
        if !platform.releases.installed().contains_key(id) {
            self.violate(|| format!("{id} is ready without a release"));
        }
        let minted = rows.credentials.get(id).and_then(|sealed| {
            let plain = sealed.bytes.get(id.as_str().len() + 1..)?;
            StoreCredentials::decode(plain).ok()
        });
        let Some(minted) = minted else {
            self.violate(|| format!("{id} is ready without sealed credentials"));
            return;
        };
        let minted: BTreeMap<String, String> =
            minted.entries().into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        if platform.cluster.credentials(id) != Some(minted) {
            self.violate(|| format!("the credentials of {id} in the cluster are not the ones that were minted"));
        }
    }

    /// Nothing is left of a deleted store (P11). A write of an owner long fenced out may still make a namespace after the deletion has looked
    /// for one: that is the sweeper's to find, and is checked at the end. One that was there before the deletion, or is of its own epoch, is not
    /// excused.
    fn became_deleted(&mut self, store: &Store, rows: &Snapshot, platform: &Platform<'_>) {
        let id = &store.id;
        let asked = self.deleting_since.get(id).copied().unwrap_or(u64::MAX);
        let after = self.namespaces.get(id).is_some_and(|known| known.since > asked);
        if let Some(epoch) = platform.namespaces.get(id)
            && !(after && *epoch < store.epoch)
        {
            self.violate(|| format!("{id} is deleted and has a namespace"));
        }
        if rows.credentials.contains_key(id) {
            self.violate(|| format!("{id} is deleted and has credentials"));
        }
    }

    /// No outage fails a store: only errors that use up attempts, and what the run did to it for good.
    fn became_failed(&mut self, store: &Store) {
        let id = &store.id;
        let code = store.failure.as_ref().map(|failure| failure.code);
        let excused = code == Some(ErrorCode::Cancelled)
            || self.doomed.contains(id)
            || self.robbed.contains(id)
            || self.refusals.get(id).is_some_and(|count| *count >= ATTEMPTS);
        if !excused {
            self.violate(|| format!("{id} failed without a cause: {:?}", store.failure));
        }
        if let Some(failure) = &store.failure {
            self.failures.insert(id.clone(), failure.detail.clone());
        } else {
            self.violate(|| format!("{id} failed without a reason"));
        }
    }

    fn operation_changed(&mut self, now: u64, old: Option<&Operation>, new: &Operation) {
        let id = new.id;
        if let Some((worker, died)) = self.orphans.get(&id)
            && (new.worker != Some(*worker) || new.status != OperationStatus::Running)
        {
            self.recoveries.push(now - died);
            self.orphans.remove(&id);
        }
        let Some(old) = old else { return };
        if old.status.is_finished() {
            self.violate(|| format!("operation {id} was {} and changed", old.status));
        }
        // A worker that shuts down hands its operation back.
        let handed_back = (old.status, new.status) == (OperationStatus::Running, OperationStatus::Queued);
        let edge = OPERATION_EVENTS.into_iter().any(|event| old.status.apply(event) == Ok(new.status));
        if old.status != new.status && !edge && !handed_back {
            self.violate(|| format!("operation {id} went from {} to {}", old.status, new.status));
        }
        let taken = old.status == OperationStatus::Running
            && new.status == OperationStatus::Running
            && old.epoch != new.epoch
            && old.worker != new.worker;
        if taken && old.lease_expires_at.is_some_and(|end| end > crate::clocks::at(now, 0)) {
            self.violate(|| format!("operation {id} was taken from a worker whose lease still held (F10)"));
        }
    }

    /// The trail has no gaps, and tells every change of state in the transaction that made it.
    fn audit(&mut self, before: &Snapshot, rows: &Snapshot) {
        let mut concerned: BTreeSet<&StoreId> =
            rows.stores.changes(&before.stores).map(|(_, store)| &store.id).collect();
        for (_, entry) in rows.audit.changes(&before.audit) {
            let event = &entry.event;
            let (Some(id), Some(new)) = (&event.store_id, event.new) else { continue };
            concerned.insert(id);
            let told = self.told.insert(id.clone(), new);
            if event.previous != told {
                self.violate(|| format!("the trail of {id} goes from {told:?} by {:?} to {new}", event.previous));
            }
        }
        for store in concerned.into_iter().filter_map(|id| rows.store(id)) {
            if self.told.get(&store.id) != Some(&store.state) {
                self.violate(|| format!("{} is {} and its trail does not say so", store.id, store.state));
            }
        }
    }

    fn counts(&mut self, rows: &Snapshot) {
        let mut live: BTreeMap<TenantId, u32> = BTreeMap::new();
        for store in rows.stores.iter().filter(|store| store.state.is_live()) {
            *live.entry(store.tenant_id).or_default() += 1;
        }
        let quota = self.quota;
        if let Some((tenant, count)) = live.into_iter().find(|(_, count)| *count > quota) {
            self.violate(|| format!("{tenant} holds {count} stores, {quota} are allowed (F66)"));
        }
        let mut unfinished = HashMap::new();
        for operation in rows.operations.iter().filter(|operation| !operation.status.is_finished()) {
            if let Some(other) = unfinished.insert(&operation.store_id, operation.id) {
                self.violate(|| {
                    format!("{} has two unfinished operations: {other}, {}", operation.store_id, operation.id)
                });
            }
        }
        let live: HashSet<&StoreId> = rows.stores.iter().filter(|it| it.state.is_live()).map(|it| &it.id).collect();
        for credentials in rows.credentials.keys().filter(|id| !live.contains(id)) {
            self.violate(|| format!("credentials of {credentials}, which is not live"));
        }
    }
}
