//! All rows, and the questions that more than one repository asks about them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shopwright_domain::operation::{Operation, OperationStatus};
use shopwright_domain::saga::StepRecord;
use shopwright_domain::store::Store;
use shopwright_domain::{ClusterName, OperationId, StoreId, TenantId};

use crate::secrets::Sealed;
use crate::storage::{
    ApiToken, AuditEntry, Event, IdempotencyRecord, Lease, RefreshToken, RegisteredCluster, SealedKey, Session, Tenant,
    Throttle, User,
};

/// Everything in the database at one time, for tests to look at. Rows are in the order in which they were added.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Organisations.
    pub tenants: Vec<Tenant>,
    /// Accounts.
    pub users: Vec<User>,
    /// Registered clusters.
    pub clusters: Vec<RegisteredCluster>,
    /// Stores, deleted ones too.
    pub stores: Vec<Store>,
    /// Operations, finished ones too.
    pub operations: Vec<Operation>,
    /// What became of their steps.
    pub steps: Vec<(OperationId, StepRecord)>,
    /// Sealed credentials.
    pub credentials: BTreeMap<StoreId, Sealed>,
    /// The audit trail of all tenants.
    pub audit: Vec<AuditEntry>,
    /// What readers follow live.
    pub events: Vec<Event>,
    /// Of each tenant the number of the last event that was forgotten.
    pub event_floors: BTreeMap<TenantId, u64>,
    /// Transactions that had something to tell.
    pub transactions: u64,
    /// Idempotency keys.
    pub idempotency: Vec<IdempotencyRecord>,
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
        let mut steps: Vec<_> =
            self.steps.iter().filter(|(of, _)| *of == id).map(|(_, record)| record.clone()).collect();
        steps.sort_by_key(|record| record.step.kind().steps().iter().position(|step| *step == record.step));
        steps
    }

    /// The operation of a lease that still holds: running, in the hands of its worker, under the store's present epoch.
    pub(super) fn leased_mut(&mut self, lease: &Lease) -> Option<&mut Operation> {
        let epoch = self.store(&lease.store_id)?.epoch;
        self.operations.iter_mut().find(|operation| {
            operation.id == lease.operation_id
                && operation.status == OperationStatus::Running
                && operation.worker == Some(lease.worker)
                && operation.epoch == lease.epoch
                && epoch == lease.epoch
        })
    }

    /// Whether the cluster has no permit left: they are held by running operations whose lease has not run out.
    pub(super) fn is_full(&self, cluster: &ClusterName, now: Timestamp) -> bool {
        let running = self
            .running(now)
            .filter(|operation| self.store(&operation.store_id).is_some_and(|store| store.cluster == *cluster))
            .count();
        let permits = self.clusters.iter().find(|row| row.name == *cluster).map_or(0, |row| row.permits);
        running >= permits as usize
    }

    /// The operations that somebody works on.
    pub(super) fn running(&self, now: Timestamp) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(move |operation| {
            operation.status == OperationStatus::Running && operation.lease_expires_at.is_some_and(|end| end > now)
        })
    }
}
