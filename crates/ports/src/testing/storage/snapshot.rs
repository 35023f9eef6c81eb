//! All rows, and the questions that more than one repository asks about them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use shopwright_domain::operation::{Operation, OperationStatus, ReleaseDigests};
use shopwright_domain::saga::StepRecord;
use shopwright_domain::store::Store;
use shopwright_domain::{ClusterName, OperationId, StoreId, TenantId};

use super::Table;
use super::memberships::MembershipRow;
use crate::releases::ReleaseOrigin;
use crate::secrets::Sealed;
use crate::storage::{
    ApiToken, AuditEntry, Event, IdempotencyRecord, Invitation, Lease, RefreshToken, RegisteredCluster, SealedKey,
    Session, Tenant, Throttle, User,
};

/// Everything in the database at one time, for tests to look at. Rows are in the order in which they were added.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Organisations.
    pub tenants: Vec<Tenant>,
    /// Accounts.
    pub users: Vec<User>,
    /// Who belongs to which organisation.
    pub memberships: Vec<MembershipRow>,
    /// Invitations, whatever became of them.
    pub invitations: Vec<Invitation>,
    /// Registered clusters.
    pub clusters: Vec<RegisteredCluster>,
    /// Stores, deleted ones too.
    pub stores: Table<Store>,
    /// Operations, finished ones too.
    pub operations: Table<Operation>,
    /// What became of the steps of each operation.
    pub steps: Table<(OperationId, Vec<StepRecord>)>,
    /// Sealed credentials.
    pub credentials: Arc<BTreeMap<StoreId, Sealed>>,
    /// Credentials that are being tried.
    pub pending_credentials: BTreeMap<StoreId, Sealed>,
    /// How many sets of credentials a store has had.
    pub credential_versions: BTreeMap<StoreId, u32>,
    /// What releases were made of, and when something was last installed from it.
    pub origins: BTreeMap<String, (ReleaseOrigin, Timestamp)>,
    /// The release with which each store was last seen to work.
    pub releases: BTreeMap<StoreId, ReleaseDigests>,
    /// The audit trail of all tenants.
    pub audit: Table<AuditEntry>,
    /// What readers follow live.
    pub events: Table<Event>,
    /// Of each tenant the number of the last event that was forgotten.
    pub event_floors: BTreeMap<TenantId, u64>,
    /// Transactions that had something to tell.
    pub transactions: u64,
    /// Idempotency keys.
    pub idempotency: Table<IdempotencyRecord>,
    /// Keys that sign access tokens.
    pub signing_keys: Vec<SealedKey>,
    /// Sign-ins, ended ones too.
    pub sessions: Vec<Session>,
    /// The refresh tokens of sessions.
    pub refresh_tokens: Vec<RefreshToken>,
    /// What programs sign in with, revoked ones too.
    pub api_tokens: Vec<ApiToken>,
    /// Counters of attempts to sign in, each with the time of the last look.
    pub throttles: BTreeMap<[u8; 32], (Throttle, Timestamp)>,
}

impl Snapshot {
    /// The store of this id.
    pub fn store(&self, id: &StoreId) -> Option<&Store> {
        self.stores.iter().find(|store| store.id == *id)
    }

    /// The operation of this id.
    pub fn operation(&self, id: OperationId) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.id == id)
    }

    /// The operation's steps, in the order in which they run.
    pub fn steps_of(&self, id: OperationId) -> Vec<StepRecord> {
        let of_operation = self.steps.iter().find(|(of, _)| *of == id);
        let mut steps = of_operation.map(|(_, steps)| steps.clone()).unwrap_or_default();
        steps.sort_by_key(|record| record.step.kind().steps().iter().position(|step| *step == record.step));
        steps
    }

    /// The operation of a lease that still holds: running, in the hands of its worker, under the store's present epoch.
    pub(super) fn leased_mut(&mut self, lease: &Lease) -> Option<&mut Operation> {
        let epoch = self.store(&lease.store_id)?.epoch;
        self.operations.find_mut(|operation| {
            operation.id == lease.operation_id
                && operation.status == OperationStatus::Running
                && operation.worker == Some(lease.worker)
                && operation.epoch == lease.epoch
                && epoch == lease.epoch
        })
    }

    /// The clusters that have no permit left: they are held by running operations whose lease has not run out.
    pub(super) fn full(&self, now: Timestamp) -> BTreeSet<ClusterName> {
        let mut running: BTreeMap<&ClusterName, u32> = BTreeMap::new();
        for store in self.running(now).filter_map(|operation| self.store(&operation.store_id)) {
            *running.entry(&store.cluster).or_default() += 1;
        }
        let is_full = |row: &&RegisteredCluster| running.get(&row.name).copied().unwrap_or(0) >= row.permits;
        self.clusters.iter().filter(is_full).map(|row| row.name.clone()).collect()
    }

    /// The operations that somebody works on.
    pub(super) fn running(&self, now: Timestamp) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(move |operation| {
            operation.status == OperationStatus::Running && operation.lease_expires_at.is_some_and(|end| end > now)
        })
    }
}
