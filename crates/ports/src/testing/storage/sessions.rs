//! Sign-ins and their refresh tokens.

use std::cmp::Reverse;

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::{SessionId, UserId};

use super::transaction::FakeTransaction;
use crate::storage::{RefreshToken, Session, SessionRepository, StorageError, User};

#[async_trait]
impl SessionRepository for FakeTransaction {
    async fn insert(&mut self, session: &Session, token: &RefreshToken) -> Result<(), StorageError> {
        let rows = self.identity_rows()?;
        let has_user = rows.users.iter().any(|row| (row.tenant_id, row.id) == (session.tenant_id, session.user_id));
        let fresh = rows.sessions.iter().all(|row| row.id != session.id)
            && rows.refresh_tokens.iter().all(|row| row.digest != token.digest);
        self.require(has_user, "the session's user")?;
        self.require(fresh && token.session_id == session.id, "a fresh session with its token")?;
        let rows = self.identity_rows()?;
        rows.sessions.push(session.clone());
        rows.refresh_tokens.push(token.clone());
        Ok(())
    }

    async fn get(&mut self, id: SessionId) -> Result<Option<(Session, User)>, StorageError> {
        let rows = self.identity_rows()?;
        let session = rows.sessions.iter().find(|row| row.id == id).cloned();
        let user = |session: Session| {
            let user = rows.users.iter().find(|row| row.id == session.user_id)?;
            Some((session, user.clone()))
        };
        Ok(session.and_then(user))
    }

    async fn lock_by_token(&mut self, digest: &[u8; 32]) -> Result<Option<(Session, RefreshToken)>, StorageError> {
        let rows = self.identity_rows()?;
        let Some(token) = rows.refresh_tokens.iter().find(|row| row.digest == *digest) else { return Ok(None) };
        let session = rows.sessions.iter().find(|row| row.id == token.session_id);
        Ok(session.map(|session| (session.clone(), token.clone())))
    }

    async fn rotate(
        &mut self,
        replaced: &[u8; 32],
        nonce: &[u8; 16],
        successor: &RefreshToken,
        ip_address: Option<&str>,
    ) -> Result<(), StorageError> {
        let (now, id) = (successor.issued_at, successor.session_id);
        let rows = self.identity_rows()?;
        let token = rows.refresh_tokens.iter_mut().find(|row| row.digest == *replaced && row.replaced.is_none());
        token.ok_or(StorageError::Stale)?.replaced = Some((now, *nonce));
        let session = rows.sessions.iter_mut().find(|row| row.id == id).ok_or(StorageError::Stale)?;
        session.last_used_at = now;
        session.ip_address = ip_address.map(str::to_owned);
        rows.refresh_tokens.retain(|row| row.session_id != id || row.expires_at >= now);
        rows.refresh_tokens.push(successor.clone());
        Ok(())
    }

    async fn list(&mut self, user_id: UserId, now: Timestamp) -> Result<Vec<Session>, StorageError> {
        let live = |row: &&Session| row.user_id == user_id && row.is_live(now);
        let mut sessions: Vec<_> = self.identity_rows()?.sessions.iter().filter(live).cloned().collect();
        sessions.sort_by_key(|session| Reverse((session.created_at, session.id)));
        Ok(sessions)
    }

    async fn revoke(&mut self, user_id: UserId, id: SessionId, now: Timestamp) -> Result<bool, StorageError> {
        let live = |row: &&mut Session| row.user_id == user_id && row.id == id && row.is_live(now);
        let session = self.identity_rows()?.sessions.iter_mut().find(live);
        Ok(session.map(|session| session.revoked_at = Some(now)).is_some())
    }

    async fn revoke_all(
        &mut self,
        user_id: UserId,
        keep: Option<SessionId>,
        now: Timestamp,
    ) -> Result<u32, StorageError> {
        let mut ended = 0;
        for session in &mut self.identity_rows()?.sessions {
            if session.user_id == user_id && Some(session.id) != keep && session.is_live(now) {
                session.revoked_at = Some(now);
                ended += 1;
            }
        }
        Ok(ended)
    }

    async fn purge(&mut self, before: Timestamp) -> Result<u64, StorageError> {
        let rows = self.identity_rows()?;
        let over = |row: &Session| row.revoked_at.unwrap_or(row.expires_at).min(row.expires_at) < before;
        let gone: Vec<SessionId> = rows.sessions.iter().filter(|row| over(row)).map(|row| row.id).collect();
        rows.sessions.retain(|row| !gone.contains(&row.id));
        rows.refresh_tokens.retain(|row| !gone.contains(&row.session_id));
        Ok(gone.len() as u64)
    }
}
