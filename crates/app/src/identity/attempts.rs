//! Guessing defence (RELIABILITY S7, S8), exact over all replicas: counters in storage, by account and by account and address.
//!
//! An attempt counts as a failure before the password is looked at and is taken back when the password is right: however many
//! attempts are made at the same moment on however many replicas, no more than the limit are ever judged. Accounts that do not exist
//! have the same counters, so nothing tells them apart.

use secrecy::{ExposeSecret, SecretString};
use shopwright_domain::identity::Email;
use shopwright_domain::limits::{Meter, Rate, SignInFailures};
use shopwright_domain::network::network_of;
use shopwright_ports::identity_api::{IdentityError, Origin};
use shopwright_ports::storage::{Reach, Throttle, Transaction};

use super::Identity;

impl Identity {
    fn account_key(&self, email: &Email) -> [u8; 32] {
        self.digester.digest(&format!("account\0{email}"))
    }

    fn address_key(&self, origin: &Origin, email: &Email) -> [u8; 32] {
        let address = origin.ip_address.as_deref().unwrap_or_default();
        self.digester.digest(&format!("address\0{address}\0{email}"))
    }

    fn network_key(&self, what: &str, origin: &Origin) -> [u8; 32] {
        let address = origin.ip_address.as_deref().and_then(|address| address.parse().ok()).map(network_of);
        self.digester.digest(&format!("{what}\0{}", address.map(|address| address.to_string()).unwrap_or_default()))
    }

    fn registration_key(&self, origin: &Origin) -> [u8; 32] {
        self.network_key("registration", origin)
    }

    /// A throttle, locked, and the same with one registration more, which is not written yet.
    async fn take_registration(&self, tx: &mut dyn Transaction, key: &[u8; 32]) -> Result<Throttle, IdentityError> {
        let now = self.clock.now();
        let here = tx.throttles().lock(key, now).await?;
        let rate = self.rules.registration_rate.take(here.rate, now);
        let rate = rate.map_err(|refusal| IdentityError::TooManyRegistrations { until: refusal.until })?;
        Ok(Throttle { rate: Some(rate), ..here })
    }

    /// Counts a registration, or refuses it. Failed ones count too.
    pub(super) async fn begin_registration(&self, origin: &Origin) -> Result<(), IdentityError> {
        let key = self.registration_key(origin);
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let taken = self.take_registration(tx.as_mut(), &key).await?;
        tx.throttles().put(&key, taken).await?;
        Ok(tx.commit().await?)
    }

    /// Counts a registration with an invitation, or refuses it. One that cannot be accepted is a guess, and counts against the address that
    /// it comes from; one that can has attempts of its own, which nobody else's registrations use up.
    pub(super) async fn begin_invited_registration(
        &self,
        origin: &Origin,
        token: &SecretString,
        email: &Email,
    ) -> Result<(), IdentityError> {
        let mut tx = self.storage.begin(Reach::Identity).await?;
        // Guesses from one address wait for each other here: none is looked at that is not counted.
        let guesses = self.network_key("invitation", origin);
        let guess = self.take_registration(tx.as_mut(), &guesses).await?;
        let found = self.invitation(tx.as_mut(), token, email).await;
        match &found {
            Ok(_) | Err(IdentityError::InvitationForAnother) => {}
            Err(IdentityError::InvitationOver) => {
                tx.throttles().put(&guesses, guess).await?;
                tx.commit().await?;
                return Err(IdentityError::InvitationOver);
            }
            Err(_) => return found.map(drop),
        }
        let own = self.digester.digest(&format!("invited\0{}", token.expose_secret()));
        let attempt = self.take_registration(tx.as_mut(), &own).await?;
        tx.throttles().put(&own, attempt).await?;
        tx.commit().await?;
        found.map(drop)
    }

    /// What is left of the rate that an attempt counts against.
    pub(super) async fn meter_of(&self, origin: &Origin, email: Option<&Email>) -> Result<Meter, IdentityError> {
        let (rate, key): (Rate, _) = match email {
            Some(email) => (self.rules.sign_in_rate, self.address_key(origin, email)),
            None => (self.rules.registration_rate, self.registration_key(origin)),
        };
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let here = tx.throttles().get(&key).await?;
        Ok(rate.meter(here.rate, self.clock.now()))
    }

    /// Counts an attempt, or refuses it.
    pub(super) async fn begin_attempt(&self, origin: &Origin, email: &Email) -> Result<(), IdentityError> {
        let now = self.clock.now();
        let mut tx = self.storage.begin(Reach::Identity).await?;
        // Always the one before the other, so that two attempts cannot wait for each other.
        let (address, account) = (self.address_key(origin, email), self.account_key(email));
        let here = tx.throttles().lock(&address, now).await?;
        let rate = self.rules.sign_in_rate.take(here.rate, now);
        let rate = rate.map_err(|refusal| IdentityError::TooManyAttempts { until: refusal.until })?;
        let there = tx.throttles().lock(&account, now).await?;
        let lockout = self.rules.lockout;
        lockout.check(there.failures, now).map_err(|refusal| IdentityError::Locked { until: refusal.until })?;
        tx.throttles().put(&address, Throttle { rate: Some(rate), ..here }).await?;
        let failures = lockout.failed(there.failures, now);
        tx.throttles().put(&account, Throttle { failures, ..there }).await?;
        Ok(tx.commit().await?)
    }

    /// Counts a guess of somebody who is signed in, or refuses it. Only the account counts here: they may be anywhere.
    pub(super) async fn begin_guess(&self, email: &Email) -> Result<(), IdentityError> {
        let (now, account) = (self.clock.now(), self.account_key(email));
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let there = tx.throttles().lock(&account, now).await?;
        let lockout = self.rules.lockout;
        lockout.check(there.failures, now).map_err(|refusal| IdentityError::Locked { until: refusal.until })?;
        let failures = lockout.failed(there.failures, now);
        tx.throttles().put(&account, Throttle { failures, ..there }).await?;
        Ok(tx.commit().await?)
    }

    /// Whether the failures that stand now have locked the account.
    pub(super) async fn is_locked(&self, tx: &mut dyn Transaction, email: &Email) -> Result<bool, IdentityError> {
        let now = self.clock.now();
        let there = tx.throttles().lock(&self.account_key(email), now).await?;
        Ok(self.rules.lockout.check(there.failures, now).is_err())
    }

    /// The password was right: no failure stands against the account any more.
    pub(super) async fn forgive(&self, tx: &mut dyn Transaction, email: &Email) -> Result<(), IdentityError> {
        let account = self.account_key(email);
        let there = tx.throttles().lock(&account, self.clock.now()).await?;
        Ok(tx.throttles().put(&account, Throttle { failures: SignInFailures::default(), ..there }).await?)
    }
}
