//! Accounts.

use async_trait::async_trait;
use shopwright_domain::UserId;
use shopwright_domain::identity::{Email, PlatformRole};

use super::transaction::FakeTransaction;
use crate::storage::{StorageError, Unique, User, UserRepository};

impl FakeTransaction {
    fn user_mut(&mut self, id: UserId) -> Result<&mut User, StorageError> {
        self.identity_rows()?.users.iter_mut().find(|row| row.id == id).ok_or(StorageError::Stale)
    }
}

#[async_trait]
impl UserRepository for FakeTransaction {
    async fn insert(&mut self, user: &User) -> Result<(), StorageError> {
        let rows = self.identity_rows()?;
        let fresh = rows.users.iter().all(|row| row.id != user.id);
        let has_tenant = rows.tenants.iter().any(|row| row.id == user.tenant_id);
        let email_taken = rows.users.iter().any(|row| row.email == user.email);
        let name_taken = rows.users.iter().any(|row| row.username == user.username);
        self.require(fresh, "a fresh user id")?;
        if email_taken {
            return Err(self.not_unique(Unique::UserEmail));
        }
        if name_taken {
            return Err(self.not_unique(Unique::Username));
        }
        self.require(has_tenant, "the user's tenant")?;
        self.identity_rows()?.users.push(user.clone());
        Ok(())
    }

    async fn get(&mut self, id: UserId) -> Result<Option<User>, StorageError> {
        Ok(self.identity_rows()?.users.iter().find(|row| row.id == id).cloned())
    }

    async fn by_email(&mut self, email: &Email) -> Result<Option<User>, StorageError> {
        Ok(self.identity_rows()?.users.iter().find(|row| row.email == *email).cloned())
    }

    async fn has_admin(&mut self) -> Result<bool, StorageError> {
        Ok(self.identity_rows()?.users.iter().any(|row| row.role == PlatformRole::Admin))
    }

    async fn set_password_hash(&mut self, id: UserId, hash: &str) -> Result<(), StorageError> {
        hash.clone_into(&mut self.user_mut(id)?.password_hash);
        Ok(())
    }
}
