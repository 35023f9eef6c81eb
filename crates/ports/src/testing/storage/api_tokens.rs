//! What programs sign in with.

use std::cmp::Reverse;

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::{ApiTokenId, UserId};

use super::transaction::FakeTransaction;
use crate::storage::{ApiToken, ApiTokenRepository, StorageError, User};

#[async_trait]
impl ApiTokenRepository for FakeTransaction {
    async fn insert(&mut self, token: &ApiToken) -> Result<(), StorageError> {
        let rows = self.identity_rows()?;
        let has_user = rows.users.iter().any(|row| (row.tenant_id, row.id) == (token.tenant_id, token.user_id));
        let fresh = rows.api_tokens.iter().all(|row| row.id != token.id && row.digest != token.digest);
        self.require(has_user, "the token's user")?;
        self.require(fresh, "a fresh token")?;
        self.identity_rows()?.api_tokens.push(token.clone());
        Ok(())
    }

    async fn by_digest(&mut self, digest: &[u8; 32]) -> Result<Option<(ApiToken, User)>, StorageError> {
        let rows = self.identity_rows()?;
        let token = rows.api_tokens.iter().find(|row| row.digest == *digest).cloned();
        let user = |token: ApiToken| {
            let user = rows.users.iter().find(|row| row.id == token.user_id)?;
            Some((token, user.clone()))
        };
        Ok(token.and_then(user))
    }

    async fn note_use(&mut self, id: ApiTokenId, now: Timestamp, unless_since: Timestamp) -> Result<(), StorageError> {
        let due = |row: &&mut ApiToken| row.id == id && row.last_used_at.is_none_or(|last| last < unless_since);
        if let Some(token) = self.identity_rows()?.api_tokens.iter_mut().find(due) {
            token.last_used_at = Some(now);
        }
        Ok(())
    }

    async fn lock_of(&mut self, user_id: UserId) -> Result<Vec<ApiToken>, StorageError> {
        self.list(user_id).await
    }

    async fn list(&mut self, user_id: UserId) -> Result<Vec<ApiToken>, StorageError> {
        let known = |row: &&ApiToken| row.user_id == user_id && row.revoked_at.is_none();
        let mut tokens: Vec<_> = self.identity_rows()?.api_tokens.iter().filter(known).cloned().collect();
        tokens.sort_by_key(|token| Reverse((token.created_at, token.id)));
        Ok(tokens)
    }

    async fn revoke(
        &mut self,
        user_id: UserId,
        id: ApiTokenId,
        now: Timestamp,
    ) -> Result<Option<ApiToken>, StorageError> {
        let live = |row: &&mut ApiToken| row.user_id == user_id && row.id == id && row.revoked_at.is_none();
        let token = self.identity_rows()?.api_tokens.iter_mut().find(live);
        Ok(token.map(|token| {
            token.revoked_at = Some(now);
            token.clone()
        }))
    }

    async fn revoke_all(&mut self, user_id: UserId, now: Timestamp) -> Result<u32, StorageError> {
        let live = |row: &&mut ApiToken| row.user_id == user_id && row.is_live(now);
        let mut revoked = 0;
        for token in self.identity_rows()?.api_tokens.iter_mut().filter(live) {
            token.revoked_at = Some(now);
            revoked += 1;
        }
        Ok(revoked)
    }

    async fn purge(&mut self, before: Timestamp) -> Result<u64, StorageError> {
        let rows = &mut self.identity_rows()?.api_tokens;
        let held = rows.len();
        rows.retain(|row| row.revoked_at.unwrap_or(row.expires_at).min(row.expires_at) >= before);
        Ok((held - rows.len()) as u64)
    }
}
