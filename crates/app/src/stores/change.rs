//! Changing a store that is ready: other passwords, another release. Such a store stays `ready`; what is asked for is an operation.

use shopwright_domain::StoreId;
use shopwright_domain::audit::{AuditEventType, MetadataValue, SecurityAction};
use shopwright_domain::engine::RotationTarget;
use shopwright_domain::operation::{OperationKind, ReleaseDigests};
use shopwright_domain::organisation::Action;
use shopwright_domain::store::{Store, StoreState};
use shopwright_ports::storage::Transaction;
use shopwright_ports::stores_api::{Accepted, RequestContext, StoreServiceError};

use super::promise::Begun;
use super::settle::Prepared;
use super::{Stores, access};

impl Stores {
    /// One transaction: the new passwords, sealed beside the old ones, and the operation that puts them in their place. Values that an
    /// earlier rotation could neither put in force nor take back are taken up again, for the store may know them already.
    pub(super) async fn try_rotate(
        &self,
        context: &RequestContext,
        id: &StoreId,
        targets: &[RotationTarget],
    ) -> Result<Prepared, StoreServiceError> {
        let storage = StoreServiceError::Storage;
        let mut tx = match self.begin(context, access::reach(context)).await? {
            Begun::New(tx) => tx,
            Begun::Earlier(earlier) => return Ok(*earlier),
        };
        let (store, _) = self.changeable(tx.as_mut(), context, id, Action::UseCredentials).await?;
        let engine = self.engine(&store.engine)?;
        if let Some(target) = targets.iter().find(|target| !engine.rotates().contains(target)) {
            return Err(StoreServiceError::NotRotatable { engine: store.engine, target: *target });
        }
        let current = self.unseal(tx.as_mut(), &store).await?;
        let tried = match tx.credentials().pending(id).await.map_err(storage)? {
            Some(tried) => self.opened(&store, &tried)?,
            None => current.clone(),
        };
        let rotated = tried.rotated(targets, &current, self.entropy.as_ref());
        let sealed = self.sealed(&store, &rotated)?;
        tx.credentials().put_pending(id, Some(&sealed)).await.map_err(storage)?;
        let names: Vec<_> = targets.iter().map(|target| target.as_str()).collect();
        let asked = (AuditEventType::Security, "new passwords were asked for");
        let details =
            vec![("action", SecurityAction::CredentialsRotationRequested.into()), ("targets", names.join(", ").into())];
        self.enqueue_change(tx, context, store, OperationKind::Rotate, asked, details).await
    }

    /// One transaction: the operation that brings the store to what the platform would make of it now.
    pub(super) async fn try_upgrade(
        &self,
        context: &RequestContext,
        id: &StoreId,
    ) -> Result<Prepared, StoreServiceError> {
        let mut tx = match self.begin(context, access::reach(context)).await? {
            Begun::New(tx) => tx,
            Begun::Earlier(earlier) => return Ok(*earlier),
        };
        let (store, kept) = self.changeable(tx.as_mut(), context, id, Action::ChangeStores).await?;
        self.engine(&store.engine)?;
        let asked = (AuditEventType::Info, "an upgrade was asked for");
        let details = vec![("chartDigest", kept.chart.into())];
        self.enqueue_change(tx, context, store, OperationKind::Upgrade, asked, details).await
    }

    /// A store that can be changed, ready and with nothing running, and the release that it can return to.
    async fn changeable(
        &self,
        tx: &mut dyn Transaction,
        context: &RequestContext,
        id: &StoreId,
        action: Action,
    ) -> Result<(Store, ReleaseDigests), StoreServiceError> {
        let store = access::locked(tx, context, id, action).await?;
        if store.state != StoreState::Ready {
            return Err(StoreServiceError::NotReady { state: store.state });
        }
        let latest = tx.operations().latest_of(id).await.map_err(StoreServiceError::Storage)?;
        if let Some(running) = latest.filter(|latest| !latest.status.is_finished()) {
            return Err(StoreServiceError::Busy { kind: running.kind, operation_id: running.id });
        }
        let kept = tx.releases().kept(id).await.map_err(StoreServiceError::Storage)?;
        Ok((store, kept.ok_or(StoreServiceError::NothingKept)?))
    }

    async fn enqueue_change(
        &self,
        mut tx: Box<dyn Transaction>,
        context: &RequestContext,
        mut store: Store,
        kind: OperationKind,
        (event_type, message): (AuditEventType, &str),
        details: Vec<(&'static str, MetadataValue)>,
    ) -> Result<Prepared, StoreServiceError> {
        let storage = StoreServiceError::Storage;
        let now = self.now_for(&store);
        let operation = self.operation_for(context, &store, kind, now);
        let mut event = self.event(context, &store, event_type, message);
        event.metadata.extend(details.into_iter().map(|(key, value)| (key.to_owned(), value)));
        event.operation_id = Some(operation.id);
        // So that the next operation is asked for later than this one, whatever the clocks say.
        store.updated_at = now;
        tx.stores().save(&mut store).await.map_err(storage)?;
        tx.operations().enqueue(&operation, &[]).await.map_err(storage)?;
        tx.audit().append(&event).await.map_err(storage)?;
        let is_owner = access::sees_credentials(context, &store);
        Ok(Prepared::by(tx, Accepted { store, operation: Some(operation), is_owner }))
    }
}
