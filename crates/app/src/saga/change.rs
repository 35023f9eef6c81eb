//! The effects of rotations, upgrades and reverts: changes of a store that is ready, and stays so.

use shopwright_domain::saga::{RevertStep, RotateStep, UpgradeStep};

use super::apply::{Apply, From, Set, Sets, internal};
use super::effects::Effect;
use super::executor::Executor;
use super::run::{Halt, Run};

impl Executor {
    /// The shop's software stays as it is: another password is no upgrade.
    pub(super) async fn rotate(&self, run: &mut Run<'_>, step: RotateStep) -> Result<Effect, Halt> {
        match step {
            RotateStep::WriteCredentials => self.write_credentials(run, Set::Pending, true).await,
            RotateStep::ApplyRelease => self.apply_anew(run, From::Kept, Set::Pending).await,
            RotateStep::AwaitWorkloads => self.await_workloads(run).await,
            RotateStep::VerifyStorefront => self.verify_storefront(run).await,
            RotateStep::CleanCredentials => self.write_credentials(run, Set::Pending, false).await,
            RotateStep::Promote => Ok(Effect::default()),
        }
    }

    pub(super) async fn upgrade(&self, run: &mut Run<'_>, step: UpgradeStep) -> Result<Effect, Halt> {
        match step {
            UpgradeStep::ApplyRelease => self.apply_anew(run, From::Platform, Set::Current).await,
            UpgradeStep::AwaitWorkloads => self.await_workloads(run).await,
            UpgradeStep::VerifyStorefront => self.verify_storefront(run).await,
            UpgradeStep::Adopt => Ok(Effect::default()),
        }
    }

    pub(super) async fn revert(&self, run: &mut Run<'_>, step: RevertStep) -> Result<Effect, Halt> {
        match step {
            RevertStep::WriteCredentials => self.write_credentials(run, Set::Current, true).await,
            RevertStep::ApplyRelease => self.apply_anew(run, From::Kept, Set::Current).await,
            RevertStep::AwaitWorkloads => self.await_workloads(run).await,
            RevertStep::VerifyStorefront => self.verify_storefront(run).await,
            RevertStep::CleanCredentials => self.write_credentials(run, Set::Current, false).await,
            RevertStep::Settle => Ok(Effect::default()),
        }
    }

    /// With a set-up of its own: the time at which an operation was asked for is no other's of the same store, and stays over retries.
    async fn apply_anew(&self, run: &mut Run<'_>, from: From, credentials: Set) -> Result<Effect, Halt> {
        let setup_revision = u64::try_from(run.asked_at.as_microsecond()).unwrap_or_default();
        self.apply_release(run, Apply { from, setup_revision, credentials }).await
    }

    /// Writes one set into the Secret. `with_other` adds the database's password of the other one: nobody knows which of the two is in
    /// force until the set-up has run, and with both it can make this one so.
    pub(super) async fn write_credentials(
        &self,
        run: &mut Run<'_>,
        set: Set,
        with_other: bool,
    ) -> Result<Effect, Halt> {
        let Sets { current, pending } = self.credential_sets(run).await?;
        let (written, other) = match set {
            Set::Current => (current, pending),
            Set::Pending => (pending.ok_or_else(|| internal("no credentials are being tried"))?, Some(current)),
        };
        let written = match other.filter(|_| with_other) {
            Some(other) => written.beside(&other),
            None => written,
        };
        self.raise_present(run).await?;
        self.cluster.call(self.cluster.cluster().put_credentials(&run.fence(), &written)).await?;
        Ok(Effect::default())
    }
}
