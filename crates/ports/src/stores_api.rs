//! Driving port: what may be asked for stores.

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use shopwright_domain::engine::{EngineDescriptor, RotationTarget};
use shopwright_domain::identity::Actor;
use shopwright_domain::operation::{Operation, OperationKind, OperationStatus, ReleaseDigests};
use shopwright_domain::organisation::{Action, Role};
use shopwright_domain::plans::{Plan, PlanName};
use shopwright_domain::saga::StepRecord;
use shopwright_domain::store::{EngineName, InvalidStoreName, Store, StoreHost, StoreName, StoreState, ThemeName};
use shopwright_domain::{OperationId, RowVersion, StoreId};

use crate::gate_api::Promise;
use crate::identity_api::Origin;
use crate::releases::ObjectRef;
use crate::storage::{AuditEntry, AuditPlace, OperationFilter, Page, StorageError, StoreFilter, StorePlace};

/// Who asks, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestContext {
    /// Who.
    pub actor: Actor,
    /// From where.
    pub origin: Origin,
    /// What the client promised about repetitions.
    pub promise: Option<Promise>,
    /// Only if the store that is written to has this version still.
    pub expected: Option<RowVersion>,
}

impl RequestContext {
    /// A request without promises and conditions.
    pub const fn new(actor: Actor, origin: Origin) -> Self {
        Self { actor, origin, promise: None, expected: None }
    }
}

/// What a merchant asks for.
#[derive(Debug, Clone)]
pub struct CreateStore {
    /// Its name.
    pub name: StoreName,
    /// What runs in it.
    pub engine: EngineName,
    /// Its look; the engine's default when there is none.
    pub theme: Option<ThemeName>,
    /// The password of its administrator; a strong one is minted when there is none.
    pub password: Option<SecretString>,
}

/// A request was written down; the operation does the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The store as it is now.
    pub store: Store,
    /// What runs for it. None only when nothing is left to do.
    pub operation: Option<Operation>,
    /// Whether the actor may see the store's credentials: an owner or administrator of its organisation.
    pub is_owner: bool,
}

/// The administrator's credentials of one store.
#[derive(Debug, Clone)]
pub struct AdminCredentials {
    /// Their address.
    pub email: String,
    /// The name to sign in with, for engines that have one.
    pub username: Option<String>,
    /// The password, for those only who may see it.
    pub password: Option<SecretString>,
}

/// A store as its reader may see it.
#[derive(Debug, Clone)]
pub struct StoreView {
    /// The store.
    pub store: Store,
    /// The operation that runs, or ran last.
    pub operation: Option<Operation>,
    /// Present once the store is ready.
    pub credentials: Option<AdminCredentials>,
    /// Whether the reader may see the store's credentials: an owner or administrator of its organisation.
    pub is_owner: bool,
}

/// An engine, as whoever chooses one may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineView {
    /// What is known of it.
    pub engine: EngineDescriptor,
    /// What owners of its stores must know.
    pub note: Option<String>,
    /// Why no store of it can be made here now.
    pub unavailable: Option<String>,
}

/// A page of stores.
#[derive(Debug, Clone)]
pub struct StorePage {
    /// The stores in the order that was asked for, without credentials.
    pub stores: Vec<StoreView>,
    /// How many match in all.
    pub total: u64,
    /// Where the next page begins; none on the last.
    pub next: Option<StorePlace>,
}

/// A page of audit entries.
#[derive(Debug, Clone)]
pub struct LogPage {
    /// The entries, newest first.
    pub entries: Vec<AuditEntry>,
    /// How many match in all.
    pub total: u64,
    /// Where the next page begins; none on the last.
    pub next: Option<AuditPlace>,
}

/// A page of operations.
#[derive(Debug, Clone)]
pub struct OperationPage {
    /// The operations, newest first.
    pub operations: Vec<Operation>,
    /// Where the next page begins; none on the last.
    pub next: Option<(Timestamp, OperationId)>,
}

/// An operation with what became of its steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationView {
    /// The operation.
    pub operation: Operation,
    /// Its steps in order.
    pub steps: Vec<StepRecord>,
}

/// What becomes of an object in an upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added,
    /// It goes.
    Removed,
    /// It is another than before.
    Changed,
}

/// A field that an upgrade changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Its path in the object.
    pub path: String,
    /// What it was, for fields that people decide by: images and sizes.
    pub before: Option<String>,
    /// What it will be, for the same fields.
    pub after: Option<String>,
}

/// An object that an upgrade changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectChange {
    /// Which object.
    pub object: ObjectRef,
    /// What becomes of it.
    pub change: Change,
    /// Of one that is changed, what of it: as many as a person reads.
    pub fields: Vec<FieldChange>,
}

/// What an upgrade would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpgradePreview {
    /// Whether chart and values files are those that the store was made of.
    pub up_to_date: bool,
    /// What the store was last seen to work with.
    pub from: ReleaseDigests,
    /// What it would be made of.
    pub to: ReleaseDigests,
    /// The objects that differ.
    pub changes: Vec<ObjectChange>,
}

/// How much of something a store takes, and how much it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// What its release asks for.
    pub taken: u64,
    /// What its quota gives; none where there is no quota.
    pub quota: Option<u64>,
}

/// What a store takes of its cluster, as the release says that it runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreResources {
    /// Computing that its pods may do at once, in thousandths of a core.
    pub cpu_millicores: Share,
    /// Memory that its pods may use.
    pub memory_bytes: Share,
    /// Its volumes.
    pub storage_bytes: Share,
}

/// What an organisation may take, and how much of it is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitsView {
    /// Its plan.
    pub plan_name: PlanName,
    /// What the plan means.
    pub plan: Plan,
    /// Stores that count.
    pub stores_used: u32,
    /// When the pause since the last creation ends; none when it has.
    pub cooldown_ends_at: Option<Timestamp>,
}

/// Why a name cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameRefusal {
    /// It breaks a rule.
    Invalid(InvalidStoreName),
    /// The organisation has a store of this name.
    InUse(StoreId, StoreState),
}

/// What would become of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    /// Why it cannot be had; none when it can.
    pub refusal: Option<NameRefusal>,
    /// A name near it that could be had.
    pub suggestion: Option<StoreName>,
    /// Where the store would be reached. When somebody else holds the host of the name, one like this: its last four characters are drawn anew.
    pub host: Option<StoreHost>,
    /// The storefront's URL there.
    pub url: Option<String>,
}

/// Why a request for a store is refused.
#[derive(Debug, thiserror::Error)]
pub enum StoreServiceError {
    /// Another tenant's store, or, for a tenant, one that does not exist: the same answer (DECISIONS 30).
    #[error("this store is not yours")]
    Forbidden,
    /// Their role in the organisation is not enough.
    #[error("as {role} you may not {}", .action.words())]
    NotAllowed {
        /// What they are.
        role: Role,
        /// What they wanted.
        action: Action,
    },
    /// Platform administrators learn that there is no such store or operation.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The actor has a live store of this name.
    #[error("you already have a store named `{name}`: {store_id}, {state}")]
    NameInUse {
        /// The name.
        name: StoreName,
        /// The store that has it.
        store_id: StoreId,
        /// How that one is doing.
        state: StoreState,
    },
    /// The actor has a failed store of this name and another engine.
    #[error("your failed store {store_id} has this name and runs {engine}: delete it first")]
    EngineDiffers {
        /// The store that has it.
        store_id: StoreId,
        /// What it runs.
        engine: EngineName,
    },
    /// The quota is used up.
    #[error("{held} of {limit} stores are in use: delete one first")]
    QuotaUsedUp {
        /// Stores held.
        held: u32,
        /// Stores allowed.
        limit: u32,
    },
    /// Too soon after the last one.
    #[error("the next store may be created at {until}")]
    Cooldown {
        /// When it ends.
        until: Timestamp,
    },
    /// Only a failed store can be retried.
    #[error("a store that is {state} cannot be retried")]
    NotRetryable {
        /// How it is doing.
        state: StoreState,
    },
    /// Only a provision that is not finished can be cancelled.
    #[error("a {kind} that is {status} cannot be cancelled")]
    NotCancellable {
        /// What it does.
        kind: OperationKind,
        /// How it is doing.
        status: OperationStatus,
    },
    /// Only a store that is ready can be changed, and only one that was has credentials to show.
    #[error("the store is {state}: this can be asked of a store that is ready")]
    NotReady {
        /// How it is doing.
        state: StoreState,
    },
    /// Something runs on the store already.
    #[error("the store is busy, {kind} runs: wait for its end")]
    Busy {
        /// What it does.
        kind: OperationKind,
        /// Where it can be followed.
        operation_id: OperationId,
    },
    /// The engine's set-up cannot replace this secret.
    #[error("a store on {engine} has no {target} password that can be replaced")]
    NotRotatable {
        /// What the store runs.
        engine: EngineName,
        /// Which secret.
        target: RotationTarget,
    },
    /// There is nothing that a change could be taken back to.
    #[error("nothing was kept of the release that the store runs on, so a change could not be taken back")]
    NothingKept,
    /// Credentials were looked at often enough for now.
    #[error("credentials may be looked at again at {until}")]
    RevealedTooOften {
        /// When.
        until: Timestamp,
    },
    /// It was retried often enough.
    #[error("the store was retried {limit} times: look at its logs, or delete it")]
    RetriesUsedUp {
        /// The cap.
        limit: u32,
    },
    /// The platform cannot make stores of this engine as it is configured.
    #[error("{0}")]
    EngineUnavailable(String),
    /// The idempotency key was used for another request.
    #[error("this idempotency key was used for another request")]
    KeyReused,
    /// The request with this idempotency key is still being worked on.
    #[error("a request with this idempotency key is being worked on")]
    KeyInFlight,
    /// The request was carried out under this key, and what its client was told is lost.
    #[error("the request with this idempotency key was carried out, and its answer is lost")]
    AnswerLost,
    /// The store is not the one that the client looked at.
    #[error("the store was changed since it was read")]
    Changed,
    /// Somebody else changed the store at the same moment; asking again is safe.
    #[error("the store was changed at the same moment")]
    Conflict,
    /// The database does not answer, or worse.
    #[error("storage")]
    Storage(#[source] StorageError),
    /// A fault of ours.
    #[error("{0}")]
    Internal(String),
}

/// Everything that may be asked for stores.
#[cfg_attr(any(test, feature = "testing"), mockall::automock)]
#[async_trait]
pub trait StoreService: Send + Sync {
    /// The engines that stores can be made of.
    async fn engines(&self) -> Result<Vec<EngineView>, StoreServiceError>;

    /// Writes the request down; a worker does the rest. Creating the name of an own failed store of the same engine is its retry.
    async fn create(&self, context: &RequestContext, command: CreateStore) -> Result<Accepted, StoreServiceError>;

    /// One store, deleted ones too.
    async fn get(&self, context: &RequestContext, id: &StoreId) -> Result<StoreView, StoreServiceError>;

    /// The actor's stores; all tenants' for platform administrators.
    async fn list(
        &self,
        context: &RequestContext,
        filter: StoreFilter,
        page: Page,
    ) -> Result<StorePage, StoreServiceError>;

    /// Removes a store: takes over from whatever runs on it. Deleting twice is one deletion.
    async fn delete(&self, context: &RequestContext, id: &StoreId) -> Result<Accepted, StoreServiceError>;

    /// Repeats the operation that failed, from the step at which it failed.
    async fn retry(&self, context: &RequestContext, id: &StoreId) -> Result<Accepted, StoreServiceError>;

    /// The administrator's credentials, for the store's owner alone. Every look is counted and written down.
    async fn reveal_credentials(
        &self,
        context: &RequestContext,
        id: &StoreId,
    ) -> Result<AdminCredentials, StoreServiceError>;

    /// Replaces these secrets of a store that is ready. The old ones are in force until the new ones are seen to work.
    async fn rotate_credentials(
        &self,
        context: &RequestContext,
        id: &StoreId,
        targets: Vec<RotationTarget>,
    ) -> Result<Accepted, StoreServiceError>;

    /// What [`StoreService::upgrade`] would change. Nothing is written.
    async fn preview_upgrade(
        &self,
        context: &RequestContext,
        id: &StoreId,
    ) -> Result<UpgradePreview, StoreServiceError>;

    /// What a store that is ready takes, against its quota. No cluster is asked.
    async fn resources(&self, context: &RequestContext, id: &StoreId) -> Result<StoreResources, StoreServiceError>;

    /// Brings a store that is ready to what the platform would make of it now. When that fails the store is brought back to what it was;
    /// it stays ready.
    async fn upgrade(&self, context: &RequestContext, id: &StoreId) -> Result<Accepted, StoreServiceError>;

    /// Stops a provision that is not finished and takes back what it has made: the store becomes `failed` with the code `cancelled` and can
    /// be retried or deleted. Cancelling twice is one cancellation.
    async fn cancel(&self, context: &RequestContext, id: OperationId) -> Result<Accepted, StoreServiceError>;

    /// What the actor's organisation may take.
    async fn limits(&self, context: &RequestContext) -> Result<LimitsView, StoreServiceError>;

    /// What would become of a store called `name`: nothing is reserved by asking.
    async fn availability(&self, context: &RequestContext, name: &str) -> Result<Availability, StoreServiceError>;

    /// What happened to a store, behind the place `after`.
    async fn logs(
        &self,
        context: &RequestContext,
        id: &StoreId,
        after: Option<AuditPlace>,
        page: Page,
    ) -> Result<LogPage, StoreServiceError>;

    /// What runs and ran on the actor's stores; on all tenants' for platform administrators. A store that is not theirs has none.
    async fn operations(
        &self,
        context: &RequestContext,
        filter: OperationFilter,
        limit: u32,
    ) -> Result<OperationPage, StoreServiceError>;

    /// One operation with its steps.
    async fn operation(&self, context: &RequestContext, id: OperationId) -> Result<OperationView, StoreServiceError>;
}
