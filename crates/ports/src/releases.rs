//! Releases of charts: what Helm does for a store, and what it needs of the cluster for that.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use shopwright_domain::StoreId;
use shopwright_domain::engine::EngineDescriptor;
use shopwright_domain::error_code::ErrorCode;
use shopwright_domain::operation::ReleaseDigests;
use shopwright_domain::plans::SizeName;
use shopwright_domain::saga::StepError;
use shopwright_domain::store::{EngineName, StoreHost, StoreName, ThemeName};

use crate::Source;
use crate::cluster::{ClusterError, Fence};

/// What a store's release is made of. It holds no secret: those reach the pods by the Secret that the cluster port writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseSpec {
    /// The store; also the release's name and namespace.
    pub store_id: StoreId,
    /// Which chart.
    pub engine: EngineName,
    /// The title of the shop.
    pub name: StoreName,
    /// Its host.
    pub host: StoreHost,
    /// The URL under which shoppers reach it, with scheme and port.
    pub public_url: String,
    /// Its look, for engines that have a choice.
    pub theme: Option<ThemeName>,
    /// Which of the chart's sizes; none: the one that its values name.
    pub size: Option<SizeName>,
    /// How often the set-up was asked for again. A raised number runs it once more on a store whose set-up has finished, which applies an
    /// administrator's password that is new in the Secret; the same number changes nothing.
    pub setup_revision: u64,
    /// Which of the store's sets of credentials is in the Secret: pods start anew when it is another than before. 1 is the first.
    pub credentials_version: u32,
    /// What it is made of; when there is none, of the platform's chart and values as they are now.
    pub origin: Option<ReleaseOrigin>,
}

/// A chart with its values files, as they were at some time: enough to install the same thing again. No secret is in it.
#[derive(Clone, PartialEq, Eq)]
pub struct ReleaseOrigin {
    /// The digest of what is in the archive.
    pub digest: String,
    /// The adapter's own format.
    pub archive: Arc<[u8]>,
}

impl fmt::Debug for ReleaseOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReleaseOrigin").field("digest", &self.digest).finish_non_exhaustive()
    }
}

/// The objects that a release would consist of, each as a flat map from the path of a field to its value.
pub type Manifest = BTreeMap<ObjectRef, BTreeMap<String, String>>;

/// What an installation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Helm's revision of the release.
    pub revision: u32,
    /// What it was made of: the very bytes that helm was given.
    pub digests: ReleaseDigests,
    /// Records of dead runs that were removed on the way, in words.
    pub healed: Vec<String>,
}

/// What is left of a release after its uninstallation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Uninstalled {
    /// Objects of the release that are still there and are not going away. The namespace's removal is what takes them (RELIABILITY F48).
    pub left: Vec<ObjectRef>,
}

/// An object of a release, in the release's namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// Its API, for instance `apps/v1`.
    pub api_version: String,
    /// Its kind, for instance `Deployment`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// Why Helm did not do it. Helm's words are filtered: no values, no addresses of credentials.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The helm binary is missing, cannot be run, or is of an unsupported version.
    #[error("helm cannot be run: {0}")]
    Unavailable(String),
    /// The chart does not accept its values, or is not there.
    #[error("the chart refuses its values: {0}")]
    Chart(String),
    /// Helm took longer than it may and was stopped.
    #[error("helm did not finish within {0:?} and was stopped")]
    Deadline(Duration),
    /// Helm said no.
    #[error("helm failed: {0}")]
    Failed(String),
    /// Somebody else has changed fields that are the chart's, and helm does not take them over.
    #[error("`{manager}` has changed fields that belong to the store's chart: {detail}")]
    Conflict {
        /// Under which name the change was made: a person's `kubectl`, an autoscaler.
        manager: String,
        /// Which fields of which object.
        detail: String,
    },
    /// Helm was ended by somebody else, or found no memory to go on.
    #[error("helm died: {0}")]
    Died(String),
    /// Helm said yes, but its record or the objects say otherwise.
    #[error("helm reported success, but {0}")]
    Lied(String),
    /// The cluster is the reason.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The machine is the reason: no space, no process.
    #[error("helm could not be started: {detail}")]
    Io {
        /// What was tried.
        detail: String,
        /// The system's error.
        #[source]
        source: Source,
    },
}

impl From<ReleaseError> for StepError {
    fn from(error: ReleaseError) -> Self {
        let code = match error {
            ReleaseError::Cluster(error) => return error.into(),
            ReleaseError::Unavailable(_) | ReleaseError::Died(_) | ReleaseError::Io { .. } => {
                ErrorCode::HelmUnavailable
            }
            ReleaseError::Chart(_) => ErrorCode::ChartInvalid,
            ReleaseError::Deadline(_)
            | ReleaseError::Failed(_)
            | ReleaseError::Conflict { .. }
            | ReleaseError::Lied(_) => ErrorCode::ReleaseFailed,
        };
        Self::new(code, error.to_string())
    }
}

/// Installs and removes releases.
#[async_trait]
pub trait Releases: Send + Sync {
    /// Installs the release or brings it up to `spec`; does not wait for pods. What a dead run left behind (a pending record, a record
    /// that cannot be read) is removed first. Success means that the record was read back as deployed, and that every object which it
    /// names was found in the cluster; [`ReleaseError::Lied`] names what is missing, and installing again brings it back.
    async fn install(&self, fence: &Fence, spec: &ReleaseSpec) -> Result<Installed, ReleaseError>;

    /// What an installation of `spec` would be made of now. An attempt whose digests differ from those of the one before installs
    /// something else (RELIABILITY F54).
    async fn digests(&self, spec: &ReleaseSpec) -> Result<ReleaseDigests, ReleaseError>;

    /// The platform's chart for this engine with its values files, as they are now.
    async fn origin(&self, engine: &EngineName) -> Result<ReleaseOrigin, ReleaseError>;

    /// What an installation of `spec` would consist of. It asks no cluster.
    async fn render(&self, spec: &ReleaseSpec) -> Result<Manifest, ReleaseError>;

    /// Removes the release and its objects; does not wait for pods. An absent release is success. Says what stays.
    async fn uninstall(&self, fence: &Fence) -> Result<Uninstalled, ReleaseError>;

    /// Whether stores of this engine can be made here, and what their owners must know (a note), before anything is promised.
    ///
    /// # Errors
    /// [`ReleaseError::Chart`] with the reason and what to do.
    async fn engine_note(&self, engine: &EngineDescriptor) -> Result<Option<String>, ReleaseError>;
}

/// A record that Helm keeps of a release, as the cluster holds it.
#[derive(Clone, PartialEq, Eq)]
pub struct ReleaseRecord {
    /// The record's object name.
    pub name: String,
    /// Its revision, from its name.
    pub revision: u32,
    /// For a precondition: which object.
    pub uid: String,
    /// For a precondition: which version of it.
    pub resource_version: String,
    /// Whether Helm finds it: it looks for its records by their labels, which anybody may have edited.
    pub visible: bool,
    /// What Helm wrote, undecoded.
    pub payload: Vec<u8>,
}

impl fmt::Debug for ReleaseRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The payload holds the release's values.
        f.debug_struct("ReleaseRecord")
            .field("name", &self.name)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

/// What a [`Releases`] adapter needs of the cluster; the Kubernetes adapter gives it.
#[async_trait]
pub trait ReleaseAccess: Send + Sync {
    /// A kubeconfig that acts as the worker under this fence. It holds credentials: keep it in a file of mode 0600 and remove it.
    async fn kubeconfig(&self, fence: &Fence) -> Result<SecretString, ClusterError>;

    /// All records of the store's release, oldest first; [`ClusterError::NamespaceGone`] if there is no place for any.
    async fn records(&self, fence: &Fence) -> Result<Vec<ReleaseRecord>, ClusterError>;

    /// Removes this record if it is still the one that was read. Gone or changed meanwhile is success: read again.
    async fn remove_record(&self, fence: &Fence, record: &ReleaseRecord) -> Result<(), ClusterError>;

    /// Which of these objects are not in the store's namespace, or are there and going away, by reads that are not stale. Without a
    /// namespace all of them.
    async fn missing(&self, fence: &Fence, objects: &[ObjectRef]) -> Result<Vec<ObjectRef>, ClusterError>;
}
