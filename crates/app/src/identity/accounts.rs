//! Accounts: the first administrator, registration, sign-in, change of password.

use secrecy::SecretString;
use shopwright_domain::identity::{Actor, Email, PlatformRole, Username};
use shopwright_domain::plans::PlanName;
use shopwright_domain::{SessionId, TenantId, UserId};
use shopwright_ports::identity_api::{IdentityError, Origin, SignedIn};
use shopwright_ports::storage::{Reach, StorageError, Tenant, Transaction, Unique, User};

use super::{Identity, of_hash};

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

    fn new_user(&self, email: Email, username: Username, password_hash: String, role: PlatformRole) -> User {
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

    async fn insert(
        &self,
        tx: &mut dyn Transaction,
        user: &User,
        origin: Option<&Origin>,
        message: &str,
    ) -> Result<(), IdentityError> {
        let tenant = Tenant {
            id: user.tenant_id,
            name: user.username.as_str().to_owned(),
            plan: PlanName::standard(),
            last_store_created_at: None,
            created_at: user.created_at,
        };
        tx.tenants().insert(&tenant).await?;
        tx.users().insert(user).await.map_err(|error| match error {
            StorageError::NotUnique(Unique::UserEmail | Unique::Username) => IdentityError::UserExists,
            other => other.into(),
        })?;
        tx.audit().append(&self.security_event(user, origin, "registration", message)).await?;
        Ok(())
    }

    pub(super) async fn register_account(
        &self,
        origin: &Origin,
        email: Email,
        username: Username,
        password: SecretString,
    ) -> Result<SignedIn, IdentityError> {
        if !self.rules.registration_open {
            return Err(IdentityError::RegistrationClosed);
        }
        self.begin_registration(origin).await?;
        // The slow hash is made before the transaction: no connection waits for it.
        let hash = self.hasher.hash(password).await.map_err(of_hash)?;
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let first = self.rules.bootstrap_first_user && !tx.users().has_admin().await?;
        let role = if first { PlatformRole::Admin } else { PlatformRole::Tenant };
        let user = self.new_user(email, username, hash, role);
        self.insert(tx.as_mut(), &user, Some(origin), "registered").await?;
        let signed_in = self.begin_session(tx.as_mut(), origin, user).await?;
        tx.commit().await?;
        Ok(signed_in)
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
        let right = self.hasher.verify(password, hash).await.map_err(of_hash)?;
        match user {
            Some(user) if right => {
                let mut tx = self.storage.begin(Reach::Identity).await?;
                self.forgive(tx.as_mut(), email).await?;
                tx.audit().append(&self.security_event(&user, Some(origin), "login_success", "signed in")).await?;
                let signed_in = self.begin_session(tx.as_mut(), origin, user).await?;
                tx.commit().await?;
                Ok(signed_in)
            }
            user => {
                self.note_failure(origin, email, user.as_ref()).await?;
                Err(IdentityError::InvalidCredentials)
            }
        }
    }

    /// Writes a wrong password into the account's audit trail. An account that is not there has none; it costs a look instead.
    async fn note_failure(&self, origin: &Origin, email: &Email, user: Option<&User>) -> Result<(), IdentityError> {
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let locked = self.is_locked(tx.as_mut(), email).await?;
        let (action, message) = if locked {
            ("account_locked", "locked after too many wrong passwords")
        } else {
            ("login_failed", "wrong password")
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
        // A thief of a session may guess here as well as at the door.
        self.begin_guess(&actor.email).await?;
        let user = self.storage.begin(Reach::Identity).await?.users().get(actor.user_id).await?;
        let user = user.ok_or(IdentityError::Unauthorized)?;
        if !self.hasher.verify(current, Some(user.password_hash.clone())).await.map_err(of_hash)? {
            self.note_failure(origin, &user.email, Some(&user)).await?;
            return Err(IdentityError::WrongPassword);
        }
        let hash = self.hasher.hash(new).await.map_err(of_hash)?;
        let mut tx = self.storage.begin(Reach::Identity).await?;
        self.forgive(tx.as_mut(), &user.email).await?;
        tx.users().set_password_hash(user.id, &hash).await?;
        // Whoever knew the old password is out (RELIABILITY S10).
        let ended = tx.sessions().revoke_all(user.id, keep, self.clock.now()).await?;
        let event = self.security_event(&user, Some(origin), "password_changed", "changed the password");
        tx.audit().append(&event.with("sessionsEnded", i64::from(ended))).await?;
        Ok(tx.commit().await?)
    }
}
