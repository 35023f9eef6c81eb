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

/// The steps from a store's passwords to other ones. The old ones are kept, sealed, until the last step; a failure is followed by a revert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RotateStep {
    /// The Secret with the new values, and the old ones that the set-up needs to change them.
    WriteCredentials,
    /// The release as it is, with its set-up once more and pods that start with the new Secret.
    ApplyRelease,
    /// Until the set-up has applied them and every workload is ready.
    AwaitWorkloads,
    /// Until the storefront answers.
    VerifyStorefront,
    /// The Secret without the old values.
    CleanCredentials,
    /// The new ones are the store's, the old ones are forgotten: one transaction.
    Promote,
}

/// The steps from a store's release to the one that the platform would make now. A failure is followed by a revert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UpgradeStep {
    /// `helm upgrade`, without waiting.
    ApplyRelease,
    /// Until the set-up has run on it and every workload is ready.
    AwaitWorkloads,
    /// Until the storefront answers.
    VerifyStorefront,
    /// This release is now the one to return to: one transaction.
    Adopt,
}

/// The steps back to the release and the passwords with which the store worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RevertStep {
    /// The Secret with the old values, and those that were tried, which the set-up needs to change them back.
    WriteCredentials,
    /// `helm upgrade` to the chart and the values that were kept.
    ApplyRelease,
    /// Until the set-up has run on it and every workload is ready.
    AwaitWorkloads,
    /// Until the storefront answers.
    VerifyStorefront,
    /// The Secret without what was tried.
    CleanCredentials,
    /// What was tried is forgotten: one transaction.
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
    /// Of a rotation.
    Rotate(RotateStep),
    /// Of an upgrade.
    Upgrade(UpgradeStep),
    /// Of a revert.
    Revert(RevertStep),
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
            Self::Rotate => &[
                Step::Rotate(RotateStep::WriteCredentials),
                Step::Rotate(RotateStep::ApplyRelease),
                Step::Rotate(RotateStep::AwaitWorkloads),
                Step::Rotate(RotateStep::VerifyStorefront),
                Step::Rotate(RotateStep::CleanCredentials),
                Step::Rotate(RotateStep::Promote),
            ],
            Self::Upgrade => &[
                Step::Upgrade(UpgradeStep::ApplyRelease),
                Step::Upgrade(UpgradeStep::AwaitWorkloads),
                Step::Upgrade(UpgradeStep::VerifyStorefront),
                Step::Upgrade(UpgradeStep::Adopt),
            ],
            Self::Revert => &[
                Step::Revert(RevertStep::WriteCredentials),
                Step::Revert(RevertStep::ApplyRelease),
                Step::Revert(RevertStep::AwaitWorkloads),
                Step::Revert(RevertStep::VerifyStorefront),
                Step::Revert(RevertStep::CleanCredentials),
                Step::Revert(RevertStep::Settle),
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
            Self::Rotate(RotateStep::WriteCredentials) => "rotate_credentials",
            Self::Rotate(RotateStep::ApplyRelease) => "rotate_release",
            Self::Rotate(RotateStep::AwaitWorkloads) => "await_rotated",
            Self::Rotate(RotateStep::VerifyStorefront) => "verify_rotated",
            Self::Rotate(RotateStep::CleanCredentials) => "clean_rotated",
            Self::Rotate(RotateStep::Promote) => "promote",
            Self::Upgrade(UpgradeStep::ApplyRelease) => "upgrade_release",
            Self::Upgrade(UpgradeStep::AwaitWorkloads) => "await_upgraded",
            Self::Upgrade(UpgradeStep::VerifyStorefront) => "verify_upgraded",
            Self::Upgrade(UpgradeStep::Adopt) => "adopt",
            Self::Revert(RevertStep::WriteCredentials) => "revert_credentials",
            Self::Revert(RevertStep::ApplyRelease) => "revert_release",
            Self::Revert(RevertStep::AwaitWorkloads) => "await_reverted",
            Self::Revert(RevertStep::VerifyStorefront) => "verify_reverted",
            Self::Revert(RevertStep::CleanCredentials) => "clean_reverted",
            Self::Revert(RevertStep::Settle) => "settle_revert",
        }
    }

    /// Whether it only looks until something is as it should be: a worker that ends in the middle of it leaves nothing behind.
    pub const fn only_waits(self) -> bool {
        matches!(
            self,
            Self::Provision(ProvisionStep::AwaitWorkloads | ProvisionStep::VerifyStorefront)
                | Self::Delete(DeleteStep::VerifyGone)
                | Self::Unwind(UnwindStep::VerifyGone)
                | Self::Rotate(RotateStep::AwaitWorkloads | RotateStep::VerifyStorefront)
                | Self::Upgrade(UpgradeStep::AwaitWorkloads | UpgradeStep::VerifyStorefront)
                | Self::Revert(RevertStep::AwaitWorkloads | RevertStep::VerifyStorefront)
        )
    }

    /// The saga that the step belongs to.
    pub const fn kind(self) -> OperationKind {
        match self {
            Self::Provision(_) => OperationKind::Provision,
            Self::Delete(_) => OperationKind::Delete,
            Self::Unwind(_) => OperationKind::Unwind,
            Self::Rotate(_) => OperationKind::Rotate,
            Self::Upgrade(_) => OperationKind::Upgrade,
            Self::Revert(_) => OperationKind::Revert,
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
