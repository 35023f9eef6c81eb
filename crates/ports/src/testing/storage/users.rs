//! Accounts.

use std::cmp::Reverse;

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::UserId;
use shopwright_domain::identity::{Email, PlatformRole};

use super::transaction::FakeTransaction;
use crate::storage::{Account, StorageError, Unique, User, UserFilter, UserRepository};

impl FakeTransaction {
    fn user_mut(&mut self, id: UserId) -> Result<&mut User, StorageError> {
        self.identity_rows()?.users.iter_mut().find(|row| row.id == id).ok_or(StorageError::Stale)
    }
}

fn is_wanted(user: &User, filter: &UserFilter) -> bool {
    let holds = |text: &String| {
        user.email.as_str().contains(text.as_str()) || user.username.as_str().to_lowercase().contains(text.as_str())
    };
    filter.id.is_none_or(|id| id == user.id)
        && filter.search.as_ref().is_none_or(holds)
        && filter.after.is_none_or(|(at, id)| (Reverse(user.created_at), user.id) > (Reverse(at), id))
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

    async fn lock(&mut self, id: UserId) -> Result<Option<User>, StorageError> {
        UserRepository::get(self, id).await
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

    async fn accounts(
        &mut self,
        filter: &UserFilter,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Account>, StorageError> {
        let rows = self.identity_rows()?;
        let live_sessions =
            |id| rows.sessions.iter().filter(|row| row.user_id == id && row.is_live(now)).count() as u64;
        let live_tokens =
            |id| rows.api_tokens.iter().filter(|row| row.user_id == id && row.is_live(now)).count() as u64;
        let mut users: Vec<_> = rows.users.iter().filter(|user| is_wanted(user, filter)).collect();
        users.sort_by_key(|user| (Reverse(user.created_at), user.id));
        let account = |user: &User| Account {
            user: user.clone(),
            sessions: live_sessions(user.id),
            api_tokens: live_tokens(user.id),
        };
        Ok(users.into_iter().take(limit as usize).map(account).collect())
    }

    async fn lock_with_administrators(&mut self, id: UserId) -> Result<Vec<User>, StorageError> {
        let wanted = |row: &&User| row.id == id || row.role == PlatformRole::Admin;
        let mut users: Vec<_> = self.identity_rows()?.users.iter().filter(wanted).cloned().collect();
        users.sort_by_key(|user| user.id);
        Ok(users)
    }

    async fn set_active(&mut self, id: UserId, active: bool) -> Result<(), StorageError> {
        self.user_mut(id)?.active = active;
        Ok(())
    }
}
