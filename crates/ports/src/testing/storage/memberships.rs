//! Who belongs to which organisation.

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::organisation::Role;
use shopwright_domain::{TenantId, UserId};

use super::transaction::FakeTransaction;
use crate::storage::{Member, MembershipRepository, Reach, StorageError, Tenant, Unique};

/// A membership, as a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipRow {
    /// Of which organisation.
    pub tenant_id: TenantId,
    /// Who.
    pub user_id: UserId,
    /// What they are in it.
    pub role: Role,
    /// Since when.
    pub joined_at: Timestamp,
}

impl FakeTransaction {
    /// Whether members of the organisation are seen: by identity those of all.
    fn sees_members(&mut self, tenant_id: TenantId) -> Result<bool, StorageError> {
        let has_business = matches!(self.reach, Reach::Identity | Reach::Tenant(_));
        self.within_reach(has_business, "who belongs to organisations")?;
        Ok(self.reach == Reach::Identity || self.reach.covers(tenant_id))
    }

    /// The memberships of an organisation; none that is out of reach.
    fn memberships_of(&mut self, tenant_id: TenantId) -> Result<Vec<MembershipRow>, StorageError> {
        let seen = self.sees_members(tenant_id)?;
        let rows = self.rows()?;
        Ok(rows.memberships.iter().filter(|row| seen && row.tenant_id == tenant_id).cloned().collect())
    }
}

#[async_trait]
impl MembershipRepository for FakeTransaction {
    async fn role_of(&mut self, tenant_id: TenantId, user_id: UserId) -> Result<Option<Role>, StorageError> {
        let rows = self.identity_rows()?;
        if rows.users.iter().any(|user| user.id == user_id && user.tenant_id == tenant_id) {
            return Ok(Some(Role::Owner));
        }
        let row = rows.memberships.iter().find(|row| row.tenant_id == tenant_id && row.user_id == user_id);
        Ok(row.map(|row| row.role))
    }

    async fn of_user(&mut self, user_id: UserId) -> Result<Vec<(Tenant, Role)>, StorageError> {
        let rows = self.identity_rows()?;
        let own = rows.users.iter().find(|user| user.id == user_id).map(|user| (user.tenant_id, Role::Owner));
        let mut joined: Vec<_> = rows.memberships.iter().filter(|row| row.user_id == user_id).collect();
        joined.sort_by_key(|row| (row.joined_at, row.tenant_id));
        let all = own.into_iter().chain(joined.into_iter().map(|row| (row.tenant_id, row.role)));
        let tenant = |id: TenantId| rows.tenants.iter().find(|tenant| tenant.id == id).cloned();
        Ok(all.filter_map(|(id, role)| Some((tenant(id)?, role))).collect())
    }

    async fn list(&mut self, tenant_id: TenantId) -> Result<Vec<Member>, StorageError> {
        let seen = self.sees_members(tenant_id)?;
        let memberships = self.memberships_of(tenant_id)?;
        let rows = self.rows()?;
        let own = rows.users.iter().filter(|user| seen && user.tenant_id == tenant_id);
        let own: Vec<_> = own.map(|user| (user.id, Role::Owner, user.created_at)).collect();
        let all = own.into_iter().chain(memberships.into_iter().map(|row| (row.user_id, row.role, row.joined_at)));
        let member = |(id, role, joined_at)| {
            let user = rows.users.iter().find(|user| user.id == id)?;
            let (email, username) = (user.email.clone(), user.username.clone());
            Some(Member { user_id: id, email, username, role, joined_at })
        };
        let mut members: Vec<Member> = all.filter_map(member).collect();
        members.sort_by_key(|member| (member.joined_at, member.user_id));
        Ok(members)
    }

    async fn insert(
        &mut self,
        tenant_id: TenantId,
        user_id: UserId,
        role: Role,
        joined_at: Timestamp,
    ) -> Result<(), StorageError> {
        let rows = self.identity_rows()?;
        let is_there = rows.memberships.iter().any(|row| row.tenant_id == tenant_id && row.user_id == user_id);
        let has_both =
            rows.tenants.iter().any(|row| row.id == tenant_id) && rows.users.iter().any(|row| row.id == user_id);
        if is_there {
            return Err(self.not_unique(Unique::Membership));
        }
        self.require(has_both, "the member's organisation or account")?;
        self.rows()?.memberships.push(MembershipRow { tenant_id, user_id, role, joined_at });
        Ok(())
    }

    async fn set_role(&mut self, tenant_id: TenantId, user_id: UserId, role: Role) -> Result<bool, StorageError> {
        let seen = self.sees_members(tenant_id)?;
        let is_it = |row: &&mut MembershipRow| seen && row.tenant_id == tenant_id && row.user_id == user_id;
        let row = self.rows()?.memberships.iter_mut().find(is_it);
        Ok(row.map(|row| row.role = role).is_some())
    }

    async fn remove(&mut self, tenant_id: TenantId, user_id: UserId) -> Result<bool, StorageError> {
        let seen = self.sees_members(tenant_id)?;
        let rows = &mut self.rows()?.memberships;
        let held = rows.len();
        rows.retain(|row| !(seen && row.tenant_id == tenant_id && row.user_id == user_id));
        Ok(rows.len() < held)
    }

    async fn remove_all(&mut self, tenant_id: TenantId) -> Result<u64, StorageError> {
        let seen = self.sees_members(tenant_id)?;
        let rows = &mut self.rows()?.memberships;
        let held = rows.len();
        rows.retain(|row| !(seen && row.tenant_id == tenant_id));
        Ok((held - rows.len()) as u64)
    }
}
