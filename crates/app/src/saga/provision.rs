//! The effects of a provision's steps.

use shopwright_domain::saga::ProvisionStep;

use super::apply::{Apply, From, Set};
use super::effects::Effect;
use super::executor::Executor;
use super::run::{Halt, Run};

impl Executor {
    pub(super) async fn provision(&self, run: &mut Run<'_>, step: ProvisionStep) -> Result<Effect, Halt> {
        match step {
            ProvisionStep::CreateNamespace => self.create_namespace(run).await,
            ProvisionStep::CreateCredentials => self.write_credentials(run, Set::Current, false).await,
            // A retry may bring a new password for the administrator (DECISIONS 14) to a store whose set-up has finished.
            ProvisionStep::InstallRelease => {
                let setup_revision = u64::from(run.store.retry_count);
                self.apply_release(run, Apply { from: From::Platform, setup_revision, credentials: Set::Current }).await
            }
            ProvisionStep::AwaitWorkloads => self.await_workloads(run).await,
            ProvisionStep::VerifyStorefront => self.verify_storefront(run).await,
            ProvisionStep::Publish => Ok(Effect::default()),
        }
    }

    async fn create_namespace(&self, run: &mut Run<'_>) -> Result<Effect, Halt> {
        self.make_namespace(run).await?;
        Ok(Effect::default())
    }
}
