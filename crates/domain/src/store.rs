//! A store: what a merchant asked for, where it is, and how it is doing.

mod engine;
mod host;
mod name;
mod state;

use jiff::{SignedDuration, Timestamp};

pub use engine::{EngineName, InvalidEngineName, InvalidThemeName, ThemeName};
pub use host::{HostSuffix, InvalidHost, StoreHost};
pub use name::{InvalidStoreName, StoreName};
pub use state::{IllegalTransition, InvalidState, StoreEvent, StoreState};

use crate::error_code::ErrorCode;
use crate::ids::{ClusterName, Epoch, RowVersion, StoreId, TenantId, UserId};

/// Why a store is `failed`, or what its operation waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The typed reason.
    pub code: ErrorCode,
    /// The words of whoever met it: the pod's own reason, an object's name. Never a secret.
    pub detail: String,
}

impl Failure {
    /// A failure with its detail.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

/// The URLs under which a store that is or was ready can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreUrls {
    /// Where shoppers go.
    pub storefront: String,
    /// Where the merchant signs in.
    pub admin: String,
}

/// One store, as its row holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Identity; also namespace and release.
    pub id: StoreId,
    /// The organisation that owns it.
    pub tenant_id: TenantId,
    /// The person who asked for it, whose credentials it has.
    pub owner_id: UserId,
    /// The cluster it was placed on.
    pub cluster: ClusterName,
    /// What the merchant calls it.
    pub name: StoreName,
    /// The host that shoppers use.
    pub host: StoreHost,
    /// What runs in it.
    pub engine: EngineName,
    /// The look, for engines that have a choice.
    pub theme: Option<ThemeName>,
    /// Where it is in its life.
    pub state: StoreState,
    /// Fencing number of the last claim.
    pub epoch: Epoch,
    /// Optimistic lock.
    pub row_version: RowVersion,
    /// How often it was retried since it was last ready.
    pub retry_count: u32,
    /// Why it is failed.
    pub failure: Option<Failure>,
    /// Set when it became ready; kept after deletion.
    pub urls: Option<StoreUrls>,
    /// What a user must know about this store's engine, for instance that it cannot take orders.
    pub engine_note: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its row last changed.
    pub updated_at: Timestamp,
    /// When the provisioning that runs, or ran last, was started.
    pub provisioning_started_at: Option<Timestamp>,
    /// How long the successful provisioning took.
    pub provisioning_duration: Option<SignedDuration>,
    /// When it was first ready. A store that ever was is never unwound (DECISIONS 10).
    pub ready_at: Option<Timestamp>,
    /// When the last of it was gone.
    pub deleted_at: Option<Timestamp>,
}

impl Store {
    /// Moves the store along `event`. Nothing else changes a state.
    ///
    /// # Errors
    /// [`IllegalTransition`] when the state has no such edge; the store is then unchanged.
    pub fn apply(&mut self, event: StoreEvent, now: Timestamp) -> Result<(), IllegalTransition> {
        self.state = self.state.apply(event)?;
        // Whoever asks next may have a clock that is behind; a row never gets younger (RELIABILITY F7).
        self.updated_at = self.updated_at.max(now);
        match event {
            StoreEvent::ProvisioningStarted => self.provisioning_started_at = Some(now),
            StoreEvent::Provisioned => {
                self.failure = None;
                self.retry_count = 0;
                self.ready_at.get_or_insert(now);
                self.provisioning_duration = self.provisioning_started_at.map(|start| now.duration_since(start));
            }
            StoreEvent::Retried => {
                self.failure = None;
                self.retry_count += 1;
            }
            StoreEvent::DeletionRequested => self.failure = None,
            StoreEvent::Deleted => self.deleted_at = Some(now),
            StoreEvent::ProvisioningFailed | StoreEvent::DeletionFailed => {}
        }
        Ok(())
    }
}

/// A store for tests and examples: requested, of `tenant`, named `name`.
///
/// It is public because embedders need one too; nothing in it is special.
pub fn example_store(id: StoreId, tenant_id: TenantId, name: StoreName, now: Timestamp) -> Store {
    let host = StoreHost::of_label(name.as_str(), &HostSuffix::local());
    Store {
        id,
        tenant_id,
        owner_id: UserId::from_uuid(tenant_id.as_uuid()),
        cluster: ClusterName::default_cluster(),
        name,
        host,
        engine: EngineName::example(),
        theme: None,
        state: StoreState::Requested,
        epoch: Epoch(0),
        row_version: RowVersion(1),
        retry_count: 0,
        failure: None,
        urls: None,
        engine_note: None,
        created_at: now,
        updated_at: now,
        provisioning_started_at: None,
        provisioning_duration: None,
        ready_at: None,
        deleted_at: None,
    }
}
