//! Every name that the cluster and this crate agree on. The manifests of [`crate::prepare`] spell the same ones; a test compares them.

/// Label on everything of a store, its namespace included: whose it is.
pub(crate) const STORE_ID: &str = "shopwright.dev/store-id";
/// Label on a store's namespace: what runs in it.
pub(crate) const ENGINE: &str = "shopwright.dev/engine";
/// Label on a store's namespace: the name under which the control plane knows this cluster.
pub(crate) const CLUSTER: &str = "shopwright.dev/cluster";
/// Annotation on a store's namespace: the epoch that may change what is inside (DECISIONS 2, 4).
pub(crate) const EPOCH: &str = "shopwright.dev/epoch";
/// Kubernetes' own label for who manages an object.
pub(crate) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Its value on what this crate writes.
pub(crate) const MANAGER: &str = "shopwright";
/// Helm's and the charts' label for the release that an object is part of: the store's id.
pub(crate) const INSTANCE: &str = "app.kubernetes.io/instance";
/// Labels that make the apiserver enforce Pod Security "restricted" in a namespace.
pub(crate) const POD_SECURITY: [(&str, &str); 2] =
    [("pod-security.kubernetes.io/enforce", "restricted"), ("pod-security.kubernetes.io/enforce-version", "v1.34")];

/// The user that is impersonated for everything inside a store's namespace.
pub(crate) const WORKER_USER: &str = "shopwright-worker";
/// Its group: what roles are bound to.
pub(crate) const WORKER_GROUP: &str = "shopwright-workers";
/// The key of the impersonated user's extra that carries the epoch.
pub(crate) const EPOCH_EXTRA: &str = "shopwright-epoch";
/// The key of the extra that carries the store whose claim it is, by the name of its namespace.
pub(crate) const STORE_EXTRA: &str = "shopwright-store";
/// The cluster role that a worker has in a store's namespace, and the name of the role binding that gives it.
pub(crate) const STORE_WORKER: &str = "shopwright-store-worker";
/// Where the control plane's service account lives.
pub(crate) const SYSTEM_NAMESPACE: &str = "shopwright-system";
/// The control plane's service account.
pub(crate) const SERVICE_ACCOUNT: &str = "shopwright";
/// A namespace of epoch 1 that never holds anything: dry runs in it tell whether the fence works.
pub(crate) const CHECK_NAMESPACE: &str = "shopwright-fence-check";

/// How the worker policy's refusals start.
pub const FENCE_REFUSAL: &str = "shopwright fence:";
/// How the epoch policy's refusals start.
pub(crate) const EPOCH_REFUSAL: &str = "shopwright epoch:";
/// How the refusals of the policy on the control plane's own account start.
pub(crate) const BASE_REFUSAL: &str = "shopwright base:";

/// The Secret that the charts read.
pub(crate) const CREDENTIALS: &str = "store-credentials";
