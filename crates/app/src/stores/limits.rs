//! What an organisation may take, and what would become of a name.

use jiff::Timestamp;
use shopwright_domain::store::StoreName;
use shopwright_ports::storage::{Reach, Transaction};
use shopwright_ports::stores_api::{Availability, LimitsView, NameRefusal, RequestContext, StoreServiceError};

use super::Stores;

/// So many names are tried before none is suggested.
const SUGGESTIONS: u32 = 5;

impl Stores {
    pub(super) async fn read_limits(&self, context: &RequestContext) -> Result<LimitsView, StoreServiceError> {
        let storage = StoreServiceError::Storage;
        let mut tx = self.storage.begin(Reach::Tenant(context.actor.tenant_id)).await.map_err(storage)?;
        let tenant = tx.tenants().get(context.actor.tenant_id).await.map_err(storage)?;
        let tenant = tenant.ok_or(StoreServiceError::Forbidden)?;
        let stores_used = tx.stores().count_live(tenant.id).await.map_err(storage)?;
        let plan = *self.rules.plans.get(&tenant.plan);
        let pause = plan.cooldown.check(tenant.last_store_created_at, self.clock.now());
        let cooldown_ends_at: Option<Timestamp> = pause.err().map(|refusal| refusal.until);
        Ok(LimitsView { plan_name: tenant.plan, plan, stores_used, cooldown_ends_at })
    }

    pub(super) async fn look_at_name(
        &self,
        context: &RequestContext,
        text: &str,
    ) -> Result<Availability, StoreServiceError> {
        let mut tx =
            self.storage.begin(Reach::Tenant(context.actor.tenant_id)).await.map_err(StoreServiceError::Storage)?;
        let name = match text.parse::<StoreName>() {
            Ok(name) => name,
            Err(error) => {
                let suggestion = self.suggestion(tx.as_mut(), context, text, 1).await?;
                return Ok(Availability {
                    refusal: Some(NameRefusal::Invalid(error)),
                    suggestion,
                    host: None,
                    url: None,
                });
            }
        };
        let holder = tx.stores().live_by_name(context.actor.tenant_id, &name).await;
        if let Some(store) = holder.map_err(StoreServiceError::Storage)? {
            let suggestion = self.suggestion(tx.as_mut(), context, text, 2).await?;
            let refusal = NameRefusal::InUse(store.id, store.state);
            return Ok(Availability { refusal: Some(refusal), suggestion, host: None, url: None });
        }
        let host = self.free_host(tx.as_mut(), &name).await?;
        let url = self.rules.urls.storefront(&host);
        Ok(Availability { refusal: None, suggestion: None, host: Some(host), url: Some(url) })
    }

    /// A name near `text` that the organisation could have.
    async fn suggestion(
        &self,
        tx: &mut dyn Transaction,
        context: &RequestContext,
        text: &str,
        first: u32,
    ) -> Result<Option<StoreName>, StoreServiceError> {
        for number in first..first + SUGGESTIONS {
            let Some(name) = StoreName::near(text, number) else { return Ok(None) };
            let holder = tx.stores().live_by_name(context.actor.tenant_id, &name).await;
            if holder.map_err(StoreServiceError::Storage)?.is_none() {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }
}
