//! Organisations.

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::TenantId;
use shopwright_domain::plans::PlanName;

use super::transaction::FakeTransaction;
use crate::storage::{Reach, StorageError, Tenant, TenantRepository};

impl FakeTransaction {
    /// Whether the organisation itself is seen: by identity all of them are.
    fn sees(&self, id: TenantId) -> bool {
        self.reach == Reach::Identity || self.reach.covers(id)
    }
}

#[async_trait]
impl TenantRepository for FakeTransaction {
    async fn insert(&mut self, tenant: &Tenant) -> Result<(), StorageError> {
        let fresh = self.identity_rows()?.tenants.iter().all(|row| row.id != tenant.id);
        self.require(fresh, "a fresh tenant id")?;
        self.rows()?.tenants.push(tenant.clone());
        Ok(())
    }

    async fn lock(&mut self, id: TenantId) -> Result<Option<Tenant>, StorageError> {
        let seen = self.sees(id);
        Ok(self.rows()?.tenants.iter().find(|row| seen && row.id == id).cloned())
    }

    async fn rename(&mut self, id: TenantId, name: &str) -> Result<(), StorageError> {
        let seen = self.sees(id);
        let row = self.rows()?.tenants.iter_mut().find(|row| seen && row.id == id).ok_or(StorageError::Stale)?;
        name.clone_into(&mut row.name);
        Ok(())
    }

    async fn dissolve(&mut self, id: TenantId, _at: Timestamp) -> Result<(), StorageError> {
        let seen = self.sees(id);
        let is_there = self.rows()?.tenants.iter().any(|row| seen && row.id == id);
        if is_there { Ok(()) } else { Err(StorageError::Stale) }
    }

    async fn get(&mut self, id: TenantId) -> Result<Option<Tenant>, StorageError> {
        let seen = self.sees(id);
        Ok(self.rows()?.tenants.iter().find(|row| seen && row.id == id).cloned())
    }

    async fn set_plan(&mut self, id: TenantId, plan: &PlanName) -> Result<bool, StorageError> {
        let seen = self.sees(id);
        let row = self.rows()?.tenants.iter_mut().find(|row| seen && row.id == id);
        Ok(row.map(|row| row.plan.clone_from(plan)).is_some())
    }

    async fn set_last_store_created_at(&mut self, id: TenantId, at: Timestamp) -> Result<(), StorageError> {
        let seen = self.sees(id);
        let row = self.rows()?.tenants.iter_mut().find(|row| seen && row.id == id).ok_or(StorageError::Stale)?;
        row.last_store_created_at = Some(at);
        Ok(())
    }
}
