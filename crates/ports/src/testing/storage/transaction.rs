//! A transaction: the lock, and the copy it works on.

use std::sync::Arc;

use async_trait::async_trait;
use futures::lock::OwnedMutexGuard;
use jiff::Timestamp;
use shopwright_domain::TenantId;

use super::Snapshot;
use crate::clock::Clock;
use crate::storage::{
    ApiTokenRepository, AuditRepository, ClusterRepository, CredentialRepository, IdempotencyRepository,
    InvitationRepository, MembershipRepository, OperationRepository, Reach, SessionRepository, SigningKeyRepository,
    StorageError, StoreRepository, TenantRepository, ThrottleRepository, Transaction, Unique, UserRepository,
};
use crate::testing::Faults;

pub(super) struct FakeTransaction {
    committed: OwnedMutexGuard<Snapshot>,
    working: Snapshot,
    pub(super) reach: Reach,
    failed: bool,
    clock: Arc<dyn Clock>,
    pub(super) faults: Arc<Faults<StorageError>>,
}

impl FakeTransaction {
    pub(super) fn new(
        committed: OwnedMutexGuard<Snapshot>,
        reach: Reach,
        clock: Arc<dyn Clock>,
        faults: Arc<Faults<StorageError>>,
    ) -> Self {
        let working = committed.clone();
        Self { committed, working, reach, failed: false, clock, faults }
    }

    /// All rows, whatever the reach: for what constraints look at.
    pub(super) fn rows(&mut self) -> Result<&mut Snapshot, StorageError> {
        if self.failed { Err(failed_before()) } else { Ok(&mut self.working) }
    }

    /// All rows, for a transaction that has business with what organisations own. The caller leaves out what the reach does not cover.
    pub(super) fn owned_rows(&mut self) -> Result<&mut Snapshot, StorageError> {
        let allowed = self.reach != Reach::Identity;
        self.within_reach(allowed, "what organisations own")?;
        self.rows()
    }

    /// All rows, for a transaction that has business with accounts and what they sign in with.
    pub(super) fn identity_rows(&mut self) -> Result<&mut Snapshot, StorageError> {
        let allowed = self.reach == Reach::Identity;
        self.within_reach(allowed, "accounts and sign-ins")?;
        self.rows()
    }

    /// Refuses to add a row to what the reach does not cover.
    pub(super) fn admit(&mut self, tenant_id: TenantId) -> Result<(), StorageError> {
        let allowed = self.reach.covers(tenant_id);
        self.within_reach(allowed, "a row of another organisation")
    }

    /// As in PostgreSQL a refusal leaves nothing but a rollback.
    pub(super) fn within_reach(&mut self, allowed: bool, what: &str) -> Result<(), StorageError> {
        self.rows()?;
        if allowed {
            return Ok(());
        }
        self.failed = true;
        Err(StorageError::OutOfReach { detail: what.to_owned() })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A uniqueness would be broken: as in PostgreSQL, the transaction can only be rolled back.
    pub(super) fn not_unique(&mut self, unique: Unique) -> StorageError {
        self.failed = true;
        StorageError::NotUnique(unique)
    }

    /// A row would point at one that is not there: a fault of the caller, after which the transaction can only be rolled back.
    pub(super) fn require(&mut self, exists: bool, what: &str) -> Result<(), StorageError> {
        if exists {
            return Ok(());
        }
        self.failed = true;
        Err(StorageError::Internal { detail: format!("{what} is not in the database: add it first"), source: None })
    }
}

fn failed_before() -> StorageError {
    let detail = "a call in this transaction was refused: nothing can follow but a rollback".to_owned();
    StorageError::Internal { detail, source: None }
}

#[async_trait]
impl Transaction for FakeTransaction {
    fn tenants(&mut self) -> &mut dyn TenantRepository {
        self
    }

    fn memberships(&mut self) -> &mut dyn MembershipRepository {
        self
    }

    fn invitations(&mut self) -> &mut dyn InvitationRepository {
        self
    }

    fn users(&mut self) -> &mut dyn UserRepository {
        self
    }

    fn clusters(&mut self) -> &mut dyn ClusterRepository {
        self
    }

    fn stores(&mut self) -> &mut dyn StoreRepository {
        self
    }

    fn credentials(&mut self) -> &mut dyn CredentialRepository {
        self
    }

    fn operations(&mut self) -> &mut dyn OperationRepository {
        self
    }

    fn audit(&mut self) -> &mut dyn AuditRepository {
        self
    }

    fn idempotency(&mut self) -> &mut dyn IdempotencyRepository {
        self
    }

    fn signing_keys(&mut self) -> &mut dyn SigningKeyRepository {
        self
    }

    fn sessions(&mut self) -> &mut dyn SessionRepository {
        self
    }

    fn api_tokens(&mut self) -> &mut dyn ApiTokenRepository {
        self
    }

    fn throttles(&mut self) -> &mut dyn ThrottleRepository {
        self
    }

    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        let Self { mut committed, working, failed, faults, .. } = *self;
        let write = || {
            if failed {
                return Err(failed_before());
            }
            *committed = working;
            Ok(())
        };
        faults.around("commit", write).await
    }
}
