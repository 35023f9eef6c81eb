//! The steps and their order.

use std::fmt;
use std::str::FromStr;

use crate::ids::InvalidId;
use crate::operation::OperationKind;

/// The steps from nothing to a store that sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProvisionStep {
    /// Namespace with its labels, Pod Security level and epoch; the worker's rights in it.
    CreateNamespace,
    /// The Secret with what was minted when the store was asked for.
    CreateCredentials,
    /// `helm upgrade --install`, without waiting.
    InstallRelease,
    /// Until every workload is ready and the set-up Job has succeeded.
    AwaitWorkloads,
    /// Until the storefront answers through the ingress on the store's own host.
    VerifyStorefront,
    /// The store is ready: one transaction.
    Publish,
}

/// The steps from whatever is there to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DeleteStep {
    /// `helm uninstall`, best effort: the namespace goes anyway.
    UninstallRelease,
    /// Asks for the namespace's deletion.
    DeleteNamespace,
    /// Until namespace and volumes are gone.
    VerifyGone,
    /// The store is deleted: one transaction.
    Release,
}

/// The steps that take back a provision that was cancelled. They do what a deletion does, and keep the store's row, name and host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UnwindStep {
    /// `helm uninstall`, best effort: the namespace goes anyway.
    UninstallRelease,
    /// Asks for the namespace's deletion.
    DeleteNamespace,
    /// Until namespace and volumes are gone.
    VerifyGone,
    /// The operation is done, the store stays `failed`: one transaction.
    Settle,
}

/// A step of any saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Of a provision.
    Provision(ProvisionStep),
    /// Of a delete.
    Delete(DeleteStep),
    /// Of an unwind.
    Unwind(UnwindStep),
}

impl OperationKind {
    /// The steps in the order in which they run.
    pub const fn steps(self) -> &'static [Step] {
        match self {
            Self::Provision => &[
                Step::Provision(ProvisionStep::CreateNamespace),
                Step::Provision(ProvisionStep::CreateCredentials),
                Step::Provision(ProvisionStep::InstallRelease),
                Step::Provision(ProvisionStep::AwaitWorkloads),
                Step::Provision(ProvisionStep::VerifyStorefront),
                Step::Provision(ProvisionStep::Publish),
            ],
            Self::Delete => &[
                Step::Delete(DeleteStep::UninstallRelease),
                Step::Delete(DeleteStep::DeleteNamespace),
                Step::Delete(DeleteStep::VerifyGone),
                Step::Delete(DeleteStep::Release),
            ],
            Self::Unwind => &[
                Step::Unwind(UnwindStep::UninstallRelease),
                Step::Unwind(UnwindStep::DeleteNamespace),
                Step::Unwind(UnwindStep::VerifyGone),
                Step::Unwind(UnwindStep::Settle),
            ],
        }
    }
}

impl Step {
    /// The step as it is stored and shown: no two steps share a text, also not steps of different sagas.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provision(ProvisionStep::CreateNamespace) => "create_namespace",
            Self::Provision(ProvisionStep::CreateCredentials) => "create_credentials",
            Self::Provision(ProvisionStep::InstallRelease) => "install_release",
            Self::Provision(ProvisionStep::AwaitWorkloads) => "await_workloads",
            Self::Provision(ProvisionStep::VerifyStorefront) => "verify_storefront",
            Self::Provision(ProvisionStep::Publish) => "publish",
            Self::Delete(DeleteStep::UninstallRelease) => "uninstall_release",
            Self::Delete(DeleteStep::DeleteNamespace) => "delete_namespace",
            Self::Delete(DeleteStep::VerifyGone) => "verify_gone",
            Self::Delete(DeleteStep::Release) => "release",
            Self::Unwind(UnwindStep::UninstallRelease) => "unwind_release",
            Self::Unwind(UnwindStep::DeleteNamespace) => "unwind_namespace",
            Self::Unwind(UnwindStep::VerifyGone) => "verify_unwound",
            Self::Unwind(UnwindStep::Settle) => "settle",
        }
    }

    /// Whether it only looks until something is as it should be: a worker that ends in the middle of it leaves nothing behind.
    pub const fn only_waits(self) -> bool {
        matches!(
            self,
            Self::Provision(ProvisionStep::AwaitWorkloads | ProvisionStep::VerifyStorefront)
                | Self::Delete(DeleteStep::VerifyGone)
                | Self::Unwind(UnwindStep::VerifyGone)
        )
    }

    /// The saga that the step belongs to.
    pub const fn kind(self) -> OperationKind {
        match self {
            Self::Provision(_) => OperationKind::Provision,
            Self::Delete(_) => OperationKind::Delete,
            Self::Unwind(_) => OperationKind::Unwind,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Step {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        OperationKind::ALL
            .into_iter()
            .flat_map(OperationKind::steps)
            .find(|step| step.as_str() == text)
            .copied()
            .ok_or_else(|| InvalidId { kind: "step", value: text.chars().take(80).collect() })
    }
}
