//! Invitations to organisations.

use std::cmp::Reverse;

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::organisation::InvitationState;
use shopwright_domain::{InvitationId, TenantId, UserId};

use super::transaction::FakeTransaction;
use crate::storage::{Invitation, InvitationRepository, Reach, StorageError, Tenant};

impl FakeTransaction {
    fn invitations_mut(&mut self) -> Result<impl Iterator<Item = &mut Invitation>, StorageError> {
        let reach = self.reach;
        let has_business = matches!(reach, Reach::Identity | Reach::Tenant(_));
        self.within_reach(has_business, "invitations")?;
        let seen = move |row: &&mut Invitation| reach == Reach::Identity || reach.covers(row.tenant_id);
        Ok(self.rows()?.invitations.iter_mut().filter(seen))
    }
}

#[async_trait]
impl InvitationRepository for FakeTransaction {
    async fn insert(&mut self, invitation: &Invitation) -> Result<(), StorageError> {
        self.admit(invitation.tenant_id)?;
        let rows = self.rows()?;
        let fresh = rows.invitations.iter().all(|row| row.id != invitation.id && row.digest != invitation.digest);
        let has_tenant = rows.tenants.iter().any(|row| row.id == invitation.tenant_id);
        self.require(fresh, "a fresh invitation")?;
        self.require(has_tenant, "the invitation's organisation")?;
        self.rows()?.invitations.push(invitation.clone());
        Ok(())
    }

    async fn list(&mut self, tenant_id: TenantId) -> Result<Vec<Invitation>, StorageError> {
        let open = |row: &&mut Invitation| {
            row.tenant_id == tenant_id && row.times.accepted_at.is_none() && row.times.revoked_at.is_none()
        };
        let mut rows: Vec<_> = self.invitations_mut()?.filter(open).map(|row| row.clone()).collect();
        rows.sort_by_key(|row| Reverse((row.created_at, row.id)));
        Ok(rows)
    }

    async fn lock_by_digest(&mut self, digest: &[u8; 32]) -> Result<Option<(Invitation, Tenant)>, StorageError> {
        let rows = self.identity_rows()?;
        let Some(invitation) = rows.invitations.iter().find(|row| row.digest == *digest) else { return Ok(None) };
        let tenant = rows.tenants.iter().find(|row| row.id == invitation.tenant_id);
        Ok(tenant.map(|tenant| (invitation.clone(), tenant.clone())))
    }

    async fn accept(&mut self, id: InvitationId, _by: UserId, now: Timestamp) -> Result<(), StorageError> {
        let is_it = |row: &&mut Invitation| row.id == id && row.times.state(now) == InvitationState::Open;
        let row = self.identity_rows()?.invitations.iter_mut().find(is_it);
        row.ok_or(StorageError::Stale)?.times.accepted_at = Some(now);
        Ok(())
    }

    async fn revoke(&mut self, tenant_id: TenantId, id: InvitationId, now: Timestamp) -> Result<bool, StorageError> {
        let is_it = |row: &&mut Invitation| {
            row.tenant_id == tenant_id && row.id == id && row.times.state(now) == InvitationState::Open
        };
        let row = self.invitations_mut()?.find(is_it);
        Ok(row.map(|row| row.times.revoked_at = Some(now)).is_some())
    }

    async fn revoke_all(&mut self, tenant_id: TenantId, now: Timestamp) -> Result<u64, StorageError> {
        let mut revoked = 0;
        for row in self.invitations_mut()? {
            if row.tenant_id == tenant_id && row.times.state(now) == InvitationState::Open {
                row.times.revoked_at = Some(now);
                revoked += 1;
            }
        }
        Ok(revoked)
    }

    async fn purge(&mut self, before: Timestamp) -> Result<u64, StorageError> {
        let rows = &mut self.identity_rows()?.invitations;
        let held = rows.len();
        rows.retain(|row| row.times.expires_at >= before);
        Ok((held - rows.len()) as u64)
    }
}
