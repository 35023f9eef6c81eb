//! Asking for a store.

use shopwright_domain::audit::AuditEventType;
use shopwright_domain::engine::EngineDescriptor;
use shopwright_domain::operation::OperationKind;
use shopwright_domain::organisation::Action;
use shopwright_domain::saga::{ProvisionStep, Step};
use shopwright_domain::store::{Store, StoreHost, StoreName, StoreState, ThemeName};
use shopwright_domain::{Epoch, RowVersion, StoreId};
use shopwright_ports::secrets::{Sealed, StoreCredentials};
use shopwright_ports::storage::{Reach, Tenant, Transaction};
use shopwright_ports::stores_api::{Accepted, CreateStore, RequestContext, StoreServiceError};

use super::engines::engine_unavailable;
use super::promise::Begun;
use super::settle::Prepared;
use super::{Stores, access};

/// What is asked for, as the engine's descriptor has it.
struct Wanted<'a> {
    engine: &'a EngineDescriptor,
    theme: Option<ThemeName>,
    note: Option<String>,
}

impl Stores {
    /// One transaction: store, sealed credentials, operation, audit event and idempotency key.
    pub(super) async fn try_create(
        &self,
        context: &RequestContext,
        command: &CreateStore,
    ) -> Result<Prepared, StoreServiceError> {
        access::require(context, context.actor.tenant_id, Action::CreateStores)?;
        let engine = self.engine(&command.engine)?;
        let theme = Self::theme(engine, command.theme.as_ref())?;
        let note = self.releases.engine_note(engine).await.map_err(engine_unavailable)?;
        let mut tx = match self.begin(context, Reach::Tenant(context.actor.tenant_id)).await? {
            Begun::New(tx) => tx,
            Begun::Earlier(earlier) => return Ok(*earlier),
        };
        let tenant_id = context.actor.tenant_id;
        let tenant = tx.tenants().lock(tenant_id).await.map_err(StoreServiceError::Storage)?;
        let tenant = tenant.ok_or(StoreServiceError::Forbidden)?;

        let existing = tx.stores().live_by_name(tenant_id, &command.name).await.map_err(StoreServiceError::Storage)?;
        let accepted = match existing {
            Some(store) if store.state == StoreState::Failed => {
                self.recreate(tx.as_mut(), context, command, store).await?
            }
            existing => {
                self.check_limits(tx.as_mut(), context, &tenant).await?;
                if let Some(store) = existing {
                    return Err(StoreServiceError::NameInUse {
                        name: store.name,
                        store_id: store.id,
                        state: store.state,
                    });
                }
                self.insert(tx.as_mut(), context, command, Wanted { engine, theme, note }).await?
            }
        };
        Ok(Prepared::by(tx, accepted))
    }

    async fn check_limits(
        &self,
        tx: &mut dyn Transaction,
        context: &RequestContext,
        tenant: &Tenant,
    ) -> Result<(), StoreServiceError> {
        let held = tx.stores().count_live(tenant.id).await.map_err(StoreServiceError::Storage)?;
        let plan = self.rules.plans.get(&tenant.plan);
        plan.stores
            .check(held)
            .map_err(|used_up| StoreServiceError::QuotaUsedUp { held: used_up.held, limit: used_up.limit })?;
        if !context.actor.is_admin() {
            plan.cooldown
                .check(tenant.last_store_created_at, self.clock.now())
                .map_err(|refusal| StoreServiceError::Cooldown { until: refusal.until })?;
        }
        Ok(())
    }

    async fn insert(
        &self,
        tx: &mut dyn Transaction,
        context: &RequestContext,
        command: &CreateStore,
        wanted: Wanted<'_>,
    ) -> Result<Accepted, StoreServiceError> {
        let now = self.clock.now();
        let storage = StoreServiceError::Storage;
        let store = Store {
            id: StoreId::from_random(self.entropy.u32()),
            tenant_id: context.actor.tenant_id,
            owner_id: context.actor.user_id,
            cluster: self.rules.cluster.clone(),
            name: command.name.clone(),
            host: self.free_host(tx, &command.name).await?,
            engine: command.engine.clone(),
            theme: wanted.theme,
            state: StoreState::Requested,
            epoch: Epoch(0),
            row_version: RowVersion(1),
            retry_count: 0,
            failure: None,
            urls: None,
            engine_note: wanted.note,
            created_at: now,
            updated_at: now,
            provisioning_started_at: None,
            provisioning_duration: None,
            ready_at: None,
            deleted_at: None,
        };
        let credentials = StoreCredentials::mint(
            wanted.engine.administrator(),
            &context.actor.email,
            command.password.clone(),
            self.entropy.as_ref(),
        );
        let operation = self.operation_for(context, &store, OperationKind::Provision, now);
        let mut event = self
            .event(context, &store, AuditEventType::StoreCreated, format!("store {} was asked for", store.name))
            .with("engine", store.engine.as_str())
            .with("ownerId", store.owner_id.to_string());
        event.new = Some(StoreState::Requested);
        event = event.changing_store(None, &store);
        event.operation_id = Some(operation.id);
        if let Some(theme) = &store.theme {
            event = event.with("theme", theme.as_str());
        }

        tx.stores().insert(&store).await.map_err(storage)?;
        self.seal(tx, &store, &credentials).await?;
        tx.operations().enqueue(&operation, &[]).await.map_err(storage)?;
        tx.tenants().set_last_store_created_at(store.tenant_id, now).await.map_err(storage)?;
        tx.audit().append(&event).await.map_err(storage)?;
        let is_owner = access::sees_credentials(context, &store);
        Ok(Accepted { store, operation: Some(operation), is_owner })
    }

    /// Creating the name of an own failed store again is its retry; a password that is chosen now replaces the old one.
    async fn recreate(
        &self,
        tx: &mut dyn Transaction,
        context: &RequestContext,
        command: &CreateStore,
        failed: Store,
    ) -> Result<Accepted, StoreServiceError> {
        if failed.engine != command.engine {
            return Err(StoreServiceError::EngineDiffers { store_id: failed.id, engine: failed.engine });
        }
        let store = tx.stores().lock(&failed.id).await.map_err(StoreServiceError::Storage)?;
        let store = store.filter(|store| store.state == StoreState::Failed).ok_or(StoreServiceError::Conflict)?;
        let mut redo_from = None;
        if let Some(password) = &command.password {
            redo_from = Some(Step::Provision(ProvisionStep::CreateCredentials));
            let credentials = self.unseal(tx, &store).await?.with_admin_password(password.clone());
            self.seal(tx, &store, &credentials).await?;
        }
        self.retry_locked(tx, context, store, redo_from).await
    }

    /// The host that a store of this name gets now: the name's own, or one like it.
    pub(super) async fn free_host(
        &self,
        tx: &mut dyn Transaction,
        name: &StoreName,
    ) -> Result<StoreHost, StoreServiceError> {
        let released_before = self.clock.now() - self.rules.host_quarantine;
        let mut host = StoreHost::preferred(name, &self.rules.suffix);
        // Five misses among 65,536 alternatives mean that thousands hold this name: the request is then begun again.
        for _ in 0..5 {
            if tx.stores().host_is_free(&host, released_before).await.map_err(StoreServiceError::Storage)? {
                return Ok(host);
            }
            let [_, _, high, low] = self.entropy.u32().to_be_bytes();
            host = StoreHost::alternative(name, &self.rules.suffix, u16::from_be_bytes([high, low]));
        }
        Err(StoreServiceError::Conflict)
    }

    pub(super) async fn seal(
        &self,
        tx: &mut dyn Transaction,
        store: &Store,
        credentials: &StoreCredentials,
    ) -> Result<(), StoreServiceError> {
        let sealed = self.sealed(store, credentials)?;
        tx.credentials().put(store.tenant_id, &store.id, &sealed).await.map_err(StoreServiceError::Storage)
    }

    pub(super) async fn unseal(
        &self,
        tx: &mut dyn Transaction,
        store: &Store,
    ) -> Result<StoreCredentials, StoreServiceError> {
        let sealed = tx.credentials().get(&store.id).await.map_err(StoreServiceError::Storage)?;
        let sealed = sealed.ok_or_else(|| StoreServiceError::Internal(format!("{} has no credentials", store.id)))?;
        self.opened(store, &sealed)
    }

    pub(super) fn sealed(&self, store: &Store, credentials: &StoreCredentials) -> Result<Sealed, StoreServiceError> {
        let sealed = self.sealer.seal(store.id.as_str(), &credentials.encode());
        sealed.map_err(|error| StoreServiceError::Internal(error.to_string()))
    }

    pub(super) fn opened(&self, store: &Store, sealed: &Sealed) -> Result<StoreCredentials, StoreServiceError> {
        let plain = self.sealer.open(store.id.as_str(), sealed);
        let plain = plain.map_err(|error| StoreServiceError::Internal(error.to_string()))?;
        StoreCredentials::decode(&plain).map_err(|error| StoreServiceError::Internal(error.to_string()))
    }
}
