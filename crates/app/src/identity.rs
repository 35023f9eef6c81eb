//! The use cases of identity: registration, sign-in, what a token stands for, the first administrator.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use shopwright_domain::audit::{AuditEvent, AuditEventType};
use shopwright_domain::identity::{Actor, Email, PlatformRole, Username};
use shopwright_domain::limits::{Lockout, SignInFailures};
use shopwright_domain::{TenantId, UserId};
use shopwright_ports::clock::{Clock, Entropy};
use shopwright_ports::identity_api::{IdentityError, IdentityService, Origin, SignedIn};
use shopwright_ports::secrets::{Claims, HashError, PasswordHasher, Tokens};
use shopwright_ports::storage::{Storage, StorageError, Tenant, Transaction, Unique, User};

/// The use cases of identity.
#[derive(Clone)]
pub struct Identity {
    /// Where accounts are.
    pub storage: Arc<dyn Storage>,
    /// Hashes passwords.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Signs tokens.
    pub tokens: Arc<dyn Tokens>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub entropy: Arc<dyn Entropy>,
    /// When an account is locked.
    pub lockout: Lockout,
    /// Whether anybody may register.
    pub registration_open: bool,
    /// Whether the first account ever becomes administrator (DECISIONS 31: only where it was asked for).
    pub bootstrap_first_user: bool,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("lockout", &self.lockout).finish_non_exhaustive()
    }
}

impl From<HashFailure> for IdentityError {
    fn from(failure: HashFailure) -> Self {
        match failure.0 {
            HashError::Busy => Self::Busy,
            HashError::Malformed => Self::Internal(HashError::Malformed.to_string()),
        }
    }
}

struct HashFailure(HashError);

impl Identity {
    /// Makes the first administrator when there is none. Called at start, before requests are served; harmless on every replica.
    ///
    /// # Errors
    /// [`IdentityError::UserExists`] when the address belongs to an account that is no administrator.
    pub async fn ensure_administrator(&self, email: Email, password: SecretString) -> Result<bool, IdentityError> {
        if self.has_administrator().await? {
            return Ok(false);
        }
        let hash = self.hasher.hash(password).await.map_err(HashFailure)?;
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
        let mut tx = self.storage.begin().await?;
        Ok(tx.users().has_admin().await?)
    }

    async fn insert_administrator(&self, user: &User) -> Result<(), IdentityError> {
        let mut tx = self.storage.begin().await?;
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
            failures: SignInFailures::default(),
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
            last_store_created_at: None,
            created_at: user.created_at,
        };
        tx.tenants().insert(&tenant).await?;
        tx.users().insert(user).await.map_err(|error| match error {
            StorageError::NotUnique(Unique::UserEmail | Unique::Username) => IdentityError::UserExists,
            other => other.into(),
        })?;
        let event = self.security_event(user, origin, "registration", message);
        tx.audit().append(&event).await?;
        Ok(())
    }

    fn security_event(&self, user: &User, origin: Option<&Origin>, action: &str, message: &str) -> AuditEvent {
        let mut event =
            AuditEvent::new(user.tenant_id, AuditEventType::Security, message, self.clock.now()).with("action", action);
        event.actor = Some(user.id);
        event.actor_email = Some(user.email.as_str().to_owned());
        event.ip_address = origin.and_then(|origin| origin.ip_address.clone());
        event.request_id = origin.map(|origin| origin.request_id.clone());
        event
    }

    fn sign_in(&self, user: User) -> Result<SignedIn, IdentityError> {
        let claims = Claims { user_id: user.id, tenant_id: user.tenant_id, email: user.email.clone(), role: user.role };
        let token =
            self.tokens.issue(&claims).map_err(|_| IdentityError::Internal("no token could be signed".to_owned()))?;
        Ok(SignedIn { user, token })
    }

    async fn read(&self, email: &Email) -> Result<Option<User>, IdentityError> {
        let mut tx = self.storage.begin().await?;
        Ok(tx.users().lock_by_email(email).await?)
    }

    /// Counts one failed or successful sign-in on the newest state of the account.
    async fn count(&self, origin: &Origin, email: &Email, success: bool) -> Result<(), IdentityError> {
        let mut tx = self.storage.begin().await?;
        let Some(user) = tx.users().lock_by_email(email).await? else { return Ok(()) };
        let now = self.clock.now();
        let failures = if success { SignInFailures::default() } else { self.lockout.failed(user.failures, now) };
        let (action, message) = match (success, failures.locked_until) {
            (true, _) => ("login_success", "signed in"),
            (false, None) => ("login_failed", "wrong password"),
            (false, Some(_)) => ("account_locked", "locked after too many wrong passwords"),
        };
        tx.users().set_failures(user.id, failures).await?;
        tx.audit().append(&self.security_event(&user, Some(origin), action, message)).await?;
        Ok(tx.commit().await?)
    }
}

#[async_trait]
impl IdentityService for Identity {
    async fn register(
        &self,
        origin: &Origin,
        email: Email,
        username: Username,
        password: SecretString,
    ) -> Result<SignedIn, IdentityError> {
        if !self.registration_open {
            return Err(IdentityError::RegistrationClosed);
        }
        // The slow hash is made before the transaction: no connection waits for it.
        let hash = self.hasher.hash(password).await.map_err(HashFailure)?;
        let mut tx = self.storage.begin().await?;
        let first = self.bootstrap_first_user && !tx.users().has_admin().await?;
        let role = if first { PlatformRole::Admin } else { PlatformRole::Tenant };
        let user = self.new_user(email, username, hash, role);
        self.insert(tx.as_mut(), &user, Some(origin), "registered").await?;
        tx.commit().await?;
        self.sign_in(user)
    }

    async fn login(&self, origin: &Origin, email: Email, password: SecretString) -> Result<SignedIn, IdentityError> {
        let user = self.read(&email).await?.filter(|user| user.active);
        if let Some(user) = &user {
            self.lockout
                .check(user.failures, self.clock.now())
                .map_err(|refusal| IdentityError::Locked { until: refusal.until })?;
        }
        // An unknown address costs the same work as a known one (RELIABILITY S8).
        let hash = user.as_ref().map(|user| user.password_hash.clone());
        let right = self.hasher.verify(password, hash).await.map_err(HashFailure)?;
        self.count(origin, &email, right).await?;
        match user {
            Some(user) if right => self.sign_in(user),
            Some(_) | None => Err(IdentityError::InvalidCredentials),
        }
    }

    async fn authenticate(&self, token: &str) -> Result<(Actor, User), IdentityError> {
        let claims = self.tokens.verify(token).map_err(|_| IdentityError::Unauthorized)?;
        let mut tx = self.storage.begin().await?;
        let user =
            tx.users().get(claims.user_id).await?.filter(|user| user.active).ok_or(IdentityError::Unauthorized)?;
        let actor = Actor { user_id: user.id, tenant_id: user.tenant_id, email: user.email.clone(), role: user.role };
        Ok((actor, user))
    }

    async fn change_password(
        &self,
        origin: &Origin,
        actor: &Actor,
        current: SecretString,
        new: SecretString,
    ) -> Result<(), IdentityError> {
        let user = self.read(&actor.email).await?.ok_or(IdentityError::Unauthorized)?;
        if !self.hasher.verify(current, Some(user.password_hash.clone())).await.map_err(HashFailure)? {
            return Err(IdentityError::WrongPassword);
        }
        let hash = self.hasher.hash(new).await.map_err(HashFailure)?;
        let mut tx = self.storage.begin().await?;
        tx.users().set_password_hash(user.id, &hash).await?;
        tx.audit()
            .append(&self.security_event(&user, Some(origin), "password_changed", "changed the password"))
            .await?;
        Ok(tx.commit().await?)
    }
}
