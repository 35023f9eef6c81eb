//! Looking at stores.

use shopwright_domain::store::{Store, StoreState};
use shopwright_domain::{OperationId, StoreId};
use shopwright_ports::storage::{AuditFilter, Page, StorageError, StoreFilter, Transaction};
use shopwright_ports::stores_api::{
    AdminCredentials, LogPage, OperationView, RequestContext, StorePage, StoreServiceError, StoreView,
};

use super::{Stores, access};

impl Stores {
    pub(super) async fn read_one(
        &self,
        context: &RequestContext,
        id: &StoreId,
    ) -> Result<StoreView, StoreServiceError> {
        let mut tx = self.storage.begin(access::reach(context)).await.map_err(StoreServiceError::Storage)?;
        let store = access::visible(tx.as_mut(), context, id).await?;
        let operation = match tx.operations().latest_of(id).await {
            Ok(operation) => operation,
            // A newer version of this program works on the store: what that does it will show; the store itself can be shown here too.
            Err(StorageError::Corrupt { column, detail, .. }) => {
                tracing::warn!(store_id = %id, column, detail, "an operation of a newer version is not shown");
                None
            }
            Err(error) => return Err(StoreServiceError::Storage(error)),
        };
        let is_owner = access::sees_credentials(context, &store);
        let credentials = self.credentials_of(tx.as_mut(), &store, is_owner).await?;
        Ok(StoreView { store, operation, credentials, is_owner })
    }

    /// The administrator's credentials of a store that was ready; the password is for those alone who may see it.
    async fn credentials_of(
        &self,
        tx: &mut dyn Transaction,
        store: &Store,
        is_owner: bool,
    ) -> Result<Option<AdminCredentials>, StoreServiceError> {
        if store.ready_at.is_none() || store.state == StoreState::Deleted {
            return Ok(None);
        }
        let credentials = self.unseal(tx, store).await?;
        Ok(Some(AdminCredentials {
            email: credentials.admin_email,
            username: store.engine.admin_username().map(str::to_owned),
            password: is_owner.then_some(credentials.admin_password),
        }))
    }

    pub(super) async fn read_page(
        &self,
        context: &RequestContext,
        mut filter: StoreFilter,
        page: Page,
    ) -> Result<StorePage, StoreServiceError> {
        if !context.actor.is_admin() {
            filter.tenant_id = Some(context.actor.tenant_id);
            filter.owner_id = None;
        }
        let mut tx = self.storage.begin(access::reach(context)).await.map_err(StoreServiceError::Storage)?;
        let (stores, total) = tx.stores().list(&filter, page).await.map_err(StoreServiceError::Storage)?;
        let view = |store: Store| {
            let is_owner = access::sees_credentials(context, &store);
            StoreView { store, operation: None, credentials: None, is_owner }
        };
        Ok(StorePage { stores: stores.into_iter().map(view).collect(), total })
    }

    pub(super) async fn read_logs(
        &self,
        context: &RequestContext,
        id: &StoreId,
        page: Page,
    ) -> Result<LogPage, StoreServiceError> {
        let mut tx = self.storage.begin(access::reach(context)).await.map_err(StoreServiceError::Storage)?;
        let store = access::visible(tx.as_mut(), context, id).await?;
        let filter = AuditFilter { tenant_id: Some(store.tenant_id), store_id: Some(store.id) };
        let (entries, total) = tx.audit().list(&filter, page).await.map_err(StoreServiceError::Storage)?;
        Ok(LogPage { entries, total })
    }

    pub(super) async fn read_operation(
        &self,
        context: &RequestContext,
        id: OperationId,
    ) -> Result<OperationView, StoreServiceError> {
        let mut tx = self.storage.begin(access::reach(context)).await.map_err(StoreServiceError::Storage)?;
        let operation = tx.operations().get(id).await.map_err(StoreServiceError::Storage)?;
        let operation = access::operation(context, operation)?;
        let steps = tx.operations().steps(id).await.map_err(StoreServiceError::Storage)?;
        let log = shopwright_domain::saga::SagaLog::from_records(operation.kind, steps);
        Ok(OperationView { operation, steps: log.records().to_vec() })
    }
}
