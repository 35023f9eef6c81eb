//! The use cases of stores: what the driving port [`StoreService`] promises.
//!
//! Every use case is one transaction, begun again when it meets another one (`settle.rs`). It writes down what is wanted; it never talks to a cluster.

mod access;
mod cancel;
mod change;
mod create;
mod delete;
mod engines;
mod limits;
mod preview;
mod promise;
mod quantity;
mod read;
mod resources;
mod retry;
mod reveal;
mod rules;
mod settle;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shopwright_domain::audit::{AuditEvent, AuditEventType};
use shopwright_domain::engine::{EngineCatalogue, RotationTarget};
use shopwright_domain::operation::{Operation, OperationKind};
use shopwright_domain::store::Store;
use shopwright_domain::{OperationId, StoreId};
use shopwright_ports::clock::{Clock, Entropy};
use shopwright_ports::releases::Releases;
use shopwright_ports::secrets::Sealer;
use shopwright_ports::storage::{AuditPlace, OperationFilter, Page, Storage, StoreFilter};
use shopwright_ports::stores_api::{
    Accepted, AdminCredentials, Availability, CreateStore, EngineView, LimitsView, LogPage, OperationPage,
    OperationView, RequestContext, StorePage, StoreResources, StoreService, StoreServiceError, StoreView,
    UpgradePreview,
};
use tokio::sync::Notify;

use crate::audit::asked_from;

pub(crate) use access::{reach, visible};
pub(crate) use engines::engine_views;
pub use resources::Sizes;
pub use rules::{PublicUrls, StoreRules};

/// The use cases of stores.
#[derive(Clone)]
pub struct Stores {
    /// Where everything is written down.
    pub storage: Arc<dyn Storage>,
    /// Asked only whether an engine can be had at all.
    pub releases: Arc<dyn Releases>,
    /// Seals and opens credentials.
    pub sealer: Arc<dyn Sealer>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and secrets.
    pub entropy: Arc<dyn Entropy>,
    /// What is known of the engines.
    pub engines: Arc<EngineCatalogue>,
    /// The numbers.
    pub rules: StoreRules,
    /// What releases were found to take.
    pub sizes: Sizes,
    /// Told when there is something new to do. A hint: workers also look by themselves.
    pub work: Arc<Notify>,
}

impl std::fmt::Debug for Stores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stores").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Stores {
    /// Now, for something new about `store`: later than all that happened to it before, also when another process's clock was ahead of
    /// ours. The newest operation of a store is the one that was added last (RELIABILITY F7).
    fn now_for(&self, store: &Store) -> Timestamp {
        let next = store.updated_at.checked_add(SignedDuration::from_micros(1)).unwrap_or(store.updated_at);
        self.clock.now().max(next)
    }

    /// An operation of `kind` for `store`, as `context` asks for it.
    fn operation_for(&self, context: &RequestContext, store: &Store, kind: OperationKind, now: Timestamp) -> Operation {
        let id = OperationId::from_random(self.entropy.u128());
        let mut operation = Operation::queued(id, store.tenant_id, store.id.clone(), kind, now);
        operation.requested_by = Some(context.actor.user_id);
        operation.request_id = Some(context.origin.request_id.clone());
        operation.traceparent.clone_from(&context.origin.traceparent);
        operation.tracestate.clone_from(&context.origin.tracestate);
        operation
    }

    /// An event about `store` that `context` caused.
    fn event(
        &self,
        context: &RequestContext,
        store: &Store,
        kind: AuditEventType,
        message: impl Into<String>,
    ) -> AuditEvent {
        let event = AuditEvent {
            store_id: Some(store.id.clone()),
            actor: Some(context.actor.user_id),
            actor_email: Some(context.actor.email.as_str().to_owned()),
            ..AuditEvent::new(store.tenant_id, kind, message, self.clock.now())
        };
        asked_from(&context.origin, event)
    }
}

#[async_trait]
impl StoreService for Stores {
    async fn engines(&self) -> Result<Vec<EngineView>, StoreServiceError> {
        self.read_engines().await
    }

    async fn create(&self, context: &RequestContext, command: CreateStore) -> Result<Accepted, StoreServiceError> {
        self.settle(context, || self.try_create(context, &command)).await
    }

    async fn get(&self, context: &RequestContext, id: &StoreId) -> Result<StoreView, StoreServiceError> {
        self.read_one(context, id).await
    }

    async fn list(
        &self,
        context: &RequestContext,
        filter: StoreFilter,
        page: Page,
    ) -> Result<StorePage, StoreServiceError> {
        self.read_page(context, filter, page).await
    }

    async fn delete(&self, context: &RequestContext, id: &StoreId) -> Result<Accepted, StoreServiceError> {
        self.settle(context, || self.try_delete(context, id)).await
    }

    async fn retry(&self, context: &RequestContext, id: &StoreId) -> Result<Accepted, StoreServiceError> {
        self.settle(context, || self.try_retry(context, id)).await
    }

    async fn reveal_credentials(
        &self,
        context: &RequestContext,
        id: &StoreId,
    ) -> Result<AdminCredentials, StoreServiceError> {
        self.read_credentials(context, id).await
    }

    async fn rotate_credentials(
        &self,
        context: &RequestContext,
        id: &StoreId,
        targets: Vec<RotationTarget>,
    ) -> Result<Accepted, StoreServiceError> {
        self.settle(context, || self.try_rotate(context, id, &targets)).await
    }

    async fn preview_upgrade(
        &self,
        context: &RequestContext,
        id: &StoreId,
    ) -> Result<UpgradePreview, StoreServiceError> {
        self.read_upgrade(context, id).await
    }

    async fn resources(&self, context: &RequestContext, id: &StoreId) -> Result<StoreResources, StoreServiceError> {
        self.read_resources(context, id).await
    }

    async fn upgrade(&self, context: &RequestContext, id: &StoreId) -> Result<Accepted, StoreServiceError> {
        self.settle(context, || self.try_upgrade(context, id)).await
    }

    async fn cancel(&self, context: &RequestContext, id: OperationId) -> Result<Accepted, StoreServiceError> {
        self.settle(context, || self.try_cancel(context, id)).await
    }

    async fn limits(&self, context: &RequestContext) -> Result<LimitsView, StoreServiceError> {
        self.read_limits(context).await
    }

    async fn availability(&self, context: &RequestContext, name: &str) -> Result<Availability, StoreServiceError> {
        self.look_at_name(context, name).await
    }

    async fn logs(
        &self,
        context: &RequestContext,
        id: &StoreId,
        after: Option<AuditPlace>,
        page: Page,
    ) -> Result<LogPage, StoreServiceError> {
        self.read_logs(context, id, after, page).await
    }

    async fn operations(
        &self,
        context: &RequestContext,
        filter: OperationFilter,
        limit: u32,
    ) -> Result<OperationPage, StoreServiceError> {
        self.read_operations(context, filter, limit).await
    }

    async fn operation(&self, context: &RequestContext, id: OperationId) -> Result<OperationView, StoreServiceError> {
        self.read_operation(context, id).await
    }
}
