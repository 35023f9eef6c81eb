//! Bearers of tokens of the configured issuer (ADR 12).
//!
//! A person is known by issuer and subject, of which their account's id is made: whoever gets their address later is somebody else. The
//! first token makes the account with its personal organisation. Where registration is closed, a token whose address the issuer has
//! verified stands for the account of that address; where it is open, anybody may have registered with it before its owner came.

use secrecy::SecretString;
use shopwright_domain::identity::{Email, PlatformRole, Username};
use shopwright_domain::{TenantId, UserId};
use shopwright_ports::external_issuer::{ExternalIdentity, ExternalIssuer, ExternalTokenError};
use shopwright_ports::identity_api::{Bearer, IdentityError, Proof};
use shopwright_ports::storage::{Reach, Transaction, User};

use super::bearer::actor;
use super::{Identity, of_hash};

impl Identity {
    /// Who the bearer of the issuer's token is here.
    pub(super) async fn bearer_of_issuer(
        &self,
        issuer: &dyn ExternalIssuer,
        token: &str,
        organisation: Option<TenantId>,
    ) -> Result<Bearer, IdentityError> {
        let person = issuer.verify(token).await.map_err(|error| match error {
            ExternalTokenError::Invalid => IdentityError::Unauthorized,
            ExternalTokenError::Unavailable => IdentityError::IssuerUnavailable,
        })?;
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let user = if let Some(user) = self.account_of(tx.as_mut(), &person).await? {
            user
        } else {
            // Nobody holds a connection while a password is hashed.
            drop(tx);
            let user = self.first_seen(&person).await?;
            tx = self.storage.begin(Reach::Identity).await?;
            user
        };
        if !user.active {
            return Err(IdentityError::Unauthorized);
        }
        let mut actor = actor(tx.as_mut(), &user, organisation.unwrap_or(user.tenant_id)).await?;
        // The platform is run by who signs in here.
        actor.role = PlatformRole::Tenant;
        Ok(Bearer { actor, user, proof: Proof::External })
    }

    fn id_of(&self, person: &ExternalIdentity) -> UserId {
        // Nothing can stand between the two but a line's end, which neither holds.
        let digest = self.digester.digest(&format!("{}\n{}", person.issuer, person.subject));
        let half = digest.iter().take(16).fold(0_u128, |number, byte| (number << 8) | u128::from(*byte));
        UserId::from_random(half)
    }

    /// The account that is theirs: made for them, or of the address that the issuer has verified.
    ///
    /// Nobody has proven an address by registering with it.
    async fn account_of(
        &self,
        tx: &mut dyn Transaction,
        person: &ExternalIdentity,
    ) -> Result<Option<User>, IdentityError> {
        if let Some(user) = tx.users().get(self.id_of(person)).await? {
            return Ok(Some(user));
        }
        match &person.email {
            Some(email) if !self.rules.registration_open => Ok(tx.users().by_email(email).await?),
            _ => Ok(None),
        }
    }

    /// Makes their account. Its password is one that nobody knows.
    async fn first_seen(&self, person: &ExternalIdentity) -> Result<User, IdentityError> {
        // Without an address that is theirs for sure nobody could be told who this is.
        let email = person.email.clone().ok_or(IdentityError::Unauthorized)?;
        let secret = format!("{:032x}{:032x}", self.entropy.u128(), self.entropy.u128());
        let hash = self.hasher.hash(SecretString::from(secret)).await.map_err(of_hash)?;
        let id = self.id_of(person);
        let mut user = self.new_user(email.clone(), username(&email, id)?, hash, PlatformRole::Tenant);
        user.id = id;
        let made = async {
            let mut tx = self.storage.begin(Reach::Identity).await?;
            self.insert(tx.as_mut(), &user, None, "registered by a token of the configured issuer").await?;
            Ok::<(), IdentityError>(tx.commit().await?)
        };
        match made.await {
            Ok(()) => Ok(user),
            // Another request of theirs was first.
            Err(error @ IdentityError::UserExists) => {
                let mut tx = self.storage.begin(Reach::Identity).await?;
                self.account_of(tx.as_mut(), person).await?.ok_or(error)
            }
            Err(error) => Err(error),
        }
    }
}

/// The local part of the address, as far as a name may hold it, and something that nobody else has.
fn username(email: &Email, id: UserId) -> Result<Username, IdentityError> {
    let local = email.as_str().split('@').next().unwrap_or_default();
    let local: String = local.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    let id = id.to_string();
    let name = format!("{local}-{}", id.split('-').next().unwrap_or_default());
    name.trim_start_matches('-').parse().map_err(|error| IdentityError::Internal(format!("{name}: {error}")))
}
