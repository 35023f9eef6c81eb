//! Looking at stores.

use shopwright_domain::engine::{Administrator, EngineDescriptor};
use shopwright_domain::store::{Store, StoreState};
use shopwright_domain::{OperationId, StoreId};
use shopwright_ports::storage::{
    AuditEntry, AuditFilter, AuditPlace, OperationFilter, Page, StorageError, StoreFilter, Transaction,
};
use shopwright_ports::stores_api::{
    AdminCredentials, LogPage, OperationPage, OperationView, RequestContext, StorePage, StoreServiceError, StoreView,
};

use super::{Stores, access};
use crate::paging::{cut, with_one_more};

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
    pub(super) async fn credentials_of(
        &self,
        tx: &mut dyn Transaction,
        store: &Store,
        is_owner: bool,
    ) -> Result<Option<AdminCredentials>, StoreServiceError> {
        if store.ready_at.is_none() || store.state == StoreState::Deleted {
            return Ok(None);
        }
        let known = self.engines.get(&store.engine).map(EngineDescriptor::administrator);
        if matches!(known, Ok(Administrator::None)) {
            return Ok(None);
        }
        // Between the two reads the store may have gone for good, and its credentials with it.
        let Some(sealed) = tx.credentials().get(&store.id).await.map_err(StoreServiceError::Storage)? else {
            return Ok(None);
        };
        let credentials = self.opened(store, &sealed)?;
        let username = credentials.admin_username;
        Ok(Some(AdminCredentials {
            username: (username != credentials.admin_email).then_some(username),
            email: credentials.admin_email,
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
        let (mut stores, total) =
            tx.stores().list(&filter, with_one_more(page)).await.map_err(StoreServiceError::Storage)?;
        let next = cut(&mut stores, page.limit, |store| filter.sort.place_of(store));
        let view = |store: Store| {
            let is_owner = access::sees_credentials(context, &store);
            StoreView { store, operation: None, credentials: None, is_owner }
        };
        Ok(StorePage { stores: stores.into_iter().map(view).collect(), total, next })
    }

    pub(super) async fn read_logs(
        &self,
        context: &RequestContext,
        id: &StoreId,
        after: Option<AuditPlace>,
        page: Page,
    ) -> Result<LogPage, StoreServiceError> {
        let mut tx = self.storage.begin(access::reach(context)).await.map_err(StoreServiceError::Storage)?;
        let store = access::visible(tx.as_mut(), context, id).await?;
        let filter =
            AuditFilter { tenant_id: Some(store.tenant_id), store_id: Some(store.id), after, ..AuditFilter::default() };
        let (mut entries, total) =
            tx.audit().list(&filter, with_one_more(page)).await.map_err(StoreServiceError::Storage)?;
        let next = cut(&mut entries, page.limit, AuditEntry::place);
        Ok(LogPage { entries, total, next })
    }

    pub(super) async fn read_operations(
        &self,
        context: &RequestContext,
        mut filter: OperationFilter,
        limit: u32,
    ) -> Result<OperationPage, StoreServiceError> {
        if !context.actor.is_admin() {
            filter.tenant_id = Some(context.actor.tenant_id);
        }
        let mut tx = self.storage.begin(access::reach(context)).await.map_err(StoreServiceError::Storage)?;
        let mut operations =
            tx.operations().list(&filter, limit.saturating_add(1)).await.map_err(StoreServiceError::Storage)?;
        let next = cut(&mut operations, limit, |operation| (operation.created_at, operation.id));
        Ok(OperationPage { operations, next })
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
