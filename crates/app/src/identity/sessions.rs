//! Sessions: a sign-in, refreshed by tokens that are each good for one use (RELIABILITY S4).
//!
//! A refresh token is kept as its digest. Its successor follows from the token and a nonce that is stored beside that digest: whoever
//! presents the token again within a few seconds (a second tab, an answer that was lost) gets the very same successor, and nobody who
//! reads the table gets any. Presented again later it proves that two hold it, and the session ends for both.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use shopwright_domain::SessionId;
use shopwright_domain::audit::SecurityAction;
use shopwright_domain::identity::Actor;
use shopwright_ports::identity_api::{IdentityError, Origin, SignedIn};
use shopwright_ports::secrets::Claims;
use shopwright_ports::storage::{Reach, RefreshToken, Session, Transaction, User};

use super::Identity;

/// How long a token that was used gives the same successor again.
const GRACE: SignedDuration = SignedDuration::from_secs(10);
/// What refresh tokens begin with, so that people and scanners know one when they see it.
const PREFIX: &str = "swr_";
/// Ours have 68 characters.
const LONGEST: usize = 256;

fn refresh_token(bytes: [u8; 32]) -> SecretString {
    let hex = bytes.iter().fold(String::from(PREFIX), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    hex.into()
}

impl Identity {
    /// A new session of a user with its first tokens, and its id.
    pub(super) async fn begin_session(
        &self,
        tx: &mut dyn Transaction,
        origin: &Origin,
        user: User,
    ) -> Result<(SessionId, SignedIn), IdentityError> {
        let now = self.clock.now();
        let session = Session {
            id: SessionId::from_random(self.entropy.u128()),
            user_id: user.id,
            tenant_id: user.tenant_id,
            created_at: now,
            last_used_at: now,
            expires_at: now.saturating_add(self.rules.session_lifetime).unwrap_or(Timestamp::MAX),
            revoked_at: None,
            ip_address: origin.ip_address.clone(),
            user_agent: origin.user_agent.clone(),
        };
        let mut bytes = [0; 32];
        self.entropy.fill(&mut bytes);
        let token = refresh_token(bytes);
        let row = self.row_of(&session, &token, now);
        tx.sessions().insert(&session, &row).await?;
        Ok((session.id, self.signed_in(&session, user, token, row.expires_at)?))
    }

    fn row_of(&self, session: &Session, token: &SecretString, now: Timestamp) -> RefreshToken {
        let idle = now.saturating_add(self.rules.session_idle).unwrap_or(Timestamp::MAX);
        RefreshToken {
            digest: self.digester.digest(token.expose_secret()),
            session_id: session.id,
            issued_at: now,
            expires_at: idle.min(session.expires_at),
            replaced: None,
        }
    }

    fn signed_in(
        &self,
        session: &Session,
        user: User,
        refresh_token: SecretString,
        refresh_expires_at: Timestamp,
    ) -> Result<SignedIn, IdentityError> {
        let claims = Claims {
            user_id: user.id,
            tenant_id: user.tenant_id,
            session_id: session.id,
            email: user.email.clone(),
            role: user.role,
        };
        let token =
            self.tokens.issue(&claims).map_err(|_| IdentityError::Internal("no token could be signed".to_owned()))?;
        Ok(SignedIn { user, token, expires_in: self.tokens.lifetime(), refresh_token, refresh_expires_at })
    }

    /// The next tokens of a session.
    pub(super) async fn next_tokens(&self, origin: &Origin, token: &SecretString) -> Result<SignedIn, IdentityError> {
        let Some(digest) = self.digest_of(token) else { return Err(IdentityError::SessionOver) };
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let found = tx.sessions().lock_by_token(&digest).await?;
        let (session, row) = found.ok_or(IdentityError::SessionOver)?;
        let now = self.clock.now();
        let user = tx.users().get(session.user_id).await?.filter(|user| user.active);
        let user = user.filter(|_| session.is_live(now)).ok_or(IdentityError::SessionOver)?;
        match row.replaced {
            None if now >= row.expires_at => Err(IdentityError::SessionOver),
            None => {
                let mut nonce = [0; 16];
                self.entropy.fill(&mut nonce);
                let next = self.successor(token, &nonce);
                let next_row = self.row_of(&session, &next, now);
                tx.sessions().rotate(&digest, &nonce, &next_row, origin.ip_address.as_deref()).await?;
                tx.commit().await?;
                self.signed_in(&session, user, next, next_row.expires_at)
            }
            Some((at, nonce)) if now.duration_since(at) <= GRACE => {
                let next = self.successor(token, &nonce);
                let next_row = self.row_of(&session, &next, at);
                self.signed_in(&session, user, next, next_row.expires_at)
            }
            Some(_) => {
                tx.sessions().revoke(user.id, session.id, now).await?;
                let message = "a refresh token was used twice: the session is ended, for somebody may have a copy";
                let event = self.security_event(&user, Some(origin), SecurityAction::RefreshTokenReused, message);
                tx.audit().append(&event.with("sessionId", session.id.to_string())).await?;
                tx.commit().await?;
                Err(IdentityError::SessionOver)
            }
        }
    }

    fn digest_of(&self, token: &SecretString) -> Option<[u8; 32]> {
        let text = token.expose_secret();
        (text.starts_with(PREFIX) && text.len() <= LONGEST).then(|| self.digester.digest(text))
    }

    fn successor(&self, token: &SecretString, nonce: &[u8; 16]) -> SecretString {
        refresh_token(self.digester.derive(token.expose_secret(), nonce))
    }

    /// Ends the session of a refresh token, whichever of its tokens it is.
    pub(super) async fn sign_out(&self, origin: &Origin, token: &SecretString) -> Result<(), IdentityError> {
        let Some(digest) = self.digest_of(token) else { return Ok(()) };
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let Some((session, _)) = tx.sessions().lock_by_token(&digest).await? else { return Ok(()) };
        let Some(user) = tx.users().get(session.user_id).await? else { return Ok(()) };
        if tx.sessions().revoke(user.id, session.id, self.clock.now()).await? {
            let event = self.security_event(&user, Some(origin), SecurityAction::Logout, "signed out");
            tx.audit().append(&event.with("sessionId", session.id.to_string())).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    pub(super) async fn list_sessions(&self, actor: &Actor) -> Result<Vec<Session>, IdentityError> {
        let mut tx = self.storage.begin(Reach::Identity).await?;
        Ok(tx.sessions().list(actor.user_id, self.clock.now()).await?)
    }

    pub(super) async fn end_session(&self, origin: &Origin, actor: &Actor, id: SessionId) -> Result<(), IdentityError> {
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let user = tx.users().get(actor.user_id).await?.ok_or(IdentityError::Unauthorized)?;
        if !tx.sessions().revoke(user.id, id, self.clock.now()).await? {
            return Err(IdentityError::NoSuchSession);
        }
        let event = self.security_event(&user, Some(origin), SecurityAction::SessionRevoked, "ended a session");
        tx.audit().append(&event.with("sessionId", id.to_string())).await?;
        Ok(tx.commit().await?)
    }

    pub(super) async fn end_sessions(
        &self,
        origin: &Origin,
        actor: &Actor,
        keep: Option<SessionId>,
    ) -> Result<u32, IdentityError> {
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let user = tx.users().get(actor.user_id).await?.ok_or(IdentityError::Unauthorized)?;
        let ended = tx.sessions().revoke_all(user.id, keep, self.clock.now()).await?;
        let event = self.security_event(&user, Some(origin), SecurityAction::SessionsRevoked, "ended sessions");
        tx.audit().append(&event.with("sessionsEnded", i64::from(ended))).await?;
        tx.commit().await?;
        Ok(ended)
    }
}
