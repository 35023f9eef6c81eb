//! The door of the API: how many requests each payer may make, and which answer was given to a request before.
//!
//! Rates are kept in the database and *leased*: a process takes a block of requests at once and hands them out one by one, so most
//! requests cost no statement (DECISIONS 27). What was leased and not used in half a window is gone. So over R processes a payer may make
//! at most R x block requests more than the limit in any window, and a slow payer is never refused. Without a database each process counts for itself.

mod answers;
mod bucket;

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{Either, select};
use jiff::{SignedDuration, Timestamp};
use shopwright_domain::limits::{Meter, Rate};
use shopwright_domain::plans::Plans;
use shopwright_ports::clock::Clock;
use shopwright_ports::gate_api::{Gate, Payer, Promise, PromiseError, TooMany};
use shopwright_ports::secrets::Digester;
use shopwright_ports::storage::{Reach, Storage, StorageError, StoredAnswer, Throttle};
use shopwright_ports::stores_api::RequestContext;

use bucket::{Bucket, Leased, block};

/// So many payers are remembered; more of them begin anew. A payer takes some 200 bytes.
const REMEMBERED: usize = 20_000;

/// How long a request waits for the database to give a block.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long the database is left alone after it gave none.
const ALONE_FOR: SignedDuration = SignedDuration::from_secs(5);

/// What an operator decides about requests.
#[derive(Debug, Clone)]
pub struct GateRules {
    /// Requests of one address that nobody else pays for.
    pub address: Rate,
    /// Requests of all together.
    pub everybody: Rate,
    /// Requests of one user, by the plan of the organisation.
    pub plans: Plans,
    /// How long an idempotency key is remembered.
    pub idempotency_window: SignedDuration,
}

impl Default for GateRules {
    fn default() -> Self {
        Self {
            address: Rate { limit: 60, window: SignedDuration::from_mins(1) },
            everybody: Rate { limit: 60_000, window: SignedDuration::from_mins(1) },
            plans: Plans::default(),
            idempotency_window: SignedDuration::from_hours(24),
        }
    }
}

impl GateRules {
    /// No limit that anybody would meet.
    pub fn unlimited() -> Self {
        let rate = Rate { limit: 1_000_000_000, window: SignedDuration::from_secs(1) };
        let mut rules = Self { address: rate, everybody: rate, ..Self::default() };
        rules.plans.standard.requests = rate;
        rules
    }
}

/// The door.
pub struct Door {
    storage: Arc<dyn Storage>,
    digester: Arc<dyn Digester>,
    clock: Arc<dyn Clock>,
    rules: GateRules,
    /// The database is not asked before then.
    alone_until: Mutex<Timestamp>,
    /// Each with a lock of its own: one request leases, the others of the same payer wait for it.
    buckets: Mutex<HashMap<Payer, Arc<tokio::sync::Mutex<Bucket>>>>,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Door {
    /// A door that remembers nobody yet.
    pub fn new(
        storage: Arc<dyn Storage>,
        digester: Arc<dyn Digester>,
        clock: Arc<dyn Clock>,
        rules: GateRules,
    ) -> Self {
        Self { storage, digester, clock, rules, alone_until: Mutex::new(Timestamp::MIN), buckets: Mutex::default() }
    }

    /// How many payers are remembered.
    pub fn remembered(&self) -> usize {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The rate as far as it is known without asking.
    const fn usual_rate(&self, payer: &Payer) -> Rate {
        match payer {
            Payer::Everybody => self.rules.everybody,
            Payer::Address(_) => self.rules.address,
            Payer::User { .. } => self.rules.plans.standard.requests,
        }
    }

    fn known(&self, payer: &Payer) -> Option<Arc<tokio::sync::Mutex<Bucket>>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner).get(payer).cloned()
    }

    fn bucket(&self, payer: &Payer, now: Timestamp) -> Arc<tokio::sync::Mutex<Bucket>> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get(payer) {
            return bucket.clone();
        }
        if buckets.len() >= REMEMBERED {
            // Whoever is locked is being asked about right now.
            buckets.retain(|_, bucket| bucket.try_lock().map_or(true, |bucket| bucket.is_of_use(now)));
            if buckets.len() >= REMEMBERED {
                buckets.clear();
            }
        }
        let bucket = Arc::new(tokio::sync::Mutex::new(Bucket::new(self.usual_rate(payer))));
        buckets.insert(payer.clone(), bucket.clone());
        bucket
    }

    fn key(&self, payer: &Payer) -> [u8; 32] {
        self.digester.digest(&match payer {
            Payer::Everybody => "requests\0everybody".to_owned(),
            Payer::Address(address) => format!("requests\0address\0{address}"),
            Payer::User { id, .. } => format!("requests\0user\0{id}"),
        })
    }

    /// Takes a block from the database, unless that does not answer, or did not a moment ago: nobody waits for a limit.
    async fn lease_in_time(&self, payer: &Payer, now: Timestamp) -> Option<Leased> {
        if *self.alone_until.lock().unwrap_or_else(PoisonError::into_inner) > now {
            return None;
        }
        let reason = match select(pin!(self.lease(payer, now)), self.clock.sleep(PATIENCE)).await {
            Either::Left((Ok(leased), _)) => return Some(leased),
            Either::Left((Err(error), _)) => error.to_string(),
            Either::Right(_) => "no answer in time".to_owned(),
        };
        tracing::warn!(reason, "for a while requests are counted by this process alone");
        *self.alone_until.lock().unwrap_or_else(PoisonError::into_inner) = now + ALONE_FOR;
        None
    }

    /// Takes a block from the database.
    async fn lease(&self, payer: &Payer, now: Timestamp) -> Result<Leased, StorageError> {
        let mut tx = self.storage.begin(Reach::Identity).await?;
        let rate = match payer {
            Payer::User { tenant_id, .. } => {
                let plan = tx.tenants().get(*tenant_id).await?.map(|tenant| tenant.plan).unwrap_or_default();
                self.rules.plans.get(&plan).requests
            }
            Payer::Everybody | Payer::Address(_) => self.usual_rate(payer),
        };
        let key = self.key(payer);
        let here = tx.throttles().lock(&key, now).await?;
        let taken = match rate.take_up_to(block(rate), here.rate, now) {
            Ok(taken) => taken,
            Err(refusal) => return Ok(Leased { rate, state: here.rate, outcome: Err(refusal) }),
        };
        tx.throttles().put(&key, Throttle { rate: Some(taken.state), ..here }).await?;
        tx.commit().await?;
        Ok(Leased { rate, state: Some(taken.state), outcome: Ok(taken.count) })
    }
}

#[async_trait]
impl Gate for Door {
    async fn admit(&self, payer: &Payer) -> Result<Meter, TooMany> {
        let now = self.clock.now();
        let bucket = self.bucket(payer, now);
        let mut bucket = bucket.lock().await;
        if let Some(known) = bucket.take(now) {
            return known;
        }
        match self.lease_in_time(payer, now).await {
            Some(leased) => bucket.fill(leased, now),
            None => bucket.fill_alone(now, now + ALONE_FOR),
        }
        bucket.take(now).unwrap_or_else(|| Ok(bucket.meter(now)))
    }

    fn look(&self, payer: &Payer) -> Result<Meter, TooMany> {
        let now = self.clock.now();
        let unknown = || self.usual_rate(payer).meter(None, now);
        let Some(bucket) = self.known(payer) else { return Ok(unknown()) };
        bucket.try_lock().map_or_else(|_| Ok(unknown()), |bucket| bucket.look(now))
    }

    async fn earlier(&self, context: &RequestContext, promise: &Promise) -> Result<Option<StoredAnswer>, PromiseError> {
        self.earlier_answer(context, promise).await
    }

    async fn claim(&self, context: &RequestContext, promise: &Promise) -> Result<(), PromiseError> {
        self.claim_key(context, promise).await
    }

    async fn release(&self, context: &RequestContext, promise: &Promise) -> Result<(), PromiseError> {
        self.release_key(context, promise).await
    }

    async fn keep(
        &self,
        context: &RequestContext,
        promise: &Promise,
        answer: StoredAnswer,
    ) -> Result<StoredAnswer, PromiseError> {
        self.keep_answer(context, promise, answer).await
    }
}
