//! Running the platform: what the driving port [`PlatformService`] promises.
//!
//! Accounts are identity's to read and write; what is on clusters is counted within the platform's reach. Whoever ends somebody's access
//! is looked at again behind the lock on all administrators: of two who end each other's at the same moment one stays.

mod access;
mod clusters;

use std::sync::Arc;

use async_trait::async_trait;
use shopwright_domain::engine::EngineCatalogue;
use shopwright_domain::{ClusterName, UserId};
use shopwright_ports::clock::Clock;
use shopwright_ports::platform_api::{AccountPage, Clusters, PlatformError, PlatformService};
use shopwright_ports::releases::Releases;
use shopwright_ports::storage::{Account, Reach, Storage, UserFilter};
use shopwright_ports::stores_api::RequestContext;

use crate::paging::cut;
use crate::saga::ClusterGuard;
use crate::sweeper::Sweeper;

/// A cluster that this process works on.
#[derive(Debug, Clone)]
pub struct OwnCluster {
    /// Its name.
    pub name: ClusterName,
    /// The way to it.
    pub guard: Arc<ClusterGuard>,
    /// What looks after its namespaces, if this process does.
    pub sweeper: Option<Arc<Sweeper>>,
}

/// The use cases of platform administrators.
#[derive(Clone)]
pub struct Administration {
    /// Where everything is.
    pub storage: Arc<dyn Storage>,
    /// What charts say about engines.
    pub releases: Arc<dyn Releases>,
    /// What stores can be made of.
    pub engines: Arc<EngineCatalogue>,
    /// The clusters that this process works on.
    pub clusters: Vec<OwnCluster>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Administration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Administration").field("clusters", &self.clusters).finish_non_exhaustive()
    }
}

/// Lets administrators pass.
fn admit(context: &RequestContext) -> Result<(), PlatformError> {
    if context.actor.is_admin() { Ok(()) } else { Err(PlatformError::NotAdministrator) }
}

#[async_trait]
impl PlatformService for Administration {
    async fn users(
        &self,
        context: &RequestContext,
        filter: UserFilter,
        limit: u32,
    ) -> Result<AccountPage, PlatformError> {
        admit(context)?;
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let mut accounts = tx.users().accounts(&filter, limit.saturating_add(1), self.clock.now()).await?;
        let next = cut(&mut accounts, limit, Account::place);
        Ok(AccountPage { accounts, next })
    }

    async fn set_active(&self, context: &RequestContext, id: UserId, active: bool) -> Result<Account, PlatformError> {
        admit(context)?;
        self.give_access(context, id, active).await
    }

    async fn clusters(&self, context: &RequestContext) -> Result<Clusters, PlatformError> {
        admit(context)?;
        self.look_at_clusters().await
    }
}
