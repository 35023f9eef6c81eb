//! Driving port: what happens to a request before and after the use case that it is for. May it come in now, and was it answered before?

use async_trait::async_trait;
use jiff::Timestamp;
use shopwright_domain::limits::Meter;
use shopwright_domain::{TenantId, UserId};

use crate::storage::{IdempotencyRecord, StorageError, StoredAnswer};
use crate::stores_api::RequestContext;

/// Who pays for a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Payer {
    /// All together.
    Everybody,
    /// An address whose requests nobody else pays for: they came without a token, or with one that is not good.
    Address(String),
    /// Somebody who is signed in, whose organisation's plan says how much.
    User {
        /// Who.
        id: UserId,
        /// For which organisation.
        tenant_id: TenantId,
    },
}

/// A request that may not come in now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests: the next one may be made at {until}")]
pub struct TooMany {
    /// The rate that is used up.
    pub meter: Meter,
    /// When the next one may come.
    pub until: Timestamp,
}

/// A client's promise that requests under one key are one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// For which method and path: the same key elsewhere is another promise.
    pub route: String,
    /// The client's key.
    pub key: String,
    /// A hash of who asks for what, to notice another request under the same key. Never of a password.
    pub fingerprint: Vec<u8>,
}

impl Promise {
    /// The row of its key, of which nothing has come yet.
    pub fn record(&self, tenant_id: TenantId, created_at: Timestamp) -> IdempotencyRecord {
        IdempotencyRecord {
            tenant_id,
            route: self.route.clone(),
            key: self.key.clone(),
            fingerprint: self.fingerprint.clone(),
            store_id: None,
            operation_id: None,
            answer: None,
            created_at,
        }
    }
}

/// Why a promise is not kept.
#[derive(Debug, thiserror::Error)]
pub enum PromiseError {
    /// The key was used for another request.
    #[error("this idempotency key was used for another request")]
    Reused,
    /// A request under the key is being worked on.
    #[error("a request with this idempotency key is being worked on")]
    InFlight,
    /// A request under the key began, and nobody knows how it ended: its server died over it.
    #[error("the request with this idempotency key may have been carried out, and its answer is lost")]
    Lost,
    /// The database does not answer, or worse.
    #[error("storage")]
    Storage(#[from] StorageError),
}

/// The door of the API.
#[async_trait]
pub trait Gate: Send + Sync {
    /// Lets one request in at the expense of `payer`, or refuses it. Does not fail: without a database each process counts for itself.
    async fn admit(&self, payer: &Payer) -> Result<Meter, TooMany>;

    /// What [`Gate::admit`] would say, as far as this process knows, without counting and without asking the database.
    fn look(&self, payer: &Payer) -> Result<Meter, TooMany>;

    /// The answer that was given under the promise, if one was kept.
    async fn earlier(&self, context: &RequestContext, promise: &Promise) -> Result<Option<StoredAnswer>, PromiseError>;

    /// Takes the key for a request whose use case knows nothing of keys, so that none other under it begins: what is about organisations
    /// is written where no key may be seen. [`Gate::keep`] or [`Gate::release`] follows.
    async fn claim(&self, context: &RequestContext, promise: &Promise) -> Result<(), PromiseError>;

    /// Gives a claimed key back: the request came to nothing that stands, and may be made again.
    async fn release(&self, context: &RequestContext, promise: &Promise) -> Result<(), PromiseError>;

    /// Keeps the answer, unless another one stands under the promise by now; returns the one that stands. What is kept is shown to
    /// whoever repeats the request, for a day, by every replica: it must hold no secret.
    async fn keep(
        &self,
        context: &RequestContext,
        promise: &Promise,
        answer: StoredAnswer,
    ) -> Result<StoredAnswer, PromiseError>;
}
