//! Who may touch which store: one rule for all use cases.

use shopwright_domain::operation::Operation;
use shopwright_domain::organisation::Action;
use shopwright_domain::store::Store;
use shopwright_domain::{StoreId, TenantId};
use shopwright_ports::storage::{Reach, Transaction};
use shopwright_ports::stores_api::{RequestContext, StoreServiceError};

/// How far a request sees: platform administrators everything, everybody else what the organisation owns in whose name they act.
pub(crate) fn reach(context: &RequestContext) -> Reach {
    if context.actor.is_admin() { Reach::Platform } else { Reach::Tenant(context.actor.tenant_id) }
}

/// Reads a store for somebody who may see it.
///
/// A tenant gets the same refusal for a foreign store and for none, so that ids tell nothing; platform administrators see what there is
/// (DECISIONS 30).
pub(crate) async fn visible(
    tx: &mut dyn Transaction,
    context: &RequestContext,
    id: &StoreId,
) -> Result<Store, StoreServiceError> {
    let store = tx.stores().get(id).await.map_err(StoreServiceError::Storage)?;
    match store {
        Some(store) if context.actor.is_admin() || store.tenant_id == context.actor.tenant_id => Ok(store),
        None if context.actor.is_admin() => Err(StoreServiceError::NotFound("store")),
        Some(_) | None => Err(StoreServiceError::Forbidden),
    }
}

/// An operation for somebody who may see it, by the same rule as its store.
pub(super) fn operation(
    context: &RequestContext,
    operation: Option<Operation>,
) -> Result<Operation, StoreServiceError> {
    match operation {
        Some(operation) if context.actor.is_admin() || operation.tenant_id == context.actor.tenant_id => Ok(operation),
        None if context.actor.is_admin() => Err(StoreServiceError::NotFound("operation")),
        Some(_) | None => Err(StoreServiceError::Forbidden),
    }
}

/// Refuses what somebody's role in the organisation does not allow.
pub(super) fn require(context: &RequestContext, tenant_id: TenantId, action: Action) -> Result<(), StoreServiceError> {
    if context.actor.may_in(tenant_id, action) {
        return Ok(());
    }
    Err(StoreServiceError::NotAllowed { role: context.actor.member_role, action })
}

/// Whether somebody may see the credentials of a store's administrator.
pub(super) fn sees_credentials(context: &RequestContext, store: &Store) -> bool {
    context.actor.may_in(store.tenant_id, Action::UseCredentials)
}

/// Reads and locks a store for somebody who may do this to it: first its tenant, then the store itself.
pub(super) async fn locked(
    tx: &mut dyn Transaction,
    context: &RequestContext,
    id: &StoreId,
    action: Action,
) -> Result<Store, StoreServiceError> {
    let seen = visible(tx, context, id).await?;
    require(context, seen.tenant_id, action)?;
    tx.tenants().lock(seen.tenant_id).await.map_err(StoreServiceError::Storage)?;
    let store = tx.stores().lock(id).await.map_err(StoreServiceError::Storage)?;
    let store = store.filter(|store| store.tenant_id == seen.tenant_id).ok_or(StoreServiceError::Conflict)?;
    match context.expected {
        Some(expected) if expected != store.row_version => Err(StoreServiceError::Changed),
        _ => Ok(store),
    }
}
