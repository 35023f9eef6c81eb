//! Accounts: the first administrator, registration, sign-in, change of password.

use secrecy::{ExposeSecret, SecretString};
use shopwright_domain::audit::{AuditEvent, SecurityAction};
use shopwright_domain::identity::{Actor, Credential, Email, PlatformRole, Username, is_common, repeats};
use shopwright_domain::organisation::is_for;
use shopwright_domain::plans::PlanName;
use shopwright_domain::{SessionId, TenantId, UserId};
use shopwright_ports::identity_api::{IdentityError, Origin, SignedIn};
use shopwright_ports::storage::{Invitation, Reach, StorageError, Tenant, Transaction, Unique, User};

use super::{Identity, of_hash};
use crate::organisations::{digest_of, is_open};

impl Identity {
    /// Makes the first administrator when there is none. Called at start, before requests are served; harmless on every replica.
    ///
    /// # Errors
    /// [`IdentityError::UserExists`] when the address belongs to an account that is no administrator.
    pub async fn ensure_administrator(&self, email: Email, password: SecretString) -> Result<bool, IdentityError> {
        if self.has_administrator().await? {
            return Ok(false);
        }
        let hash = self.hasher.hash(password).await.map_err(of_hash)?;
        let username = "admin".parse::<Username>().map_err(|error| IdentityError::Internal(error.to_string()))?;
        let user = self.new_user(email, username, hash, PlatformRole::Admin);
        match self.insert_administrator(&user).await {
            Ok(()) => Ok(true),
            // Another replica may have made it at the same moment.
            Err(error) => {
                if self.has_administrator().await? {
                    Ok(false)
                } else {
                    Err(error)
                }
            }
        }
    }

    async fn has_administrator(&self) -> Result<bool, IdentityError> {
        let mut tx = self.storage.begin(Reach::Identity).await?;
        Ok(tx.users().has_admin().await?)
    }

    async fn insert_administrator(&self, user: &User) -> Result<(), IdentityError> {
        let mut tx = self.storage.begin(Reach::Identity).await?;
        self.insert(tx.as_mut(), user, None, "the first administrator was made from the configuration").await?;
        Ok(tx.commit().await?)
    }

    pub(super) fn new_user(&self, email: Email, username: Username, password_hash: String, role: PlatformRole) -> User {
        User {
            id: UserId::from_random(self.entropy.u128()),
            tenant_id: TenantId::from_random(self.entropy.u128()),
            email,
            username,
            password_hash,
            role,
            active: true,
            created_at: self.clock.now(),
        }
    }

    pub(super) async fn insert(
        &self,
        tx: &mut dyn Transaction,
        user: &User,
        origin: Option<&Origin>,
        message: &str,
    ) -> Result<(), IdentityError> {
        let tenant = Tenant {
            id: user.tenant_id,
            name: user.username.as_str().to_owned(),
            personal: true,
            plan: PlanName::standard(),
            last_store_created_at: None,
            created_at: user.created_at,
        };
        tx.tenants().insert(&tenant).await?;
        tx.users().insert(user).await.map_err(|error| match error {
            StorageError::NotUnique(Unique::UserEmail | Unique::Username) => IdentityError::UserExists,
            other => other.into(),
        })?;
        let mut event = self.security_event(user, origin, SecurityAction::Registration, message);
        for (key, value) in
            [("email", user.email.as_str()), ("username", user.username.as_str()), ("role", user.role.as_str())]
        {
            event.after.insert(key.to_owned(), value.into());
        }
        tx.audit().append(&event).await?;
        Ok(())
    }

    pub(super) async fn register_account(
        &self,
        origin: &Origin,
        email: Email,
        username: Username,
        password: SecretString,
        invitation: Option<SecretString>,
    ) -> Result<SignedIn, IdentityError> {
        if !self.rules.registration_open && invitation.is_none() {
            return Err(IdentityError::RegistrationClosed);
        }
        // Before the hash, which costs the most: whoever has no invitation costs no more than a look.
        match &invitation {
            None => self.begin_registration(origin).await?,
            Some(token) => self.begin_invited_registration(origin, token, &email).await?,
        }
        self.check_new_password(&password, [email.as_str(), username.as_str()])?;
        // The slow hash is made before the transaction: no connection waits for it.
        let hash = self.hasher.hash(password).await.map_err(of_hash)?;
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let first = self.rules.bootstrap_first_user && !tx.users().has_admin().await?;
        let role = if first { PlatformRole::Admin } else { PlatformRole::Tenant };
        let user = self.new_user(email, username, hash, role);
        self.insert(tx.as_mut(), &user, Some(origin), "registered").await?;
        if let Some(token) = &invitation {
            let invitation = self.invitation(tx.as_mut(), token, &user.email).await?;
            self.join(tx.as_mut(), &user, origin, &invitation).await?;
        }
        let (_, signed_in) = self.begin_session(tx.as_mut(), origin, user).await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    /// Refuses what is guessed first (RELIABILITY S7), where the operator wants that. `names` belong to the account.
    fn check_new_password(&self, password: &SecretString, names: [&str; 2]) -> Result<(), IdentityError> {
        let text = password.expose_secret();
        let local = |name: &str| name.split('@').next().is_some_and(|local| repeats(text, local));
        let guessed_first = is_common(text) || names.iter().any(|name| repeats(text, name) || local(name));
        if guessed_first && !self.rules.common_passwords_allowed { Err(IdentityError::CommonPassword) } else { Ok(()) }
    }

    /// The invitation of a token, locked, for somebody who may accept it.
    pub(super) async fn invitation(
        &self,
        tx: &mut dyn Transaction,
        token: &SecretString,
        email: &Email,
    ) -> Result<Invitation, IdentityError> {
        let digest = digest_of(self.digester.as_ref(), token).ok_or(IdentityError::InvitationOver)?;
        let found = tx.invitations().lock_by_digest(&digest).await?.map(|(invitation, _)| invitation);
        let open = found.filter(|invitation| is_open(invitation, self.clock.now()));
        let invitation = open.ok_or(IdentityError::InvitationOver)?;
        if is_for(invitation.email.as_ref(), email) { Ok(invitation) } else { Err(IdentityError::InvitationForAnother) }
    }

    /// Makes a new account a member of the organisation that invited it.
    async fn join(
        &self,
        tx: &mut dyn Transaction,
        user: &User,
        origin: &Origin,
        invitation: &Invitation,
    ) -> Result<(), IdentityError> {
        tx.memberships().insert(invitation.tenant_id, user.id, invitation.role, user.created_at).await?;
        tx.invitations().accept(invitation.id, user.id, user.created_at).await?;
        let event = self.security_event(
            user,
            Some(origin),
            SecurityAction::MemberJoined,
            "registered and joined the organisation",
        );
        let event = AuditEvent { tenant_id: invitation.tenant_id, ..event };
        let event = event.with("invitationId", invitation.id.to_string()).with("role", invitation.role.as_str());
        Ok(tx.audit().append(&event).await?)
    }

    pub(super) async fn sign_in(
        &self,
        origin: &Origin,
        email: &Email,
        password: SecretString,
    ) -> Result<SignedIn, IdentityError> {
        self.begin_attempt(origin, email).await?;
        let user = self.storage.begin(Reach::Identity).await?.users().by_email(email).await?;
        // An unknown address costs the same work as a known one (RELIABILITY S8): the hash, and as many words with the database.
        let hash = user.as_ref().filter(|user| user.active).map(|user| user.password_hash.clone());
        let right = self.hasher.verify(password.clone(), hash).await.map_err(of_hash)?;
        if let Some(user) = user.as_ref().filter(|_| right) {
            let renewed = self.renewed(user, password).await;
            if let Some(signed_in) = self.let_in(origin, user, renewed.as_deref()).await? {
                return Ok(signed_in);
            }
        }
        self.note_failure(origin, email, user.as_ref()).await?;
        Err(IdentityError::InvalidCredentials)
    }

    /// Another hash of a password that was right, if its own was made otherwise than new ones are (RELIABILITY S5). When there is too much to
    /// hash the next sign-in is early enough.
    async fn renewed(&self, user: &User, password: SecretString) -> Option<String> {
        if !self.hasher.is_outdated(&user.password_hash) {
            return None;
        }
        self.hasher.hash(password).await.ok()
    }

    /// A session for somebody whose password was right when `user` was read; `renewed` takes the place of their hash. None when the account
    /// was closed since, or has another password: that ended the sessions that were there, and this one would outlive it.
    async fn let_in(
        &self,
        origin: &Origin,
        user: &User,
        renewed: Option<&str>,
    ) -> Result<Option<SignedIn>, IdentityError> {
        let mut tx = self.storage.begin(Reach::Identity).await?;
        self.forgive(tx.as_mut(), &user.email).await?;
        let unchanged = |now: &User| now.active && now.password_hash == user.password_hash;
        let Some(user) = tx.users().lock(user.id).await?.filter(unchanged) else { return Ok(None) };
        if let Some(hash) = renewed {
            tx.users().set_password_hash(user.id, hash).await?;
        }
        let mut event = self.security_event(&user, Some(origin), SecurityAction::LoginSuccess, "signed in");
        let (session, signed_in) = self.begin_session(tx.as_mut(), origin, user).await?;
        event.credential = Some(Credential::Session(session));
        tx.audit().append(&event).await?;
        tx.commit().await?;
        Ok(Some(signed_in))
    }

    /// Writes a wrong password into the account's audit trail. An account that is not there has none; it costs a look instead.
    async fn note_failure(&self, origin: &Origin, email: &Email, user: Option<&User>) -> Result<(), IdentityError> {
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let locked = self.is_locked(tx.as_mut(), email).await?;
        let (action, message) = if locked {
            (SecurityAction::AccountLocked, "locked after too many wrong passwords")
        } else {
            (SecurityAction::LoginFailed, "wrong password")
        };
        match user {
            Some(user) => tx.audit().append(&self.security_event(user, Some(origin), action, message)).await?,
            None => drop(tx.tenants().lock(TenantId::from_random(0)).await?),
        }
        Ok(tx.commit().await?)
    }

    pub(super) async fn set_password(
        &self,
        origin: &Origin,
        actor: &Actor,
        keep: Option<SessionId>,
        current: SecretString,
        new: SecretString,
    ) -> Result<(), IdentityError> {
        let user = self.storage.begin(Reach::Identity).await?.users().get(actor.user_id).await?;
        let user = user.ok_or(IdentityError::Unauthorized)?;
        self.check_new_password(&new, [user.email.as_str(), user.username.as_str()])?;
        // A thief of a session may guess here as well as at the door.
        self.begin_guess(&actor.email).await?;
        if !self.hasher.verify(current, Some(user.password_hash.clone())).await.map_err(of_hash)? {
            self.note_failure(origin, &user.email, Some(&user)).await?;
            return Err(IdentityError::WrongPassword);
        }
        let hash = self.hasher.hash(new).await.map_err(of_hash)?;
        let mut tx = self.storage.begin(Reach::Identity).await?;
        self.forgive(tx.as_mut(), &user.email).await?;
        // Whose account was closed meanwhile changes nothing, and of two who change it at once the second does not know it.
        let now = tx.users().lock(user.id).await?.filter(|now| now.active).ok_or(IdentityError::Unauthorized)?;
        if now.password_hash != user.password_hash {
            return Err(IdentityError::WrongPassword);
        }
        tx.users().set_password_hash(user.id, &hash).await?;
        // Whoever knew the old password is out (RELIABILITY S10).
        let ended = tx.sessions().revoke_all(user.id, keep, self.clock.now()).await?;
        let event = self.security_event(&user, Some(origin), SecurityAction::PasswordChanged, "changed the password");
        tx.audit().append(&event.with("sessionsEnded", i64::from(ended))).await?;
        Ok(tx.commit().await?)
    }
}
