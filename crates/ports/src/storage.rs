//! The database as one transaction with repositories in it.
//!
//! A use case begins a [`Transaction`], works with the repositories it needs, and commits: store, operation, audit event and
//! idempotency key stand or fall together. Dropping a transaction rolls it back, also when the future that holds it is dropped at any
//! await. No transaction is held across a call to the cluster or to Helm. Lock order: tenant, then store, then operation; whoever adds or
//! changes a store or an operation locks its tenant first, because every such change is an event of the tenant's stream.
//!
//! Every transaction says by its [`Reach`] whose rows it is about; what lies outside is not there for it.

mod api_tokens;
mod audit;
mod clusters;
mod credentials;
mod events;
mod idempotency;
mod invitations;
mod keys;
mod memberships;
mod operations;
mod reach;
mod releases;
mod sessions;
mod stores;
mod tenants;
mod throttles;
mod users;

use async_trait::async_trait;

pub use api_tokens::{ApiToken, ApiTokenRepository};
pub use audit::{AuditEntry, AuditFilter, AuditPlace, AuditRepository};
pub use clusters::{ClusterCensus, ClusterRepository, RegisteredCluster};
pub use credentials::CredentialRepository;
pub use events::{Event, EventRepository, InvalidMark, Mark, News, StreamBounds};
pub use idempotency::{IdempotencyRecord, IdempotencyRepository, StoredAnswer};
pub use invitations::{Invitation, InvitationRepository};
pub use keys::{SealedKey, SigningKeyRepository};
pub use memberships::{Member, MembershipRepository};
pub use operations::{Census, Claim, Lease, OperationFilter, OperationRepository, TakeOver};
pub use reach::Reach;
pub use releases::ReleaseRepository;
pub use sessions::{RefreshToken, Session, SessionRepository};
pub use stores::{Page, StoreFilter, StorePlace, StoreRepository, StoreSort, UnknownSort};
pub use tenants::{Tenant, TenantRepository};
pub use throttles::{Throttle, ThrottleRepository};
pub use users::{Account, User, UserFilter, UserPlace, UserRepository};

use crate::Source;

/// The uniqueness that a write would have broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unique {
    /// An account with this e-mail exists.
    UserEmail,
    /// An account with this name exists.
    Username,
    /// The user belongs to the organisation.
    Membership,
    /// The tenant has a live store of this name.
    StoreName,
    /// A store holds this host, or held it a short while ago.
    StoreHost,
    /// A store has this id.
    StoreId,
    /// The store has an operation that is not finished.
    UnfinishedOperation,
}

/// What went wrong, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The database does not answer, or not in time. Nothing was committed unless the failing call was the commit.
    #[error("the database does not answer: {detail}")]
    Unavailable {
        /// What was tried, without credentials.
        detail: String,
        /// The driver's error.
        #[source]
        source: Option<Source>,
    },
    /// Two transactions met: begin again.
    #[error("transactions met: begin again")]
    Conflict,
    /// The row was changed since it was read: read again and decide again.
    #[error("the row was changed since it was read")]
    Stale,
    /// The lease is somebody else's now: stop at once (DECISIONS 2).
    #[error("the lease is lost")]
    LeaseLost,
    /// A uniqueness that the caller has an answer to.
    #[error("not unique: {0:?}")]
    NotUnique(Unique),
    /// The transaction's [`Reach`] does not allow this: a fault of ours. Nothing can follow but a rollback.
    #[error("{detail}: out of the transaction's reach")]
    OutOfReach {
        /// What was tried.
        detail: String,
    },
    /// A row that this version cannot read.
    #[error("{table}.{column} of {row} cannot be read: {detail}")]
    Corrupt {
        /// Where.
        table: &'static str,
        /// Which column.
        column: &'static str,
        /// Which row.
        row: String,
        /// What was found.
        detail: String,
    },
    /// A fault of ours: bad SQL, a broken constraint nobody has an answer to.
    #[error("{detail}")]
    Internal {
        /// What was tried.
        detail: String,
        /// The driver's error.
        #[source]
        source: Option<Source>,
    },
}

impl StorageError {
    /// Whether the same transaction, begun again, may succeed at once.
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict)
    }
}

/// The database.
#[async_trait]
pub trait Storage: Send + Sync {
    /// Begins a transaction that sees and writes the rows within `reach`, and none else.
    async fn begin(&self, reach: Reach) -> Result<Box<dyn Transaction>, StorageError>;

    /// Whether it answers and its schema is the one this version needs.
    async fn check(&self) -> Result<(), StorageError>;

    /// Renews every lease in `held` that is still this worker's, in one statement, and returns those. Made on a connection of its own,
    /// so that a busy pool cannot cost a lease.
    async fn renew(&self, held: &[Lease], lease: std::time::Duration) -> Result<Vec<Lease>, StorageError>;

    /// Returns when there may be new events. A hint, that may come too often or never (RELIABILITY F23): whoever waits looks by
    /// themselves too.
    async fn stirred(&self) {
        std::future::pending::<()>().await;
    }
}

/// Everything that one transaction can touch.
#[async_trait]
pub trait Transaction: Send {
    /// Organisations.
    fn tenants(&mut self) -> &mut dyn TenantRepository;
    /// Who belongs to which organisation.
    fn memberships(&mut self) -> &mut dyn MembershipRepository;
    /// Invitations to organisations.
    fn invitations(&mut self) -> &mut dyn InvitationRepository;
    /// Accounts.
    fn users(&mut self) -> &mut dyn UserRepository;
    /// Registered clusters.
    fn clusters(&mut self) -> &mut dyn ClusterRepository;
    /// Stores.
    fn stores(&mut self) -> &mut dyn StoreRepository;
    /// Sealed credentials of stores.
    fn credentials(&mut self) -> &mut dyn CredentialRepository;
    /// What releases were made of.
    fn releases(&mut self) -> &mut dyn ReleaseRepository;
    /// The queue, and the steps.
    fn operations(&mut self) -> &mut dyn OperationRepository;
    /// The audit trail.
    fn audit(&mut self) -> &mut dyn AuditRepository;
    /// What readers follow live.
    fn events(&mut self) -> &mut dyn EventRepository;
    /// Idempotency keys.
    fn idempotency(&mut self) -> &mut dyn IdempotencyRepository;
    /// Keys that sign access tokens.
    fn signing_keys(&mut self) -> &mut dyn SigningKeyRepository;
    /// Sign-ins.
    fn sessions(&mut self) -> &mut dyn SessionRepository;
    /// What programs sign in with.
    fn api_tokens(&mut self) -> &mut dyn ApiTokenRepository;
    /// Counters of attempts to sign in.
    fn throttles(&mut self) -> &mut dyn ThrottleRepository;

    /// Makes it all true. After [`StorageError::Unavailable`] from here nobody knows: read again by key before repeating (F15).
    async fn commit(self: Box<Self>) -> Result<(), StorageError>;
}
