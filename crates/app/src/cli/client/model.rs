//! The parts of the API's answers that commands look at. Fields that this version does not know are left alone.

use serde::Deserialize;

/// A store.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Store {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) engine: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) theme: Option<String>,
    #[serde(default)]
    pub(super) urls: Urls,
    #[serde(default)]
    pub(super) host: Option<String>,
    #[serde(default)]
    pub(super) admin_credentials: Credentials,
    #[serde(default)]
    pub(super) failure_reason: Option<String>,
    #[serde(default)]
    pub(super) engine_note: Option<String>,
    #[serde(default)]
    pub(super) provisioning_duration_ms: Option<u64>,
    pub(super) created_at: String,
    #[serde(default)]
    pub(super) operation: Option<Operation>,
}

/// Where a store that is or was ready can be reached.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Urls {
    #[serde(default)]
    pub(super) storefront: Option<String>,
    #[serde(default)]
    pub(super) admin: Option<String>,
}

/// The credentials of a store's administrator, for its owner.
#[derive(Default, Deserialize)]
pub(super) struct Credentials {
    #[serde(default)]
    pub(super) email: Option<String>,
    #[serde(default)]
    pub(super) username: Option<String>,
    #[serde(default)]
    pub(super) password: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// What runs for a store.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) store_id: String,
    pub(super) kind: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) steps: Vec<Step>,
    #[serde(default)]
    pub(super) setup: Vec<SetupStep>,
    #[serde(default)]
    pub(super) failure: Option<Failure>,
}

/// One step of an engine's own set-up.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SetupStep {
    pub(super) name: String,
    pub(super) duration_ms: u64,
}

impl Operation {
    /// Whether nothing more happens to it.
    pub(super) fn is_finished(&self) -> bool {
        matches!(self.status.as_str(), "succeeded" | "failed" | "cancelled")
    }
}

/// One step.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) attempts: u32,
    #[serde(default)]
    pub(super) started_at: Option<jiff::Timestamp>,
    #[serde(default)]
    pub(super) finished_at: Option<jiff::Timestamp>,
    #[serde(default)]
    pub(super) error: Option<Failure>,
}

/// Why something waits or failed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Failure {
    pub(super) code: String,
    #[serde(default)]
    pub(super) detail: String,
    #[serde(default)]
    pub(super) hint: String,
}

/// `{store}`.
#[derive(Debug, Deserialize)]
pub(super) struct StoreAnswer {
    pub(super) store: Store,
}

/// `{stores, total}`.
#[derive(Debug, Deserialize)]
pub(super) struct StoresAnswer {
    pub(super) stores: Vec<Store>,
    #[serde(default)]
    pub(super) total: u64,
}

/// `{operation}`.
#[derive(Debug, Deserialize)]
pub(super) struct OperationAnswer {
    pub(super) operation: Operation,
}

/// `{credentials}`.
#[derive(Debug, Deserialize)]
pub(super) struct CredentialsAnswer {
    pub(super) credentials: Credentials,
}

/// `{engines}`.
#[derive(Debug, Deserialize)]
pub(super) struct EnginesAnswer {
    pub(super) engines: Vec<Engine>,
}

/// What stores can be made of.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Engine {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) summary: String,
    #[serde(default)]
    pub(super) unavailable_reason: Option<String>,
    #[serde(default)]
    pub(super) note: Option<String>,
}

/// `{upgrade}`.
#[derive(Debug, Deserialize)]
pub(super) struct UpgradeAnswer {
    pub(super) upgrade: UpgradePreview,
}

/// What an upgrade would change.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpgradePreview {
    pub(super) up_to_date: bool,
    #[serde(default)]
    pub(super) changes: Vec<ObjectChange>,
}

/// An object that it would change.
#[derive(Debug, Deserialize)]
pub(super) struct ObjectChange {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) change: String,
    #[serde(default)]
    pub(super) fields: Vec<FieldChange>,
}

/// A field of it.
#[derive(Debug, Deserialize)]
pub(super) struct FieldChange {
    pub(super) path: String,
    #[serde(default)]
    pub(super) before: Option<String>,
    #[serde(default)]
    pub(super) after: Option<String>,
}

/// `{logs}`.
#[derive(Debug, Deserialize)]
pub(super) struct LogsAnswer {
    pub(super) logs: Vec<Log>,
}

/// One thing that happened.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Log {
    pub(super) id: String,
    pub(super) event_type: String,
    #[serde(default)]
    pub(super) previous_status: Option<String>,
    #[serde(default)]
    pub(super) new_status: Option<String>,
    pub(super) message: String,
    pub(super) created_at: String,
}

/// `{token, refreshToken, expiresIn}`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SignedIn {
    pub(super) token: secrecy::SecretString,
    #[serde(default)]
    pub(super) refresh_token: Option<secrecy::SecretString>,
    #[serde(default)]
    pub(super) expires_in: Option<u32>,
}

/// `{users, nextPageToken}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UsersAnswer {
    pub(super) users: Vec<User>,
    #[serde(default)]
    pub(super) next_page_token: Option<String>,
}

/// `{user}`.
#[derive(Debug, Deserialize)]
pub(super) struct UserAnswer {
    pub(super) user: User,
}

/// An account, for those who run the platform.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) username: String,
    pub(super) role: String,
    pub(super) active: bool,
    pub(super) sessions: u64,
    pub(super) api_tokens: u64,
    pub(super) created_at: String,
}

/// `{clusters}`.
#[derive(Debug, Deserialize)]
pub(super) struct ClustersAnswer {
    pub(super) clusters: Vec<Cluster>,
}

/// A cluster.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cluster {
    pub(super) name: String,
    #[serde(default)]
    pub(super) takes_work: Option<bool>,
    #[serde(default)]
    pub(super) reason: Option<String>,
    pub(super) fence: String,
    #[serde(default)]
    pub(super) breakers: Option<Breakers>,
    pub(super) capacity: Capacity,
    pub(super) operations: Queue,
    pub(super) engines: Vec<EngineOnCluster>,
}

/// How a cluster's breakers stand.
#[derive(Debug, Deserialize)]
pub(super) struct Breakers {
    pub(super) kubernetes: String,
}

/// How much runs on a cluster at once.
#[derive(Debug, Deserialize)]
pub(super) struct Capacity {
    pub(super) permits: u32,
    pub(super) running: u64,
}

/// Operations that do not run.
#[derive(Debug, Deserialize)]
pub(super) struct Queue {
    pub(super) queued: u64,
    pub(super) waiting: u64,
    pub(super) stuck: u64,
}

/// An engine on a cluster.
#[derive(Debug, Deserialize)]
pub(super) struct EngineOnCluster {
    pub(super) name: String,
    pub(super) stores: u64,
}
